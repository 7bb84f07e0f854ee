"""Cloudflare, as its documentation and recorded answers describe it."""

import math
from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from providers.dns.cloudflare import Cloudflare
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"api_token": "c" * 40}
# What an error looks like.
ERROR = {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}], "result": None}


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Cloudflare.base_url, is_signed, "cloudflare")
    vendor.on("GET", "/user/tokens/verify", lambda call: ok({"id": "t", "status": "active"}))
    vendor.on("GET", "/zones", lambda call: refused(state, READ) or zones(state, call))
    vendor.on("GET", "/zones/([^/]+)/dns_records", lambda call: refused(state, EDIT) or records(state, call))
    vendor.on("POST", "/zones/([^/]+)/dns_records", lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", "/zones/([^/]+)/dns_records/([^/]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['api_token']}"


def ok(result: Any, **more: Any) -> Reply:
    return 200, {"success": True, "errors": [], "messages": [], "result": result, **more}


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def zones(state: DnsState, call: Call) -> Reply:
    name = call.query.get("name")
    return page([{"id": pk, "name": each} for each, pk in state.zones.items() if name in (None, each)], call)


def records(state: DnsState, call: Call) -> Reply:
    zone = state.name_of(call.groups[0])
    return page([shown(row) for row in state.found(zone, call.query.get("name", ""), call.query.get("type", ""))], call)


def page(rows: list[Any], call: Call) -> Reply:
    number, size = int(call.query["page"]), int(call.query["per_page"])
    info = {"page": number, "per_page": size, "total_pages": math.ceil(len(rows) / size)}
    return ok(rows[(number - 1) * size : number * size], result_info=info)


def add(state: DnsState, call: Call) -> Reply:
    sent = call.json
    value = unquoted(sent["content"])
    return ok(shown(state.add(state.name_of(call.groups[0]), sent["name"], sent["type"], value, sent["ttl"])))


def delete(state: DnsState, call: Call) -> Reply:
    zone, row_id = call.groups
    if not state.remove(state.name_of(zone), row_id):
        return 404, {**ERROR, "errors": [{"code": 81044, "message": "Record does not exist."}]}
    return ok({"id": row_id})


def shown(row: Row) -> dict[str, Any]:
    content = quoted(row.value) if row.type == "TXT" else row.value
    return {"id": row.id, "name": row.name, "type": row.type, "content": content, "ttl": row.ttl}
