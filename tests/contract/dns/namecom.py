"""Name.com, as its description says."""

from base64 import b64encode
from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.dns.namecom import NameCom
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {"username": "ada", "api_token": "n" * 40}
ERROR = {"message": "Unauthorized"}
# In the description it is the answer to changes only; to reading it is made up.
DENIED = {"message": "Permission denied", "details": "Failed authentication"}


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(NameCom.base_url, is_signed, "namecom")
    records = "/domains/([^/]+)/records"
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or domains(state, call))
    vendor.on("GET", records, lambda call: refused(state, EDIT) or listed(state, call))
    vendor.on("POST", records, lambda call: refused(state, EDIT) or add(state, call))
    vendor.on("DELETE", f"{records}/([0-9]+)", lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    pair = f"{VALUES['username']}:{VALUES['api_token']}"
    return call.headers["Authorization"] == f"Basic {b64encode(pair.encode()).decode()}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, DENIED) if permission in state.denied else None


def domains(state: DnsState, call: Call) -> Reply:
    names = [name for name in sorted(state.zones) if call.query.get("domainName") in (None, name)]
    return page("domains", [{"domainName": name} for name in names], call)


def page(field: str, rows: list[dict[str, Any]], call: Call) -> Reply:
    """A page holds one, so that each listing goes over pages."""
    number = int(call.query["page"])
    body = {field: rows[number - 1 : number], "totalCount": len(rows), "from": number, "to": number}
    return 200, body if number >= len(rows) else {**body, "nextPage": number + 1, "lastPage": len(rows)}


def listed(state: DnsState, call: Call) -> Reply:
    zone = call.groups[0]
    return page("records", [shown(zone, row) for row in state.found(zone)], call)


def shown(zone: str, row: Row) -> dict[str, Any]:
    label = "" if row.name == zone else row.name.removesuffix(f".{zone}")
    answer = {"id": int(row.id), "domainName": zone, "fqdn": f"{row.name}.", "type": row.type, "answer": row.value}
    return {**answer, "ttl": row.ttl, **({"host": label} if label else {})}


def add(state: DnsState, call: Call) -> Reply:
    sent, zone = call.json, call.groups[0]
    assert sent["ttl"] >= 300
    name = f"{sent['host']}.{zone}" if sent["host"] else zone
    return 200, shown(zone, state.add(zone, name, sent["type"], sent["answer"], sent["ttl"]))


def delete(state: DnsState, call: Call) -> Reply:
    return (204, None) if state.remove(*call.groups) else (404, {"message": "Not Found"})
