"""Hetzner, as its documentation and description describe it: nothing of it was recorded."""

from typing import Any

from providers.servers.hetzner import READ, WRITE, HetznerServers
from tests.contract.state import Key, Machine, ServerState
from tests.contract.vendor import Call, Handler, Reply, Vendor

VALUES = {"api_token": "h" * 64}
REGION, SIZE, IMAGE, OTHER_IMAGE = "fsn1", "cx22", "debian-12", "ubuntu-24.04"
ELSEWHERE = "hil"
CLOSED = set[str]()
SIZES = ["cx22", "cax11"]
IMAGES = ["ubuntu-24.04", "ubuntu-22.04", "debian-13", "debian-12"]
CHEAPEST = ("3.29", "EUR", 2, 4.0, 40)
DENIABLE = [WRITE]
CREATES = WRITE
ERROR = {"error": {"code": "token_readonly", "message": "token is only allowed to perform GET requests"}}
NOT_FOUND = 404, {"error": {"code": "not_found", "message": "server not found"}}


def vendors(state: ServerState) -> list[Vendor]:
    vendor = Vendor(HetznerServers.base_url, is_signed, "hetzner")

    def on(method: str, path: str, answer: Handler) -> None:
        permission = READ if method == "GET" else WRITE
        vendor.on(method, path, lambda call: (403, ERROR) if permission in state.denied else answer(call))

    on("GET", "/locations", lambda call: page(call, "locations", locations()))
    on("GET", "/server_types", lambda call: page(call, "server_types", server_types()))
    on("GET", "/images", lambda call: page(call, "images", images()))
    on("GET", "/servers", lambda call: servers(state, call))
    on("POST", "/servers", lambda call: create(state, call))
    on("GET", "/servers/([0-9]+)", lambda call: one(state, call))
    on("DELETE", "/servers/([0-9]+)", lambda call: removed(state.machines, call))
    on("POST", "/servers/([0-9]+)/actions/(reboot|rebuild)", lambda call: act(state, call))
    on("GET", "/ssh_keys", lambda call: page(call, "ssh_keys", [*map(key, state.keys.values())]))
    on("POST", "/ssh_keys", lambda call: add_key(state, call))
    on("DELETE", "/ssh_keys/([0-9]+)", lambda call: removed(state.keys, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['api_token']}"


def page(call: Call, key: str, items: list[Any]) -> Reply:
    number, size = int(call.query.get("page", 1)), int(call.query.get("per_page", 25))
    following = number + 1 if len(items) > number * size else None
    pagination = {"page": number, "per_page": size, "next_page": following, "total_entries": len(items)}
    return 200, {key: items[(number - 1) * size : number * size], "meta": {"pagination": pagination}}


def locations() -> list[dict[str, Any]]:
    rows = [("fsn1", "Falkenstein", "DE"), ("nbg1", "Nuremberg", "DE"), ("hil", "Hillsboro, OR", "US")]
    return [{"id": 1, "name": name, "city": city, "country": country} for name, city, country in rows]


def server_types() -> list[dict[str, Any]]:
    """Each with its net price by location; after a minus the location that the type has left."""

    def server_type(name: str, cores: int, memory: float, disk: int, **nets: str) -> dict[str, Any]:
        prices = [{"location": each, "price_monthly": {"net": net, "gross": "9.99"}} for each, net in nets.items()]
        there = [{"id": 1, "name": each, "deprecation": None} for each in nets]
        known = {"name": name, "description": name.upper(), "cores": cores, "memory": memory, "disk": disk}
        return {**known, "prices": prices, "locations": there}

    old = server_type("cx11", 1, 2.0, 20, fsn1="2.9900000000")
    old["locations"][0]["deprecation"] = {
        "announced": "2024-06-06T00:00:00Z",
        "unavailable_after": "2024-09-06T00:00:00Z",
    }
    return [
        server_type("cax11", 2, 4.0, 40, fsn1="3.7900000000", nbg1="3.7900000000"),
        server_type("cx22", 2, 4.0, 40, fsn1="3.2900000000", nbg1="3.3900000000"),
        server_type("cpx11", 2, 2.0, 40, hil="4.4900000000"),
        old,
    ]


def images() -> list[dict[str, Any]]:
    """A name stands for one image per processor."""

    def image(name: str | None, description: str, deprecated: str | None = None) -> list[dict[str, Any]]:
        known = {"name": name, "description": description, "deprecated": deprecated, "status": "available"}
        return [{**known, "architecture": architecture} for architecture in ("x86", "arm")]

    return [
        *image("debian-11", "Debian 11"),
        *image("debian-12", "Debian 12"),
        *image("debian-13", "Debian 13"),
        *image("ubuntu-20.04", "Ubuntu 20.04", "2025-05-01T00:00:00Z"),
        *image("ubuntu-22.04", "Ubuntu 22.04"),
        *image("ubuntu-24.04", "Ubuntu 24.04"),
        *image("ubuntu-23.10", "Ubuntu 23.10", "2024-08-01T00:00:00Z"),
        *image("rocky-9", "Rocky Linux 9"),
        *image(None, "Ubuntu 24.04 of our own"),
    ]


def servers(state: ServerState, call: Call) -> Reply:
    wanted = call.query.get("label_selector")
    return page(call, "servers", [shown(each) for each in state.machines.values() if not wanted or wanted in each.tags])


def create(state: ServerState, call: Call) -> Reply:
    sent = call.json
    if sent["location"] not in {row["name"] for row in locations()}:
        return failed(422, "invalid_input", "location not found")
    if sent["server_type"] not in {row["name"] for row in server_types()}:
        return failed(422, "invalid_input", "server type not found")
    if sent["image"] not in {row["name"] for row in images()}:
        return failed(422, "invalid_input", "image not found")
    if sent["location"] in state.sold_out:
        return failed(412, "resource_unavailable", "error during placement")
    if any(each.name == sent["name"] for each in state.machines.values()):
        return failed(409, "uniqueness_error", "server name is already used")
    machine = state.add(
        sent["name"],
        sent["location"],
        sent["server_type"],
        sent["image"],
        tags=[f"{label}=={value}" for label, value in sent["labels"].items()],
        keys=state.bodies(sent["ssh_keys"]),
        user_data=sent["user_data"],
    )
    return (503, ERROR) if state.loses_answers else (201, {"server": shown(machine), "root_password": None})


def one(state: ServerState, call: Call) -> Reply:
    machine = state.machines.get(call.groups[0])
    return (200, {"server": shown(machine)}) if machine else NOT_FOUND


def act(state: ServerState, call: Call) -> Reply:
    if not (machine := state.machines.get(call.groups[0])):
        return NOT_FOUND
    machine.done.append(call.groups[1])
    if call.groups[1] == "rebuild":
        machine.image = call.json["image"]
    return 201, {"action": {"id": 13, "status": "running", "command": call.groups[1]}, "root_password": None}


def add_key(state: ServerState, call: Call) -> Reply:
    if not call.json["public_key"].startswith("ssh-"):
        return failed(422, "invalid_input", "invalid input in field 'public_key'")
    if any(each.name == call.json["name"] for each in state.keys.values()):
        return failed(409, "uniqueness_error", "SSH key name already used")
    return 201, {"ssh_key": key(state.add_key(call.json["name"], call.json["public_key"]))}


def removed(known: dict[str, Any], call: Call) -> Reply:
    return (200, {"action": {"id": 1}}) if known.pop(call.groups[0], None) else NOT_FOUND


def failed(status: int, code: str, message: str) -> Reply:
    return status, {"error": {"code": code, "message": message, "details": None}}


def shown(machine: Machine) -> dict[str, Any]:
    address = {"ip": machine.ip_address} if machine.ip_address else None
    labels = dict(tag.split("==") for tag in machine.tags)
    status = "running" if machine.ip_address else "initializing"
    known = {"id": int(machine.id), "name": machine.name, "status": status, "labels": labels}
    return {**known, "public_net": {"ipv4": address, "ipv6": None}}


def key(key: Key) -> dict[str, Any]:
    return {"id": int(key.id), "name": key.name, "public_key": key.public_key, "fingerprint": "b7:2f", "labels": {}}
