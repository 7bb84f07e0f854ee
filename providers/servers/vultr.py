"""Vultr Cloud Compute. https://www.vultr.com/api/#tag/instances"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from providers.answers import segment
from providers.base import Findings, Permission
from providers.clients.vultr import VultrClient
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
    tag_of,
)
from providers.errors import NotFound

VIEW, MANAGE, DEPLOY = "subscriptions_view", "subscriptions", "provisioning"
ACLS = frozenset({VIEW, MANAGE, DEPLOY})
# What stands where an address will be.
NO_ADDRESS = "0.0.0.0"  # noqa: S104 -- nothing listens there
# Plans without an IPv4 address end so; Deploynix signs in over IPv4.
IPV6_ONLY = "-v6"


class VultrServers(VultrClient, HttpServers):
    key = "vultr"
    label = "Vultr"
    permissions = (
        Permission(VIEW, "View Servers (subscriptions_view)", "Reads whether a server runs, and its address."),
        Permission(DEPLOY, "Deploy New Servers (provisioning)", "Makes servers, with the key that signs in there."),
        Permission(MANAGE, "Manage Servers (subscriptions)", "Reboots, reinstalls and deletes servers."),
    )
    used_for = (
        "Make, reboot, reinstall and delete instances",
        "List regions, plans and systems",
        "Add, find and remove SSH keys",
    )
    steps = (
        "Sign in to the Vultr console, and open Account → Users.",
        "Add a user for Deploynix that may view, deploy and manage servers and nothing else, with API access enabled.",
        "Open that user, make an API key, and copy it: it is shown once.",
        "Where Access Control lists addresses, add that of this Deploynix server.",
    )
    gates = (
        "API access must be enabled, and where Access Control limits addresses, this server's must be among them.",
    )
    notes = (
        "The key of the account's owner works too, but opens everything, billing and users included.",
        "An image is known by the number that Vultr gives each system.",
    )
    probes = {
        VIEW: ("GET", "/instances", {}),
        DEPLOY: ("POST", "/instances", {"json": {"region": IMPOSSIBLE, "plan": IMPOSSIBLE}}),
    }

    def regions(self) -> Sequence[Region]:
        return [Region(row["id"], f"{row['city']}, {row['country']}") for row in self.pages("/regions", "regions")]

    def sizes(self, region: str) -> Sequence[Size]:
        rows = self.pages("/plans", "plans")
        there = (row for row in rows if region in row["locations"] and not row["id"].endswith(IPV6_ONLY))
        return cheapest_first([_size(row) for row in there])

    def images(self, region: str) -> Sequence[Image]:
        rows = (row for row in self.pages("/os", "os") if row["arch"] == "x64")
        return newest_first({Image(str(row["id"]), row["name"]): row["name"] for row in rows})

    def find(self, token: str) -> CloudServer | None:
        # Vultr's filter is for a tag of the old kind, of which a server had one.
        rows = self.pages("/instances", "instances", VIEW)
        return next((_server(row) for row in rows if tag_of(token) in row.get("tags", ())), None)

    def make(self, spec: ServerSpec) -> CloudServer:
        body = {
            "region": spec.region,
            "plan": spec.size,
            "os_id": _os_id(spec.image),
            "label": spec.name,
            "hostname": spec.name,
            "sshkey_id": self.key_ids(spec),
            "user_data": b64encode(spec.user_data.encode()).decode(),
            "tags": [tag_of(spec.token), *spec.tags],
            "activation_email": False,
        }
        return _server(self.call("POST", "/instances", DEPLOY, json=body)["instance"])

    def get(self, id: str) -> CloudServer:  # noqa: A002 -- what providers call it
        return _server(self._instance(id))

    def delete(self, id: str) -> None:  # noqa: A002
        self.remove(f"/instances/{segment(id)}", MANAGE)

    def reboot(self, id: str) -> None:  # noqa: A002
        self.call("POST", f"/instances/{segment(id)}/reboot", MANAGE)

    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        now = self._instance(id)
        # A change of the system reinstalls; the same system again is no change.
        if now["os_id"] == _os_id(image):
            self.call("POST", f"/instances/{segment(id)}/reinstall", MANAGE, json={"hostname": now["label"]})
        else:
            self.call("PATCH", f"/instances/{segment(id)}", MANAGE, json={"os_id": image})

    def ssh_keys(self) -> Sequence[SshKey]:
        return [_key(row) for row in self.pages("/ssh-keys", "ssh_keys", DEPLOY)]

    def add_ssh_key(self, name: str, public_key: str) -> SshKey:
        return _key(self.call("POST", "/ssh-keys", DEPLOY, json={"name": name, "ssh_key": public_key})["ssh_key"])

    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        self.remove(f"/ssh-keys/{segment(id)}", DEPLOY)

    def verify(self) -> Findings:
        held = frozenset(self.account.get("acls", ()))
        evidence = "GET /account: 200, the ACLs of the key's user."
        checks = tuple(self.checked(permission.key, held, evidence) for permission in self.permissions)
        return self.with_account(Findings(checks), DEPLOY, ACLS)

    def _instance(self, id: str) -> Mapping[str, Any]:  # noqa: A002
        found: Mapping[str, Any] = self.call("GET", f"/instances/{segment(id)}", VIEW)["instance"]
        return found


def _os_id(image: str) -> int:
    if not image.isdecimal():
        raise NotFound(f"Vultr has no image {image}.", "Choose one of the images that it offers.")
    return int(image)


def _size(row: Mapping[str, Any]) -> Size:
    return Size(row["id"], row["id"], row["vcpu_count"], row["ram"] / 1024, row["disk"], price(row["monthly_cost"]))


def _server(row: Mapping[str, Any]) -> CloudServer:
    address = "" if row["main_ip"] == NO_ADDRESS else row["main_ip"]
    is_running = row["status"] == "active" and row["power_status"] == "running"
    return CloudServer(row["id"], row["label"], is_running, address)


def _key(row: Mapping[str, Any]) -> SshKey:
    return SshKey(row["id"], row["name"], row["ssh_key"])
