"""Vultr, as its documentation and recorded answers describe it. Its 403 is made up."""

from base64 import b64decode
from typing import Any

from providers.servers.vultr import DEPLOY, MANAGE, VIEW, VultrServers
from tests.contract.dns.vultr import ERROR, VALUES, is_signed, page
from tests.contract.state import Key, Machine, ServerState
from tests.contract.vendor import Call, Handler, Reply, Vendor

__all__ = ["ERROR", "VALUES"]
REGION, SIZE, IMAGE, OTHER_IMAGE = "ams", "vc2-1c-1gb", "2136", "2284"
ELSEWHERE = "mel"
CLOSED = set[str]()
SIZES = ["vc2-1c-1gb", "vc2-1c-2gb"]
IMAGES = ["2284", "1743", "2625", "2136"]
CHEAPEST = ("5.00", "USD", 1, 1.0, 25)
DENIABLE = [VIEW, DEPLOY]
CREATES = DEPLOY
EXCESS = DEPLOY
ACCOUNT = {"name": "Example", "email": "ops@example.com", "acls": [VIEW, MANAGE, DEPLOY]}
NOT_FOUND = 404, {"error": "Invalid instance-id", "status": 404}


def vendors(state: ServerState) -> list[Vendor]:
    vendor = Vendor(VultrServers.base_url, is_signed, "vultr")

    def on(method: str, path: str, permission: str, answer: Handler) -> None:
        vendor.on(method, path, lambda call: (403, ERROR) if permission in state.denied else answer(call))

    vendor.on("GET", "/account", (200, {"account": ACCOUNT}))
    vendor.on("GET", "/regions", lambda call: page(call, "regions", regions()))
    vendor.on("GET", "/plans", lambda call: page(call, "plans", plans()))
    vendor.on("GET", "/os", lambda call: page(call, "os", systems()))
    on("GET", "/instances", VIEW, lambda call: instances(state, call))
    on("POST", "/instances", DEPLOY, lambda call: create(state, call))
    on("GET", "/instances/([^/]+)", VIEW, lambda call: one(state, call))
    on("PATCH", "/instances/([^/]+)", MANAGE, lambda call: change(state, call))
    on("DELETE", "/instances/([^/]+)", MANAGE, lambda call: removed(state.machines, call))
    on("POST", "/instances/([^/]+)/reboot", MANAGE, lambda call: act(state, call, "reboot"))
    on("POST", "/instances/([^/]+)/reinstall", MANAGE, lambda call: act(state, call, "rebuild"))
    on("GET", "/ssh-keys", DEPLOY, lambda call: page(call, "ssh_keys", [*map(key, state.keys.values())]))
    on("POST", "/ssh-keys", DEPLOY, lambda call: add_key(state, call))
    on("DELETE", "/ssh-keys/([^/]+)", DEPLOY, lambda call: removed(state.keys, call))
    return [vendor]


def over_broad(vendors: list[Vendor]) -> None:
    owner = {**ACCOUNT, "acls": [VIEW, MANAGE, DEPLOY, "billing", "manage_users"]}
    vendors[0].on("GET", "/account", (200, {"account": owner}))


def regions() -> list[dict[str, Any]]:
    rows = [("ams", "Amsterdam", "NL"), ("ewr", "New Jersey", "US"), ("mel", "Melbourne", "AU")]
    return [{"id": pk, "city": city, "country": country, "continent": "", "options": []} for pk, city, country in rows]


def plans() -> list[dict[str, Any]]:
    def plan(pk: str, ram: int, disk: int, cost: float, *locations: str) -> dict[str, Any]:
        known = {"id": pk, "vcpu_count": 1, "ram": ram, "disk": disk, "monthly_cost": cost, "type": "vc2"}
        return {**known, "locations": locations, "bandwidth": 1024, "disk_count": 1}

    return [
        plan("vc2-1c-2gb", 2048, 55, 10, "ams", "ewr"),
        plan("vc2-1c-1gb", 1024, 25, 5, "ams", "ewr"),
        plan("vc2-1c-0.5gb-v6", 512, 10, 2.5, "ams"),
        plan("vhf-1c-1gb", 1024, 32, 6, "ewr"),
    ]


def systems() -> list[dict[str, Any]]:
    def system(pk: int, name: str, family: str, arch: str = "x64") -> dict[str, Any]:
        return {"id": pk, "name": name, "arch": arch, "family": family}

    return [
        system(159, "Custom", "iso"),
        system(477, "Debian 11 x64 (bullseye)", "debian"),
        system(2136, "Debian 12 x64 (bookworm)", "debian"),
        system(2625, "Debian 13 x64 (trixie)", "debian"),
        system(387, "Ubuntu 20.04 LTS x64", "ubuntu"),
        system(1743, "Ubuntu 22.04 LTS x64", "ubuntu"),
        system(2284, "Ubuntu 24.04 LTS x64", "ubuntu"),
        system(2285, "Ubuntu 24.04 LTS i386", "ubuntu", "i386"),
        system(1868, "AlmaLinux 9 x64", "almalinux"),
    ]


def instances(state: ServerState, call: Call) -> Reply:
    call.query = {"per_page": "100", **call.query}
    return page(call, "instances", [*map(shown, state.machines.values())])


def create(state: ServerState, call: Call) -> Reply:
    sent = call.json
    if sent["region"] not in {row["id"] for row in regions()}:
        return invalid("Invalid region chosen.")
    if sent["plan"] not in {row["id"] for row in plans()}:
        return invalid("Invalid plan chosen.")
    if sent["region"] in state.sold_out:
        return invalid("Plan is not available in the selected region.")
    if sent["os_id"] not in {row["id"] for row in systems()}:
        return invalid("Invalid OS ID.")
    machine = state.add(
        sent["label"],
        sent["region"],
        sent["plan"],
        str(sent["os_id"]),
        tags=sent["tags"],
        keys=state.bodies(sent["sshkey_id"]),
        user_data=b64decode(sent["user_data"], validate=True).decode(),
    )
    made = {**shown(machine), "default_password": "v5{Fkvb#2ycPGwHs"}
    return (503, ERROR) if state.loses_answers else (202, {"instance": made})


def one(state: ServerState, call: Call) -> Reply:
    machine = state.machines.get(call.groups[0])
    return (200, {"instance": shown(machine)}) if machine else NOT_FOUND


def change(state: ServerState, call: Call) -> Reply:
    """A system of another number is installed anew."""
    if call.groups[0] not in state.machines:
        return NOT_FOUND
    machine = state.machines[call.groups[0]]
    if call.json["os_id"] == machine.image:
        return invalid("This server already runs that system.")
    machine.image = call.json["os_id"]
    machine.done.append("rebuild")
    return 202, {"instance": shown(machine)}


def act(state: ServerState, call: Call, what: str) -> Reply:
    if call.groups[0] not in state.machines:
        return NOT_FOUND
    machine = state.machines[call.groups[0]]
    machine.done.append(what)
    return (204, None) if what == "reboot" else (202, {"instance": shown(machine)})


def add_key(state: ServerState, call: Call) -> Reply:
    return 201, {"ssh_key": key(state.add_key(call.json["name"], call.json["ssh_key"]))}


def removed(known: dict[str, Any], call: Call) -> Reply:
    return (204, None) if known.pop(call.groups[0], None) else NOT_FOUND


def invalid(message: str) -> Reply:
    return 400, {"error": message, "status": 400}


def shown(machine: Machine) -> dict[str, Any]:
    started = bool(machine.ip_address)
    return {
        "id": machine.id,
        "label": machine.name,
        "os_id": int(machine.image),
        "main_ip": machine.ip_address or "0.0.0.0",  # noqa: S104 -- what Vultr shows until there is one
        "status": "active" if started else "pending",
        "power_status": "running",
        "tags": machine.tags,
    }


def key(key: Key) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "ssh_key": key.public_key, "date_created": "2021-09-01T17:54:35+00:00"}
