"""DigitalOcean, as its documentation and recorded answers describe it. Its 403 and its token's scopes are made up."""

from typing import Any

from providers.clients.digitalocean import TOKEN_INFO
from providers.contracts.dns import EDIT, READ
from providers.dns.digitalocean import REMOVE, DigitalOceanDns
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"api_token": "dop_v1_" + "d" * 64}
ERROR = {"id": "forbidden", "message": "You are not authorized to perform this operation"}
NOT_FOUND = 404, {"id": "not_found", "message": "The resource you were accessing could not be found."}
SCOPES = ["domain:create", "domain:delete", "domain:read"]
RECORDS = "/domains/([^/]+)/records"


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(DigitalOceanDns.base_url, is_signed, "digitalocean")
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or page(call, "domains", domains(state)))
    vendor.on("GET", "/domains/([^/]+)", lambda call: refused(state, READ) or domain(state, call))
    vendor.on("GET", RECORDS, lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", RECORDS, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{RECORDS}/([0-9]+)", lambda call: refused(state, REMOVE) or delete(state, call))
    own = Vendor(TOKEN_INFO, is_signed)
    own.on("GET", "", (200, {"scopes": SCOPES, "expires_in_seconds": 86400}))
    return [vendor, own]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['api_token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def page(call: Call, key: str, items: list[Any]) -> Reply:
    number, size = int(call.query["page"]), int(call.query["per_page"])
    following = f"{DigitalOceanDns.base_url}{call.path}?page={number + 1}&per_page={size}"
    links = {"pages": {"next": following, "last": following}} if len(items) > number * size else {}
    return 200, {key: items[(number - 1) * size : number * size], "links": links, "meta": {"total": len(items)}}


def domains(state: DnsState) -> list[Any]:
    return [{"name": name, "ttl": 1800, "zone_file": ""} for name in state.zones]


def domain(state: DnsState, call: Call) -> Reply:
    (name,) = call.groups
    return (200, {"domain": {"name": name, "ttl": 1800, "zone_file": ""}}) if name in state.zones else NOT_FOUND


def records(state: DnsState, call: Call) -> Reply:
    (zone,) = call.groups
    found = state.found(zone, call.query.get("name", ""), call.query.get("type", ""))
    return page(call, "domain_records", [shown(zone, row) for row in found])


def add(state: DnsState, call: Call) -> Reply:
    (zone,), sent = call.groups, call.json
    if sent["type"] == "CNAME" and not sent["data"].endswith("."):
        return 422, {"id": "unprocessable_entity", "message": "Data needs to end with a dot (.)"}
    name = zone if sent["name"] == "@" else f"{sent['name']}.{zone}"
    return 201, {"domain_record": shown(zone, state.add(zone, name, sent["type"], sent["data"], sent["ttl"]))}


def delete(state: DnsState, call: Call) -> Reply:
    return (204, None) if state.remove(*call.groups) else NOT_FOUND


def shown(zone: str, row: Row) -> dict[str, Any]:
    """Without the last dot, and "@" for the domain itself, on both sides of a record."""
    name = "@" if row.name == zone else row.name.removesuffix(f".{zone}")
    data = row.value.removesuffix(".") if row.type == "CNAME" else row.value
    data = "@" if row.type == "CNAME" and data == zone else data
    return {"id": int(row.id), "type": row.type, "name": name, "data": data, "ttl": row.ttl, "priority": None}
