"""Vercel, as its documentation describes it. Its 403 to a person without the role is made up."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.vercel import Vercel
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"access_token": "v" * 24, "team_id": "team_example"}
ERROR = {"error": {"code": "forbidden", "message": "You don't have permission to access this resource."}}
NOT_FOUND = 404, {"error": {"code": "not_found", "message": "The domain was not found."}}
TOKEN = {"id": "t", "name": "deploynix", "type": "token", "scopes": [{"type": "team", "teamId": "team_example"}]}


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Vercel.base_url, is_signed, "vercel")
    vendor.on("GET", "/v5/user/tokens/current", (200, {"token": TOKEN}), is_described=False)
    vendor.on("GET", "/v5/domains", lambda call: refused(state, READ) or page(call, "domains", domains(state)))
    vendor.on("GET", "/v5/domains/([^/]+)", lambda call: refused(state, READ) or domain(state, call))
    vendor.on("GET", "/v4/domains/([^/]+)/records", lambda call: refused(state, READ) or records(state, call))
    vendor.on("POST", "/v2/domains/([^/]+)/records", lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", "/v2/domains/([^/]+)/records/(.+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    is_bearer = call.headers["Authorization"] == f"Bearer {VALUES['access_token']}"
    return is_bearer and call.query["teamId"] == VALUES["team_id"]


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, ERROR) if permission in state.denied else None


def page(call: Call, key: str, items: list[dict[str, Any]]) -> Reply:
    """The newest of those made before `until`; each says when it was."""
    older = [item for item in items if item["createdAt"] < int(call.query.get("until", 2**53))]
    newest = sorted(older, key=lambda item: -int(item["createdAt"]))[: int(call.query["limit"])]
    following = newest[-1]["createdAt"] if len(newest) < len(older) else None
    return 200, {key: newest, "pagination": {"count": len(newest), "next": following, "prev": None}}


def domains(state: DnsState) -> list[dict[str, Any]]:
    return [{"name": name, "createdAt": number} for number, name in enumerate(state.zones)]


def domain(state: DnsState, call: Call) -> Reply:
    (name,) = call.groups
    return (200, {"domain": {"name": name, "serviceType": "zeit.world"}}) if name in state.zones else NOT_FOUND


def records(state: DnsState, call: Call) -> Reply:
    (zone,) = call.groups
    return page(call, "records", [shown(zone, row) for row in state.found(zone)])


def add(state: DnsState, call: Call) -> Reply:
    (zone,), sent = call.groups, call.json
    name = f"{sent['name']}.{zone}" if sent["name"] else zone
    return 200, {"uid": f"rec_{state.add(zone, name, sent['type'], sent['value'], sent['ttl']).id}", "updated": 1}


def delete(state: DnsState, call: Call) -> Reply:
    zone, uid = call.groups
    return (200, {}) if state.remove(zone, uid.removeprefix("rec_")) else NOT_FOUND


def shown(zone: str, row: Row) -> dict[str, Any]:
    name = "" if row.name == zone else row.name.removesuffix(f".{zone}")
    value = f"{row.value}." if row.type == "CNAME" else row.value
    created = int(row.id)
    return {
        "id": f"rec_{row.id}",
        "slug": "",
        "name": name,
        "type": row.type,
        "value": value,
        "creator": "ops",
        "createdAt": created,
        "ttl": row.ttl,
    }
