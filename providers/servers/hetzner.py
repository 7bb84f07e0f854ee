"""Hetzner Cloud servers. https://docs.hetzner.cloud/reference/cloud#servers"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from providers.answers import segment
from providers.base import Findings, Permission
from providers.clients.hetzner import HetznerClient
from providers.contracts.servers import (
    IMPOSSIBLE,
    CloudServer,
    HttpServers,
    Image,
    Region,
    ServerSpec,
    Size,
    SshKey,
    cheapest_first,
    newest_first,
    price,
)

READ, WRITE = "read", "write"
LABEL = "deploynix"


class HetznerServers(HetznerClient, HttpServers):
    key = "hetzner"
    label = "Hetzner Cloud"
    permissions = (
        Permission(READ, "Read", "Lists locations, server types and images, and reads a server's address."),
        Permission(WRITE, "Read & Write", "Makes, reboots, rebuilds and deletes servers, and adds SSH keys."),
    )
    used_for = (
        "Make, reboot, rebuild and delete servers",
        "List locations, server types and images",
        "Add, find and remove SSH keys",
    )
    steps = (
        "Sign in to the Hetzner Console, and open the project for your servers; a project of its own is safest.",
        "Open Security → API tokens, and choose Generate API token.",
        "Give it a description, and choose Read & Write.",
        "Generate the token, and copy it: it is shown once.",
    )
    notes = (
        "A token belongs to one project: servers of another project need another token.",
        "A token that writes may write all in its project: Hetzner has no narrower ones.",
        "Prices are those of Hetzner's list in euros, without VAT and without the IPv4 address.",
    )
    # A token that may only read is refused before the key is looked at.
    probes = {
        READ: ("GET", "/servers", {}),
        WRITE: ("POST", "/ssh_keys", {"json": {"name": IMPOSSIBLE, "public_key": IMPOSSIBLE}}),
    }

    def regions(self) -> Sequence[Region]:
        rows = self.pages("/locations", "locations", READ)
        return [Region(row["name"], f"{row['city']}, {row['country']}") for row in rows]

    def sizes(self, region: str) -> Sequence[Size]:
        rows = self.pages("/server_types", "server_types", READ)
        return cheapest_first([_size(row, region) for row in rows if _is_offered(row, region)])

    def images(self, region: str) -> Sequence[Image]:
        """By name, of which Hetzner takes the one for the processor of the server type."""
        rows = self.pages("/images", "images", READ, type="system", status="available")
        current = (row for row in rows if row["name"] and not row["deprecated"])
        return newest_first({Image(row["name"], row["description"]): row["name"] for row in current})

    def find(self, token: str) -> CloudServer | None:
        rows = self.pages("/servers", "servers", READ, label_selector=f"{LABEL}=={token}")
        return next((_server(row) for row in rows if row["labels"].get(LABEL) == token), None)

    def make(self, spec: ServerSpec) -> CloudServer:
        body = {
            "name": spec.name,
            "location": spec.region,
            "server_type": spec.size,
            "image": spec.image,
            "ssh_keys": self.key_ids(spec),
            "user_data": spec.user_data,
            "labels": {**dict.fromkeys(spec.tags, ""), LABEL: spec.token},
        }
        return _server(self.call("POST", "/servers", WRITE, json=body)["server"])

    def get(self, id: str) -> CloudServer:  # noqa: A002 -- what providers call it
        return _server(self.call("GET", f"/servers/{segment(id)}", READ)["server"])

    def delete(self, id: str) -> None:  # noqa: A002
        self.remove(f"/servers/{segment(id)}", WRITE)

    def reboot(self, id: str) -> None:  # noqa: A002
        self.call("POST", f"/servers/{segment(id)}/actions/reboot", WRITE)

    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        self.call("POST", f"/servers/{segment(id)}/actions/rebuild", WRITE, json={"image": image})

    def ssh_keys(self) -> Sequence[SshKey]:
        return [_key(row) for row in self.pages("/ssh_keys", "ssh_keys", READ)]

    def add_ssh_key(self, name: str, public_key: str) -> SshKey:
        body = {"name": name, "public_key": public_key}
        return _key(self.call("POST", "/ssh_keys", WRITE, json=body)["ssh_key"])

    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        self.remove(f"/ssh_keys/{segment(id)}", WRITE)

    def verify(self) -> Findings:
        return Findings(tuple(self.checked(permission.key, frozenset(), "") for permission in self.permissions))


def _is_offered(row: Mapping[str, Any], region: str) -> bool:
    """Whether new ones can be made there: a type that goes is known before, with its last day."""
    there = next((each for each in row["locations"] if each["name"] == region), None)
    if there is None:
        return False
    going = there["deprecation"]
    return not going or datetime.fromisoformat(going["unavailable_after"]) > datetime.now(UTC)


def _size(row: Mapping[str, Any], region: str) -> Size:
    monthly = next((each["price_monthly"]["net"] for each in row["prices"] if each["location"] == region), None)
    cost = None if monthly is None else price(monthly)
    return Size(row["name"], row["description"], row["cores"], row["memory"], int(row["disk"]), cost, "EUR")


def _server(row: Mapping[str, Any]) -> CloudServer:
    address = (row["public_net"]["ipv4"] or {}).get("ip", "")
    return CloudServer(str(row["id"]), row["name"], row["status"] == "running", address)


def _key(row: Mapping[str, Any]) -> SshKey:
    return SshKey(str(row["id"]), row["name"], row["public_key"])
