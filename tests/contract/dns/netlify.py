"""Netlify, as its documentation and recorded answers describe it. Its 401 and 403 are made up."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.netlify import Netlify
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "nfp_" + "n" * 36}
ERROR = {"code": 403, "message": "Forbidden"}
RECORDS = "/dns_zones/([^/]+)/dns_records"


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Netlify.base_url, is_signed, "netlify")
    vendor.on("GET", "/dns_zones", lambda call: refused(state, READ) or (200, zones(state)))
    vendor.on("GET", RECORDS, lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", RECORDS, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{RECORDS}/([^/]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['access_token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def zones(state: DnsState) -> list[Any]:
    return [{"id": pk, "name": name, "account_slug": "example", "dns_servers": []} for name, pk in state.zones.items()]


def records(state: DnsState, call: Call) -> Reply:
    return 200, [shown(call.groups[0], row) for row in state.found(state.name_of(call.groups[0]))]


def add(state: DnsState, call: Call) -> Reply:
    zone, sent = state.name_of(call.groups[0]), call.json
    return 201, shown(call.groups[0], state.add(zone, sent["hostname"], sent["type"], sent["value"], sent["ttl"]))


def delete(state: DnsState, call: Call) -> Reply:
    zone, row_id = call.groups
    return (204, None) if state.remove(state.name_of(zone), row_id) else (404, {"code": 404, "message": "Not Found"})


def shown(zone_id: str, row: Row) -> dict[str, Any]:
    return {
        "hostname": row.name,
        "type": row.type,
        "ttl": row.ttl,
        "priority": None,
        "id": row.id,
        "dns_zone_id": zone_id,
        "site_id": None,
        "managed": False,
        "value": row.value,
    }
