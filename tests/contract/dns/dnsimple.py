"""DNSimple, as its documentation and recorded answers describe it. Its 401 and 403 are made up."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from providers.dns.dnsimple import DnSimple
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "dnsimple_a_" + "d" * 32}
ERROR = {"message": "Permission Denied. Required Scope: zones:write"}
ACCOUNT = {"id": 1010, "email": "ops@example.com", "plan_identifier": "teams-v1-monthly"}
ZONES = "/1010/zones"
RECORDS = f"{ZONES}/([^/]+)/records"


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(DnSimple.base_url, is_signed, "dnsimple")
    vendor.on("GET", "/whoami", (200, {"data": {"user": None, "account": ACCOUNT}}))
    vendor.on("GET", ZONES, lambda call: refused(state, READ) or page(call, [zone(name) for name in state.zones]))
    vendor.on("GET", f"{ZONES}/([^/]+)", lambda call: refused(state, READ) or one_zone(state, call))
    vendor.on("GET", RECORDS, lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", RECORDS, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{RECORDS}/([0-9]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['access_token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def not_found(what: str, name: str) -> Reply:
    return 404, {"message": f"{what} `{name}` not found"}


def page(call: Call, items: list[Any]) -> Reply:
    number, size = int(call.query["page"]), int(call.query["per_page"])
    pages = max(1, -(-len(items) // size))
    found = items[(number - 1) * size : number * size]
    pagination = {"current_page": number, "per_page": size, "total_entries": len(items), "total_pages": pages}
    return 200, {"data": found, "pagination": pagination}


def zone(name: str) -> dict[str, Any]:
    return {"id": 1, "account_id": ACCOUNT["id"], "name": name, "reverse": False, "active": True}


def one_zone(state: DnsState, call: Call) -> Reply:
    (name,) = call.groups
    return (200, {"data": zone(name)}) if name in state.zones else not_found("Zone", name)


def records(state: DnsState, call: Call) -> Reply:
    (name,) = call.groups
    found = [shown(name, row) for row in state.found(name, type=call.query.get("type", ""))]
    return page(call, [row for row in found if call.query.get("name") in (None, row["name"])])


def add(state: DnsState, call: Call) -> Reply:
    (apex,), sent = call.groups, call.json
    name = f"{sent['name']}.{apex}" if sent["name"] else apex
    value = unquoted(sent["content"]) if sent["type"] == "TXT" else sent["content"]
    return 201, {"data": shown(apex, state.add(apex, name, sent["type"], value, sent["ttl"]))}


def delete(state: DnsState, call: Call) -> Reply:
    return (204, None) if state.remove(*call.groups) else not_found("Record", call.groups[1])


def shown(apex: str, row: Row) -> dict[str, Any]:
    name = "" if row.name == apex else row.name.removesuffix(f".{apex}")
    content = quoted(row.value) if row.type == "TXT" else row.value
    return {
        "id": int(row.id),
        "zone_id": apex,
        "parent_id": None,
        "name": name,
        "content": content,
        "ttl": row.ttl,
        "priority": None,
        "type": row.type,
        "regions": ["global"],
        "system_record": False,
    }
