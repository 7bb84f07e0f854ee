"""Hetzner DNS in the Cloud API, as its documentation and the recorded answers describe it."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from providers.dns.hetzner import Hetzner
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"api_token": "h" * 64}
RECORD_SET = "/zones/([^/]+)/rrsets/([^/]+)/([A-Z]+)"
ERROR = {"error": {"code": "unauthorized", "message": "unable to authenticate", "details": None}}
# The documentation has the code, not the words.
READ_ONLY = {"error": {"code": "token_readonly", "message": "token is only allowed to read", "details": None}}


def state() -> DnsState:
    return DnsState(zones={"example.com": "42", "shop.example.com": "43"})


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Hetzner.base_url, is_signed, "hetzner")
    vendor.on("GET", "/zones", lambda call: refused(state, READ) or zones(state, call))
    vendor.on("GET", "/servers", lambda call: refused(state, READ) or (200, {"servers": [], "meta": meta(1, None)}))
    vendor.on("GET", "/zones/([^/]+)/rrsets", lambda call: refused(state, READ) or record_sets(state, call))
    vendor.on("GET", RECORD_SET, lambda call: record_set(state, call))
    vendor.on("POST", f"{RECORD_SET}/actions/add_records", lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("POST", f"{RECORD_SET}/actions/remove_records", lambda call: refused(state, EDIT) or remove(state, call))
    vendor.on("GET", "/zones/actions/1", (200, action("success")))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['api_token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, READ_ONLY) if permission in state.denied else None


def meta(page: int, next_page: int | None) -> dict[str, Any]:
    return {"pagination": {"page": page, "per_page": 1, "next_page": next_page}}


def zones(state: DnsState, call: Call) -> Reply:
    """A page holds one, so that each listing goes over pages."""
    names = [name for name in sorted(state.zones) if call.query.get("name") in (None, name)]
    page = int(call.query.get("page", 1))
    shown = [{"id": int(state.zones[name]), "name": name} for name in names[page - 1 : page]]
    return 200, {"zones": shown, "meta": meta(page, page + 1 if page < len(names) else None)}


def place(state: DnsState, call: Call) -> tuple[str, str, str]:
    zone_id, label, type_ = call.groups
    zone = state.name_of(zone_id)
    return zone, zone if label == "@" else f"{label}.{zone}", type_


def record_set(state: DnsState, call: Call) -> Reply:
    found = state.found(*place(state, call))
    if not found:
        return 404, {"error": {"code": "not_found", "message": "rrset not found", "details": None}}
    return 200, {"rrset": shown(state.name_of(call.groups[0]), found)}


def record_sets(state: DnsState, call: Call) -> Reply:
    """A page holds one, as of zones."""
    zone, page = state.name_of(call.groups[0]), int(call.query["page"])
    found = [shown(zone, rows) for _, _, rows in state.sets(zone)]
    return 200, {"rrsets": found[page - 1 : page], "meta": meta(page, page + 1 if page < len(found) else None)}


def shown(zone: str, found: list[Row]) -> dict[str, Any]:
    label = "@" if found[0].name == zone else found[0].name.removesuffix(f".{zone}")
    records = [{"value": quoted(row.value) if row.type == "TXT" else row.value, "comment": ""} for row in found]
    return {"name": label, "type": found[0].type, "ttl": found[0].ttl, "records": records}


def add(state: DnsState, call: Call) -> Reply:
    zone, name, type_ = place(state, call)
    found = state.found(zone, name, type_)
    ttl = call.json.get("ttl")
    if found and ttl not in (None, found[0].ttl):
        text = "invalid input in field 'ttl': has differing record TTLs"
        return 422, {"error": {"code": "invalid_input", "message": text, "details": None}}
    for value in sent(call, type_):
        state.add(zone, name, type_, value, ttl or 3600)
    return 201, action("running")


def remove(state: DnsState, call: Call) -> Reply:
    zone, name, type_ = place(state, call)
    gone = sent(call, type_)
    for row in state.found(zone, name, type_):
        if row.value in gone:
            state.remove(zone, row.id)
    return 201, action("running")


def sent(call: Call, type_: str) -> list[str]:
    values = [record["value"] for record in call.json["records"]]
    if type_ == "TXT":
        assert all(value.startswith('"') and value.endswith('"') for value in values)
        return [unquoted(value) for value in values]
    return values


def action(status: str, error: Any = None) -> dict[str, Any]:
    return {"action": {"id": 1, "command": "add_rrset_records", "status": status, "progress": 50, "error": error}}
