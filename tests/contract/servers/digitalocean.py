"""DigitalOcean, as its documentation and recorded answers describe it. Its 403 and its token's scopes are made up."""

from typing import Any

from providers.clients.digitalocean import TOKEN_INFO
from providers.servers.digitalocean import DigitalOceanServers
from tests.contract.dns.digitalocean import ERROR, NOT_FOUND, VALUES, is_signed
from tests.contract.dns.digitalocean import page as numbered
from tests.contract.state import Key, Machine, ServerState
from tests.contract.vendor import Call, Handler, Reply, Vendor

__all__ = ["ERROR", "VALUES"]
REGION, SIZE, IMAGE, OTHER_IMAGE = "fra1", "s-1vcpu-1gb", "debian-12-x64", "ubuntu-24-04-x64"
ELSEWHERE = "tor1"
CLOSED = {"ams1"}
SIZES = ["s-1vcpu-1gb", "s-2vcpu-4gb"]
IMAGES = ["ubuntu-24-04-x64", "ubuntu-22-04-x64", "debian-13-x64", "debian-12-x64"]
CHEAPEST = ("5.00", "USD", 1, 1.0, 25)
SCOPES = [permission.key for permission in DigitalOceanServers.permissions] + ["actions:read"]
DENIABLE = sorted(DigitalOceanServers.probes)
CREATES = "droplet:create"
EXCESS = "droplet:create"


def vendors(state: ServerState) -> list[Vendor]:
    vendor = Vendor(DigitalOceanServers.base_url, is_signed, "digitalocean")

    def on(method: str, path: str, permission: str, answer: Handler) -> None:
        vendor.on(method, path, lambda call: (403, ERROR) if permission in state.denied else answer(call))

    on("GET", "/regions", "regions:read", lambda call: page(call, "regions", regions()))
    on("GET", "/sizes", "sizes:read", lambda call: page(call, "sizes", sizes()))
    on("GET", "/images", "image:read", lambda call: page(call, "images", images()))
    on("GET", "/droplets", "droplet:read", lambda call: droplets(state, call))
    on("POST", "/droplets", "droplet:create", lambda call: create(state, call))
    on("GET", "/droplets/([0-9]+)", "droplet:read", lambda call: one(state, call))
    on("DELETE", "/droplets/([0-9]+)", "droplet:delete", lambda call: removed(state.machines, call))
    on("POST", "/droplets/([0-9]+)/actions", "droplet:update", lambda call: act(state, call))
    on("GET", "/account/keys", "ssh_key:read", lambda call: page(call, "ssh_keys", [*map(key, state.keys.values())]))
    on("POST", "/account/keys", "ssh_key:create", lambda call: add_key(state, call))
    # The description says of these ids that they are read-only, and so that none may be sent.
    vendor.on("DELETE", "/account/keys/([0-9]+)", lambda call: removed(state.keys, call), is_described=False)
    own = Vendor(TOKEN_INFO, is_signed)
    own.on("GET", "", (200, {"scopes": SCOPES, "expires_in_seconds": 86400}))
    return [vendor, own]


def over_broad(vendors: list[Vendor]) -> None:
    vendors[1].on("GET", "", (200, {"scopes": ["read", "write"]}))


def page(call: Call, key: str, items: list[Any]) -> Reply:
    """A list may also be asked for without saying which page."""
    call.query = {"page": "1", "per_page": "20", **call.query}
    return numbered(call, key, items)


def regions() -> list[dict[str, Any]]:
    rows = [("nyc1", "New York 1", True), ("fra1", "Frankfurt 1", True), ("tor1", "Toronto 1", True)]
    known = [*rows, ("ams1", "Amsterdam 1", False)]
    return [
        {"slug": slug, "name": name, "available": there, "sizes": [], "features": []} for slug, name, there in known
    ]


def sizes() -> list[dict[str, Any]]:
    def size(slug: str, memory: int, disk: int, monthly: float, regions: list[str], there: bool = True) -> Any:
        known = {"slug": slug, "vcpus": int(slug[2]), "memory": memory, "disk": disk, "price_monthly": monthly}
        return {**known, "regions": regions, "available": there, "description": "Basic", "transfer": 1.0}

    return [
        size("s-2vcpu-4gb", 4096, 80, 24.0, ["fra1", "nyc1"]),
        size("s-1vcpu-1gb", 1024, 25, 5.0, ["fra1", "nyc1"]),
        size("s-4vcpu-8gb", 8192, 160, 48.0, ["nyc1"]),
        size("s-1vcpu-512mb-10gb", 512, 10, 4.0, ["fra1"], there=False),
    ]


def images() -> list[dict[str, Any]]:
    def image(slug: str | None, distribution: str, name: str, *regions: str) -> dict[str, Any]:
        return {"id": 1, "slug": slug, "distribution": distribution, "name": name, "regions": regions, "public": True}

    return [
        image("debian-12-x64", "Debian", "12 x64", "fra1", "nyc1"),
        image("debian-11-x64", "Debian", "11 x64", "fra1", "nyc1"),
        image("debian-13-x64", "Debian", "13 x64", "fra1"),
        image("ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64", "fra1"),
        image("ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64", "fra1"),
        image("ubuntu-20-04-x64", "Ubuntu", "20.04 (LTS) x64", "fra1"),
        image("ubuntu-25-10-x64", "Ubuntu", "25.10 x64", "nyc1"),
        image("fedora-41-x64", "Fedora", "41 x64", "fra1"),
        image(None, "Debian", "12 x64", "fra1"),
    ]


def droplets(state: ServerState, call: Call) -> Reply:
    tag = call.query.get("tag_name")
    if tag and "tag:read" in state.denied:
        return 403, ERROR
    return page(call, "droplets", [shown(each) for each in state.machines.values() if not tag or tag in each.tags])


def create(state: ServerState, call: Call) -> Reply:
    sent = call.json
    if sent["region"] not in {row["slug"] for row in regions() if row["available"]}:
        return unprocessable("Region is not available")
    if sent["region"] in state.sold_out:
        return unprocessable("Size is not available in this region.")
    if sent["size"] not in {row["slug"] for row in sizes()}:
        return unprocessable("You specified an invalid size for Droplet creation.")
    if sent["image"] not in {row["slug"] for row in images()}:
        return unprocessable("You specified an invalid image for Droplet creation.")
    parts = {name: sent[name] for name in ("name", "region", "size", "image", "tags", "user_data")}
    made = shown(state.add(**parts, keys=state.bodies(sent["ssh_keys"])))
    return (503, ERROR) if state.loses_answers else (202, {"droplet": made, "links": {"actions": []}})


def one(state: ServerState, call: Call) -> Reply:
    machine = state.machines.get(call.groups[0])
    return (200, {"droplet": shown(machine)}) if machine else NOT_FOUND


def act(state: ServerState, call: Call) -> Reply:
    if not (machine := state.machines.get(call.groups[0])):
        return NOT_FOUND
    machine.done.append(call.json["type"])
    machine.image = call.json.get("image", machine.image)
    return 201, {
        "action": {"id": 2, "status": "in-progress", "type": call.json["type"], "resource_id": int(machine.id)}
    }


def add_key(state: ServerState, call: Call) -> Reply:
    if not call.json["public_key"].startswith("ssh-"):
        return unprocessable("Key invalid, key should be of the format `type key [comment]`")
    if any(each.public_key == call.json["public_key"] for each in state.keys.values()):
        return unprocessable("SSH Key is already in use on your account")
    return 201, {"ssh_key": key(state.add_key(call.json["name"], call.json["public_key"]))}


def removed(known: dict[str, Any], call: Call) -> Reply:
    return (204, None) if known.pop(call.groups[0], None) else NOT_FOUND


def unprocessable(message: str) -> Reply:
    return 422, {"id": "unprocessable_entity", "message": message}


def shown(machine: Machine) -> dict[str, Any]:
    """A Droplet has its address on the private network first."""
    addresses = [{"ip_address": "10.114.0.2", "type": "private"}]
    if machine.ip_address:
        addresses.append({"ip_address": machine.ip_address, "type": "public"})
    status = "active" if machine.ip_address else "new"
    known = {"id": int(machine.id), "name": machine.name, "status": status, "tags": machine.tags}
    return {**known, "networks": {"v4": addresses, "v6": []}}


def key(key: Key) -> dict[str, Any]:
    return {"id": int(key.id), "name": key.name, "public_key": key.public_key, "fingerprint": "3b:16"}
