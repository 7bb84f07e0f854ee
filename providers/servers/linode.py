"""Linode instances. https://techdocs.akamai.com/linode-api/reference/post-linode-instance"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from secrets import token_urlsafe
from typing import Any

from deploynix.http import Answer
from providers.answers import segment
from providers.base import Findings, Permission
from providers.clients.linode import LinodeClient
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
from providers.errors import Conflict, ProviderError

MANAGE, IMAGES, ACCOUNT = "linodes:read_write", "images:read_only", "account:read_only"
# Needed for the keys of a profile only, which are not needed.
PROFILE = "account:read_write"
NEEDED = frozenset({MANAGE, "linodes:read_only", IMAGES, ACCOUNT})
# Guides have asked for these for years; they reach images and addresses, and neither servers nor the account.
TOLERATED = frozenset({"images:read_write", "ips:read_only", "ips:read_write"})
# The ones without a variant in their name, as `linode/ubuntu24.04-nvidia` has.
PLAIN_IMAGE = re.compile(r"linode/(debian|ubuntu)[\d.]+(lts)?")
# Addresses of the private network: https://techdocs.akamai.com/cloud-computing/docs/managing-ip-addresses
PRIVATE = "192.168."
SHORTEST_LABEL = 3


class LinodeServers(LinodeClient, HttpServers):
    key = "linode"
    label = "Linode (Akamai Cloud)"
    permissions = (
        Permission(MANAGE, "Linodes → Read/Write", "Makes, reads, reboots, rebuilds and deletes Linodes."),
        Permission(IMAGES, "Images → Read Only", "Lists the systems to start with."),
        Permission(ACCOUNT, "Account → Read Only", "Reads when the token ends.", optional=True),
    )
    used_for = (
        "Make, reboot, rebuild and delete Linodes",
        "List regions, types and images",
        "Set SSH keys and a root password when a Linode is made",
    )
    steps = (
        "Sign in to Akamai Cloud Manager, and open your profile → API Tokens.",
        "Choose Create a Personal Access Token, and give it a label and an expiry.",
        "Set all to No Access, then Linodes to Read/Write, Images to Read Only and Account to Read Only.",
        "Choose Create Token, and copy it: it is shown once.",
    )
    notes = (
        "IPs need no access: the addresses of a Linode come with it.",
        "A token with Images and IPs at Read/Write, as many guides advise, works as well, and counts as in order.",
        "A restricted user must also be granted that it may add Linodes.",
        "Linode wants a root password: each server gets a random one, which nobody keeps.",
        "A Linode's label must be its own in the account.",
    )
    probes = {
        MANAGE: ("POST", "/linode/instances", {"json": {"region": IMPOSSIBLE, "type": IMPOSSIBLE}}),
        IMAGES: ("GET", "/images", {}),
    }

    def regions(self) -> Sequence[Region]:
        return [Region(row["id"], row["label"]) for row in self.pages("/regions") if _is_usable(row)]

    def sizes(self, region: str) -> Sequence[Size]:
        """https://techdocs.akamai.com/linode-api/reference/get-region-availability tells which are sold out."""
        known = self.call("GET", f"/regions/{segment(region)}/availability")
        sold_out = {row["plan"] for row in known if not row["available"]}
        rows = (row for row in self.pages("/linode/types") if row["id"] not in sold_out)
        return cheapest_first([_size(row, region) for row in rows])

    def images(self, region: str) -> Sequence[Image]:
        """Those that run cloud-init, and so take user data."""
        rows = (row for row in self.pages("/images", IMAGES) if _is_plain(row))
        return newest_first({Image(row["id"], row["label"]): row["label"] for row in rows})

    def find(self, token: str) -> CloudServer | None:
        rows = self.pages("/linode/instances", MANAGE)
        return next((_server(row) for row in rows if tag_of(token) in row["tags"]), None)

    def make(self, spec: ServerSpec) -> CloudServer:
        body = {
            "region": spec.region,
            "type": spec.size,
            "image": spec.image,
            "label": _label(spec.name),
            "tags": [tag_of(spec.token), *spec.tags],
            **_access(spec.public_keys),
        }
        if spec.user_data:
            body["metadata"] = {"user_data": b64encode(spec.user_data.encode()).decode()}
        return _server(self.call("POST", "/linode/instances", MANAGE, json=body))

    def get(self, id: str) -> CloudServer:  # noqa: A002 -- what providers call it
        return _server(self.call("GET", f"/linode/instances/{segment(id)}", MANAGE))

    def delete(self, id: str) -> None:  # noqa: A002
        self.remove(f"/linode/instances/{segment(id)}", MANAGE)

    def reboot(self, id: str) -> None:  # noqa: A002
        self.call("POST", f"/linode/instances/{segment(id)}/reboot", MANAGE, json={})

    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        """Linode forgets the keys of the start: nobody could sign in without `public_keys`."""
        body = {"image": image, **_access(public_keys)}
        self.call("POST", f"/linode/instances/{segment(id)}/rebuild", MANAGE, json=body)

    def ssh_keys(self) -> Sequence[SshKey]:
        return [_key(row) for row in self.pages("/profile/sshkeys", ACCOUNT)]

    def add_ssh_key(self, name: str, public_key: str) -> SshKey:
        return _key(self.call("POST", "/profile/sshkeys", PROFILE, json={"label": name[:64], "ssh_key": public_key}))

    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        self.remove(f"/profile/sshkeys/{segment(id)}", PROFILE)

    def verify(self) -> Findings:
        profile = self.profile()
        scopes, held = profile.scopes, _opened(profile.scopes)
        evidence = "GET /profile: 200, the scopes of the token."
        checks = tuple(self.checked(permission.key, held, evidence) for permission in self.permissions)
        findings = Findings(checks, self.expires_at(scopes), profile.username)
        spare = sorted(scopes - NEEDED - TOLERATED)
        if not spare:
            return findings
        fix = "Make a token that has Linodes → Read/Write, Images → Read Only and Account → Read Only."
        return findings.with_excess(MANAGE, f"The token also has the scopes {', '.join(spare)}.", fix)

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if "must be unique" in error.message:
            return Conflict(error.message, "Another server of the account has this name: choose another.")
        return error

    def how_to_grant(self, permission: str) -> str:
        if permission == PROFILE:
            return (
                "Servers get their keys without it. To keep keys in your profile, the token needs Account → Read/Write."
            )
        return super().how_to_grant(permission)


def _opened(scopes: frozenset[str]) -> frozenset[str]:
    """What they hold, written out: "*" is all, and to write is also to read."""
    if "*" in scopes:
        return NEEDED
    return scopes | {scope.replace(":read_write", ":read_only") for scope in scopes}


def _access(public_keys: Sequence[str]) -> dict[str, Any]:
    return {"root_pass": token_urlsafe(48), "authorized_keys": [key.strip() for key in public_keys]}


def _label(name: str) -> str:
    """Linode takes no two dashes, dots or underscores in a row, no digit in front, and not less than three."""
    label = re.sub(r"([-._])[-._]+", r"\1", name)
    return label if label[0].isalpha() and len(label) >= SHORTEST_LABEL else f"server-{label}"[:64]


def _is_usable(row: Mapping[str, Any]) -> bool:
    can = {"Linodes", "Metadata"} <= set(row["capabilities"])
    return can and row["status"] == "ok" and row.get("site_type", "core") == "core"


def _is_plain(row: Mapping[str, Any]) -> bool:
    takes_user_data = "cloud-init" in row.get("capabilities", ())
    return takes_user_data and not row["deprecated"] and bool(PLAIN_IMAGE.fullmatch(row["id"]))


def _size(row: Mapping[str, Any], region: str) -> Size:
    """Some regions have prices of their own."""
    own = {each["id"]: each["monthly"] for each in row.get("region_prices", ())}
    monthly = own.get(region, row["price"]["monthly"])
    memory, disk = row["memory"] / 1024, row["disk"] // 1024
    return Size(row["id"], row["label"], row["vcpus"], memory, disk, None if monthly is None else price(monthly))


def _server(row: Mapping[str, Any]) -> CloudServer:
    public = (each for each in row["ipv4"] if not each.startswith(PRIVATE))
    return CloudServer(str(row["id"]), row["label"], row["status"] == "running", next(public, ""))


def _key(row: Mapping[str, Any]) -> SshKey:
    return SshKey(str(row["id"]), row["label"], row["ssh_key"])
