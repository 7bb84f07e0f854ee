"""Vultr, as its documentation and recorded answers describe it. Its 403 is made up."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.vultr import VultrDns
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

NOT_IN_TEXTS = '"'
VALUES = {"api_key": "V" * 36}
ERROR = {"error": "Insufficient permissions.", "status": 403}
ACLS = ["dns"]
RECORDS = "/domains/([^/]+)/records"


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(VultrDns.base_url, is_signed, "vultr")
    vendor.on("GET", "/account", (200, {"account": {"name": "Example", "email": "ops@example.com", "acls": ACLS}}))
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or page(call, "domains", domains(state)))
    vendor.on("GET", "/domains/([^/]+)", lambda call: refused(state, READ) or domain(state, call))
    vendor.on("GET", RECORDS, lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", RECORDS, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{RECORDS}/([^/]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['api_key']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def page(call: Call, key: str, items: list[Any]) -> Reply:
    """The cursor is where the page begins; the last page names an empty one."""
    start, size = int(call.query.get("cursor") or 0), int(call.query["per_page"])
    following = str(start + size) if len(items) > start + size else ""
    meta = {"total": len(items), "links": {"next": following, "prev": ""}}
    return 200, {key: items[start : start + size], "meta": meta}


def domains(state: DnsState) -> list[Any]:
    return [{"domain": name, "date_created": "2021-09-07T09:52:18+00:00"} for name in state.zones]


def domain(state: DnsState, call: Call) -> Reply:
    (name,) = call.groups
    return (200, {"domain": {"domain": name}}) if name in state.zones else (404, {"error": "Not found", "status": 404})


def records(state: DnsState, call: Call) -> Reply:
    (zone,) = call.groups
    return page(call, "records", [shown(zone, row) for row in state.found(zone)])


def add(state: DnsState, call: Call) -> Reply:
    (zone,), sent = call.groups, call.json
    value = sent["data"]
    if sent["type"] == "TXT":
        if not (value.startswith('"') and value.endswith('"')):
            message = "Unable to add record: Record data must be enclosed in quotes"
            return 400, {"error": message, "status": 400}
        value = value[1:-1]
    name = f"{sent['name']}.{zone}" if sent["name"] else zone
    return 201, {"record": shown(zone, state.add(zone, name, sent["type"], value, sent["ttl"]))}


def delete(state: DnsState, call: Call) -> Reply:
    return (204, None) if state.remove(*call.groups) else (404, {"error": "Invalid record ID.", "status": 404})


def shown(zone: str, row: Row) -> dict[str, Any]:
    name = "" if row.name == zone else row.name.removesuffix(f".{zone}")
    data = f'"{row.value}"' if row.type == "TXT" else row.value
    return {"id": row.id, "type": row.type, "name": name, "data": data, "priority": -1, "ttl": row.ttl}
