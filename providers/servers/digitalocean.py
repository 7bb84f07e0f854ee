"""DigitalOcean Droplets. https://docs.digitalocean.com/reference/api/reference/droplets/"""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.answers import segment
from providers.base import Findings, Permission
from providers.clients.digitalocean import DigitalOceanClient
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

# What tokens of full access, and of read access, have instead of scopes.
FULL, READ_ONLY = "write", "read"
EXAMPLES = 5


class DigitalOceanServers(DigitalOceanClient, HttpServers):
    key = "digitalocean"
    label = "DigitalOcean"
    # A scope for each call that is made: https://docs.digitalocean.com/reference/api/scopes/
    permissions = (
        Permission("regions:read", "regions:read", "Lists the regions."),
        Permission("sizes:read", "sizes:read", "Lists the sizes and their prices."),
        Permission("image:read", "image:read", "Lists the systems to start with."),
        Permission("droplet:read", "droplet:read", "Reads whether a Droplet runs, and its address."),
        Permission("droplet:create", "droplet:create", "Makes Droplets."),
        Permission("droplet:update", "droplet:update", "Reboots and rebuilds Droplets."),
        Permission("droplet:delete", "droplet:delete", "Deletes the Droplets that you delete."),
        Permission("ssh_key:read", "ssh_key:read", "Finds an SSH key that is there already."),
        Permission("ssh_key:create", "ssh_key:create", "Adds the key by which Deploynix signs in."),
        Permission("ssh_key:delete", "ssh_key:delete", "Removes that key with its Droplet."),
        Permission("tag:read", "tag:read", "Finds a Droplet that was made, though the answer got lost."),
        Permission("tag:create", "tag:create", "Marks the Droplets that Deploynix makes."),
    )
    used_for = (
        "Make, reboot, rebuild and delete Droplets",
        "List regions, sizes and images",
        "Add, find and remove SSH keys",
    )
    steps = (
        "Sign in to the DigitalOcean control panel, and open API → Tokens.",
        "Choose Generate New Token, give it a name, and the shortest expiry that suits you.",
        "Choose Custom Scopes, and tick those that are listed here: of droplet all four.",
        "Choose Generate Token, and copy it: it is shown once.",
    )
    notes = (
        "DigitalOcean adds a few scopes that only read by itself; they do no harm.",
        "Full Access works too, but opens the whole team's account, its domains and databases included.",
    )
    probes = {
        "regions:read": ("GET", "/regions", {}),
        "sizes:read": ("GET", "/sizes", {}),
        "image:read": ("GET", "/images", {}),
        "droplet:read": ("GET", "/droplets", {}),
        "droplet:create": (
            "POST",
            "/droplets",
            {"json": dict.fromkeys(("name", "region", "size", "image"), IMPOSSIBLE)},
        ),
        "ssh_key:read": ("GET", "/account/keys", {}),
        "ssh_key:create": ("POST", "/account/keys", {"json": dict.fromkeys(("name", "public_key"), IMPOSSIBLE)}),
        "tag:read": ("GET", "/droplets", {"params": {"tag_name": IMPOSSIBLE}}),
    }

    def regions(self) -> Sequence[Region]:
        rows = self.pages("/regions", "regions", "regions:read")
        return [Region(row["slug"], row["name"]) for row in rows if row["available"]]

    def sizes(self, region: str) -> Sequence[Size]:
        rows = self.pages("/sizes", "sizes", "sizes:read")
        return cheapest_first([_size(row) for row in rows if row["available"] and region in row["regions"]])

    def images(self, region: str) -> Sequence[Image]:
        rows = self.pages("/images", "images", "image:read", type="distribution")
        there = (row for row in rows if row["slug"] and region in row["regions"])
        return newest_first({Image(row["slug"], f"{row['distribution']} {row['name']}"): row["slug"] for row in there})

    def find(self, token: str) -> CloudServer | None:
        tag = tag_of(token)
        rows = self.pages("/droplets", "droplets", "tag:read", tag_name=tag)
        return next((_server(row) for row in rows if tag in row["tags"]), None)

    def make(self, spec: ServerSpec) -> CloudServer:
        body = {
            "name": spec.name,
            "region": spec.region,
            "size": spec.size,
            "image": spec.image,
            "ssh_keys": [int(each) for each in self.key_ids(spec)],
            "user_data": spec.user_data,
            "tags": [tag_of(spec.token), *spec.tags],
        }
        return _server(self.call("POST", "/droplets", "droplet:create", json=body)["droplet"])

    def get(self, id: str) -> CloudServer:  # noqa: A002 -- what providers call it
        return _server(self.call("GET", f"/droplets/{segment(id)}", "droplet:read")["droplet"])

    def delete(self, id: str) -> None:  # noqa: A002
        self.remove(f"/droplets/{segment(id)}", "droplet:delete")

    def reboot(self, id: str) -> None:  # noqa: A002
        self.call("POST", f"/droplets/{segment(id)}/actions", "droplet:update", json={"type": "reboot"})

    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        body = {"type": "rebuild", "image": image}
        self.call("POST", f"/droplets/{segment(id)}/actions", "droplet:update", json=body)

    def ssh_keys(self) -> Sequence[SshKey]:
        return [_key(row) for row in self.pages("/account/keys", "ssh_keys", "ssh_key:read")]

    def add_ssh_key(self, name: str, public_key: str) -> SshKey:
        body = {"name": name, "public_key": public_key}
        return _key(self.call("POST", "/account/keys", "ssh_key:create", json=body)["ssh_key"])

    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        self.remove(f"/account/keys/{segment(id)}", "ssh_key:delete")

    def verify(self) -> Findings:
        info = self.token_info()
        needed = frozenset(permission.key for permission in self.permissions)
        evidence = "GET /v1/oauth/token/info: 200, the scopes of the token."
        held = _opened(needed, info.scopes)
        findings = Findings(tuple(self.checked(each, held, evidence) for each in sorted(needed)), info.expires_at)
        spare = sorted(each for each in info.scopes - needed if not each.endswith(":read"))
        if not spare:
            return findings
        what = "full access" if FULL in spare else f"{len(spare)} scopes more, as {', '.join(spare[:EXAMPLES])}"
        fix = "Make a token with custom scopes: only those that are listed here."
        return findings.with_excess("droplet:create", f"The token has {what}.", fix)


def _opened(needed: frozenset[str], scopes: frozenset[str]) -> frozenset[str]:
    if FULL in scopes:
        return needed
    readable = {each for each in needed if each.endswith(":read")} if READ_ONLY in scopes else set()
    return scopes | readable


def _size(row: Mapping[str, Any]) -> Size:
    name = f"{row.get('description') or 'Basic'} {row['slug']}"
    return Size(row["slug"], name, row["vcpus"], row["memory"] / 1024, row["disk"], price(row["price_monthly"]))


def _server(row: Mapping[str, Any]) -> CloudServer:
    public = (each["ip_address"] for each in row["networks"].get("v4", ()) if each["type"] == "public")
    return CloudServer(str(row["id"]), row["name"], row["status"] == "active", next(public, ""))


def _key(row: Mapping[str, Any]) -> SshKey:
    return SshKey(str(row["id"]), row["name"], row["public_key"])
