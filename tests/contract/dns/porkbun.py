"""Porkbun, as https://porkbun.com/api/json/v3/documentation describes it; the words of its errors are those that users
report. There is no description of it for machines: what may be sent is written down here.
"""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.porkbun import Porkbun
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"api_key": "pk1_" + "p" * 64, "secret_api_key": "sk1_" + "s" * 64}
ERROR = {"status": "ERROR", "message": "Something went wrong."}
NO_DOMAIN = {"status": "ERROR", "code": "INVALID_DOMAIN", "message": "Invalid domain."}
OPTED_OUT = {"status": "ERROR", "code": "API_ACCESS_DISABLED", "message": "Domain is not opted in to API access."}
# A key sees all domains of its account; what can be off is a domain's own switch, to which the answer is 400.
UNDENIABLE = (READ,)
DENIED_STATUS = 400


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Porkbun.base_url, is_signed)
    vendor.on("POST", "/domain/listAll", lambda call: domains(state, call))
    vendor.on("POST", "/dns/retrieve/([^/]+)", lambda call: refused(state, call) or all_records(state, call))
    found = "/dns/retrieveByNameType/([^/]+)/([A-Z]+)(?:/([^/]+))?"
    vendor.on("POST", found, lambda call: refused(state, call) or records(state, call))
    vendor.on("POST", "/dns/create/([^/]+)", lambda call: refused(state, call) or create(state, call))
    vendor.on("POST", "/dns/delete/([^/]+)/([0-9]+)", lambda call: refused(state, call) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    pair = (call.json["apikey"], call.json["secretapikey"])
    return pair == (VALUES["api_key"], VALUES["secret_api_key"]) and "Authorization" not in call.headers


def success(**more: Any) -> Reply:
    return 200, {"status": "SUCCESS", **more}


def refused(state: DnsState, call: Call) -> Reply | None:
    if call.groups[0] not in state.zones:
        return 400, NO_DOMAIN
    return (400, OPTED_OUT) if EDIT in state.denied else None


def sent(call: Call, *fields: str) -> dict[str, Any]:
    """What was sent besides the keys: exactly these fields."""
    body = {field: value for field, value in call.json.items() if field not in ("apikey", "secretapikey")}
    assert set(body) == set(fields)
    return body


def domains(state: DnsState, call: Call) -> Reply:
    start = int(sent(call, "start")["start"])
    assert start % 1000 == 0
    return success(domains=[{"domain": name, "status": "ACTIVE"} for name in sorted(state.zones)[start : start + 1000]])


def records(state: DnsState, call: Call) -> Reply:
    sent(call)
    zone, type_, label = call.groups
    return success(records=[shown(row) for row in state.found(zone, f"{label}.{zone}" if label else zone, type_)])


def all_records(state: DnsState, call: Call) -> Reply:
    sent(call)
    return success(records=[shown(row) for row in state.found(call.groups[0])])


def shown(row: Row) -> dict[str, Any]:
    told = {"id": row.id, "name": row.name, "type": row.type, "content": row.value, "ttl": str(row.ttl)}
    return {**told, "prio": "0", "notes": ""}


def create(state: DnsState, call: Call) -> Reply:
    body, zone = sent(call, "name", "type", "content", "ttl"), call.groups[0]
    assert int(body["ttl"]) >= 600
    name = f"{body['name']}.{zone}" if body["name"] else zone
    return success(id=int(state.add(zone, name, body["type"], body["content"], int(body["ttl"])).id))


def delete(state: DnsState, call: Call) -> Reply:
    sent(call)
    if not state.remove(*call.groups):
        return 400, {"status": "ERROR", "code": "INVALID_RECORD_ID", "message": "Invalid record ID."}
    return success()
