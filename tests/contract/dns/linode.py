"""Linode, as its documentation and recorded answers describe it. Its 403 is made up."""

import json
from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.linode import LinodeDns
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "0123456789abcdef" + "l" * 48}
ERROR = {"errors": [{"reason": "Unauthorized"}]}
NOT_FOUND = 404, {"errors": [{"reason": "Not found"}]}
SCOPES = "domains:read_write"
RECORDS = "/domains/([0-9]+)/records"


def state() -> DnsState:
    return DnsState(zones={"example.com": "3153530", "shop.example.com": "3153531"})


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(LinodeDns.base_url, is_signed, "linode")
    vendor.on("GET", "/profile", (200, {"username": "ops"}, {"X-OAuth-Scopes": SCOPES}))
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or page(call, domains(state)))
    vendor.on("GET", RECORDS, lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", RECORDS, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{RECORDS}/([0-9]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['access_token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def page(call: Call, items: list[dict[str, Any]]) -> Reply:
    """The page of those that have the values of the X-Filter header."""
    wanted = json.loads(call.headers.get("X-Filter", "{}"))
    found = [item for item in items if all(item[key] == value for key, value in wanted.items())]
    number, size = int(call.query["page"]), int(call.query["page_size"])
    pages = max(1, -(-len(found) // size))
    data = found[(number - 1) * size : number * size]
    return 200, {"data": data, "page": number, "pages": pages, "results": len(found)}


def domains(state: DnsState) -> list[dict[str, Any]]:
    """Besides our zones one that Linode only copies from elsewhere."""
    found = [{"id": int(pk), "type": "master", "domain": name, "status": "active"} for name, pk in state.zones.items()]
    return [*found, {"id": 1, "type": "slave", "domain": "copied.example.net", "status": "active"}]


def records(state: DnsState, call: Call) -> Reply:
    zone = state.name_of(call.groups[0])
    return page(call, [shown(zone, row) for row in state.found(zone)])


def add(state: DnsState, call: Call) -> Reply:
    zone, sent = state.name_of(call.groups[0]), call.json
    name = f"{sent['name']}.{zone}" if "name" in sent else zone
    return 200, shown(zone, state.add(zone, name, sent["type"], sent["target"], sent["ttl_sec"]))


def delete(state: DnsState, call: Call) -> Reply:
    zone, row_id = call.groups
    return (200, {}) if state.remove(state.name_of(zone), row_id) else NOT_FOUND


def shown(zone: str, row: Row) -> dict[str, Any]:
    name = "" if row.name == zone else row.name.removesuffix(f".{zone}")
    return {"id": int(row.id), "type": row.type, "name": name, "target": row.value, "ttl_sec": row.ttl, "priority": 0}
