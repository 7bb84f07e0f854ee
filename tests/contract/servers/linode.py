"""Linode, as its documentation and recorded answers describe it. Its refusals are made up."""

from base64 import b64decode
from typing import Any

from providers.servers.linode import IMAGES as READS_IMAGES
from providers.servers.linode import MANAGE, LinodeServers
from tests.contract.dns.linode import ERROR, NOT_FOUND, VALUES, is_signed
from tests.contract.state import Key, Machine, ServerState
from tests.contract.vendor import Call, Handler, Reply, Vendor

__all__ = ["ERROR", "VALUES"]
REGION, SIZE, IMAGE, OTHER_IMAGE = "eu-central", "g6-nanode-1", "linode/debian12", "linode/ubuntu24.04"
ELSEWHERE = "br-gru"
CLOSED = {"us-old", "us-down", "us-den-1"}
SIZES = ["g6-nanode-1", "g6-standard-1"]
IMAGES = ["linode/ubuntu24.04", "linode/ubuntu22.04", "linode/debian13", "linode/debian12"]
CHEAPEST = ("5.00", "USD", 1, 1.0, 25)
DENIABLE = [MANAGE, READS_IMAGES]
CREATES = MANAGE
EXCESS = MANAGE
SCOPES = "account:read_only images:read_only linodes:read_write"
OUT_OF_SCOPE = 401, {"errors": [{"reason": "Your OAuth token is not authorized to use this endpoint."}]}
TOKENS = [
    {"token": "fedcba9876543210", "expiry": "2026-12-31T00:00:00"},
    {"token": VALUES["access_token"][:16], "expiry": "2027-01-02T03:04:05"},
]


def vendors(state: ServerState) -> list[Vendor]:
    vendor = Vendor(LinodeServers.base_url, is_signed, "linode")

    def on(method: str, path: str, permission: str, answer: Handler) -> None:
        vendor.on(method, path, lambda call: OUT_OF_SCOPE if permission in state.denied else answer(call))

    vendor.on("GET", "/profile", (200, {"username": "ops"}, {"X-OAuth-Scopes": SCOPES}))
    vendor.on("GET", "/profile/tokens", lambda call: page(call, TOKENS), is_described=False)
    vendor.on("GET", "/regions", lambda call: page(call, regions()))
    vendor.on("GET", "/regions/([^/]+)/availability", availability, is_described=False)
    vendor.on("GET", "/linode/types", lambda call: page(call, types()))
    on("GET", "/images", READS_IMAGES, lambda call: page(call, images()))
    on("GET", "/linode/instances", MANAGE, lambda call: page(call, [*map(shown, state.machines.values())]))
    on("POST", "/linode/instances", MANAGE, lambda call: create(state, call))
    on("GET", "/linode/instances/([0-9]+)", MANAGE, lambda call: one(state, call))
    on("DELETE", "/linode/instances/([0-9]+)", MANAGE, lambda call: removed(state.machines, call))
    on("POST", "/linode/instances/([0-9]+)/(reboot|rebuild)", MANAGE, lambda call: act(state, call))
    vendor.on("GET", "/profile/sshkeys", lambda call: page(call, [*map(key, state.keys.values())]))
    vendor.on("POST", "/profile/sshkeys", lambda call: add_key(state, call))
    vendor.on("DELETE", "/profile/sshkeys/([0-9]+)", lambda call: removed(state.keys, call))
    return [vendor]


def over_broad(vendors: list[Vendor]) -> None:
    vendors[0].on("GET", "/profile", (200, {"username": "ops"}, {"X-OAuth-Scopes": "*"}))


def page(call: Call, items: list[dict[str, Any]]) -> Reply:
    """A list may also be asked for without saying which page."""
    number, size = int(call.query.get("page", 1)), int(call.query.get("page_size", 100))
    data = items[(number - 1) * size : number * size]
    return 200, {"data": data, "page": number, "pages": max(1, -(-len(items) // size)), "results": len(items)}


def regions() -> list[dict[str, Any]]:
    def region(pk: str, label: str, *capabilities: str, **more: str) -> dict[str, Any]:
        return {"id": pk, "label": label, "capabilities": capabilities, "status": "ok", "site_type": "core", **more}

    return [
        region("eu-central", "Frankfurt, DE", "Linodes", "Metadata", "Backups"),
        region("br-gru", "Sao Paulo, BR", "Linodes", "Metadata"),
        region("us-old", "Without user data", "Linodes"),
        region("us-down", "Being repaired", "Linodes", "Metadata", status="outage"),
        region("us-den-1", "Edge of Denver", "Linodes", "Metadata", site_type="distributed"),
    ]


def availability(call: Call) -> Reply:
    (region,) = call.groups
    if region not in {row["id"] for row in regions()}:
        return NOT_FOUND
    sold_out = {"eu-central": ["g7-premium-2"], "br-gru": ["g6-nanode-1", "g7-premium-2"]}.get(region, [])
    return 200, [{"region": region, "plan": plan, "available": plan not in sold_out} for plan in (SIZE, "g7-premium-2")]


def types() -> list[dict[str, Any]]:
    def type_(pk: str, label: str, memory: int, monthly: float, **own: float) -> dict[str, Any]:
        prices = [{"id": region.replace("_", "-"), "hourly": 0.1, "monthly": cost} for region, cost in own.items()]
        price = {"hourly": 0.1, "monthly": monthly}
        known = {"id": pk, "label": label, "memory": memory, "disk": memory * 25, "vcpus": 1}
        return {**known, "price": price, "region_prices": prices, "class": "standard"}

    return [
        type_("g6-standard-1", "Linode 2GB", 2048, 12.0, br_gru=16.8),
        type_("g6-nanode-1", "Nanode 1GB", 1024, 5.0, br_gru=7.0),
        type_("g7-premium-2", "Premium 4GB", 4096, 43.0),
    ]


def images() -> list[dict[str, Any]]:
    def image(pk: str, label: str, *, deprecated: bool = False, cloud_init: bool = True) -> dict[str, Any]:
        capabilities = ["cloud-init"] if cloud_init else []
        return {"id": pk, "label": label, "deprecated": deprecated, "capabilities": capabilities, "is_public": True}

    return [
        image("linode/debian11", "Debian 11"),
        image("linode/debian12", "Debian 12"),
        image("linode/debian13", "Debian 13"),
        image("linode/debian12-kube-v1.33.10", "Kubernetes 1.33.10 on Debian 12"),
        image("linode/ubuntu22.04", "Ubuntu 22.04 LTS"),
        image("linode/ubuntu24.04", "Ubuntu 24.04 LTS"),
        image("linode/ubuntu24.04-nvidia", "Ubuntu 24.04 LTS NVIDIA"),
        image("linode/ubuntu25.10", "Ubuntu 25.10", deprecated=True),
        image("linode/ubuntu26.04", "Ubuntu 26.04 LTS", cloud_init=False),
        image("linode/alpine3.23", "Alpine 3.23"),
        image("private/84470", "Ubuntu 24.04 of our own"),
    ]


def create(state: ServerState, call: Call) -> Reply:
    sent = call.json
    if sent["region"] not in {row["id"] for row in regions()}:
        return invalid("region", "region is not valid")
    if sent["type"] not in {row["id"] for row in types()}:
        return invalid("type", "A valid plan type by that ID was not found")
    if sent["region"] in state.sold_out:
        reason = "The Linode plan you chose is not currently available in the selected region."
        return 403, {"errors": [{"reason": reason}]}
    if sent["image"] not in {row["id"] for row in images()}:
        return invalid("image", "image is not valid")
    if any(each.name == sent["label"] for each in state.machines.values()):
        return invalid("label", "Label must be unique among your linodes")
    data = b64decode(sent.get("metadata", {}).get("user_data", ""), validate=True).decode()
    parts = (sent["label"], sent["region"], sent["type"], sent["image"])
    machine = state.add(*parts, tags=sent["tags"], keys=sent["authorized_keys"], user_data=data)
    return (503, ERROR) if state.loses_answers else (200, shown(machine))


def one(state: ServerState, call: Call) -> Reply:
    machine = state.machines.get(call.groups[0])
    return (200, shown(machine)) if machine else NOT_FOUND


def act(state: ServerState, call: Call) -> Reply:
    if not (machine := state.machines.get(call.groups[0])):
        return NOT_FOUND
    machine.done.append(call.groups[1])
    if call.groups[1] == "reboot":
        return 200, {}
    machine.image, machine.keys = call.json["image"], call.json["authorized_keys"]
    return 200, {**shown(machine), "status": "rebuilding"}


def add_key(state: ServerState, call: Call) -> Reply:
    return 200, key(state.add_key(call.json["label"], call.json["ssh_key"]))


def removed(known: dict[str, Any], call: Call) -> Reply:
    return (200, {}) if known.pop(call.groups[0], None) else NOT_FOUND


def invalid(field: str, reason: str) -> Reply:
    return 400, {"errors": [{"field": field, "reason": reason}]}


def shown(machine: Machine) -> dict[str, Any]:
    """The private address comes first here, as it may."""
    addresses = ["192.168.206.100", machine.ip_address] if machine.ip_address else []
    status = "running" if machine.ip_address else "provisioning"
    return {"id": int(machine.id), "label": machine.name, "status": status, "ipv4": addresses, "tags": machine.tags}


def key(key: Key) -> dict[str, Any]:
    return {"id": int(key.id), "label": key.name, "ssh_key": key.public_key, "created": "2018-01-01T00:01:01"}
