"""GoDaddy, as its description and recorded answers say."""

from providers.contracts.dns import EDIT, READ
from providers.dns.godaddy import GoDaddy
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

# To take a value away, all others are written.
LAST_WRITER_WINS = True
VALUES = {"key": "k" * 37, "secret": "s" * 22}
RECORD = "/domains/([^/]+)/records/([A-Z]+)/([^/]+)"
ERROR = {"code": "UNABLE_TO_AUTHENTICATE", "message": "Unauthorized : Could not authenticate API key/secret"}
DENIED = {"code": "ACCESS_DENIED", "message": "Authenticated user is not allowed access"}


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(GoDaddy.base_url, is_signed, "godaddy")
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or domains(state, call))
    vendor.on("GET", "/domains/([^/]+)", lambda call: refused(state, READ) or domain(state, call))
    vendor.on("GET", RECORD, lambda call: refused(state, EDIT) or records(state, call))
    whole = "/domains/([^/]+)/records"
    vendor.on("GET", whole, lambda call: refused(state, EDIT) or listed(state, call), is_described=False)
    vendor.on("PATCH", "/domains/([^/]+)/records", lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("PUT", RECORD, lambda call: refused(state, EDIT) or replace(state, call))
    vendor.on("DELETE", RECORD, lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"sso-key {VALUES['key']}:{VALUES['secret']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, DENIED) if permission in state.denied else None


def domains(state: DnsState, call: Call) -> Reply:
    names = sorted(state.zones)
    after = names.index(call.query["marker"]) + 1 if "marker" in call.query else 0
    return 200, [{"domain": name, "status": "ACTIVE"} for name in names[after : after + int(call.query["limit"])]]


def domain(state: DnsState, call: Call) -> Reply:
    name = call.groups[0]
    if name.startswith("_"):
        return 422, {"code": "INVALID_BODY", "message": "Request body doesn't fulfill schema, see details in `fields`"}
    if name not in state.zones:
        return 404, {"code": "NOT_FOUND", "message": "Not Found : The requested resource was not found"}
    return 200, {"domain": name, "status": "ACTIVE"}


def place(call: Call) -> tuple[str, str, str]:
    zone, type_, label = call.groups
    return zone, zone if label == "@" else f"{label}.{zone}", type_


def records(state: DnsState, call: Call) -> Reply:
    found = state.found(*place(call))
    return 200, [{"type": row.type, "name": call.groups[2], "data": row.value, "ttl": row.ttl} for row in found]


def listed(state: DnsState, call: Call) -> Reply:
    """What people report of a call that no description has: `offset` is the number of the page."""
    zone, limit, page = call.groups[0], int(call.query["limit"]), int(call.query.get("offset", 1))
    assert limit <= 500
    found = [
        {"type": row.type, "name": label(zone, row), "data": row.value, "ttl": row.ttl} for row in state.found(zone)
    ]
    return 200, found[(page - 1) * limit : page * limit]


def label(zone: str, row: Row) -> str:
    return "@" if row.name == zone else row.name.removesuffix(f".{zone}")


def add(state: DnsState, call: Call) -> Reply:
    zone = call.groups[0]
    for sent in call.json:
        assert sent["ttl"] >= 600
        name = zone if sent["name"] == "@" else f"{sent['name']}.{zone}"
        state.add(zone, name, sent["type"], sent["data"], sent["ttl"])
    return 200, None


def replace(state: DnsState, call: Call) -> Reply:
    zone, name, type_ = place(call)
    state.replace(zone, name, type_, [])
    for sent in call.json:
        state.add(zone, name, type_, sent["data"], sent["ttl"])
    return 200, None


def delete(state: DnsState, call: Call) -> Reply:
    state.replace(*place(call), [])
    return 204, None
