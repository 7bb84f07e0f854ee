"""Gandi, as https://api.gandi.net/docs/livedns/ and its recorded answers describe it. There is no description of it
for machines: what may be sent is written down here.
"""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from providers.dns.gandi import TOKEN_INFO, Gandi
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

# PUT says what is to be there, whatever was there.
LAST_WRITER_WINS = True
VALUES = {"token": "pat_" + "g" * 36}
RECORD = "/domains/([^/]+)/records/([^/]+)/(A|AAAA|CNAME|TXT)"
ERROR = {"code": 401, "message": "The token is not valid.", "object": "HTTPUnauthorized", "cause": "Unauthorized"}
# The documentation has its shape; its words are those that users report.
DENIED = {
    "code": 403,
    "message": "Access was denied to this resource.",
    "object": "HTTPForbidden",
    "cause": "Forbidden",
}
UNKNOWN = {"code": 404, "message": "Unknown domain", "object": "HTTPNotFound", "cause": "Not Found"}


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Gandi.base_url, is_signed)
    vendor.on("GET", "/domains", lambda call: refused(state, READ) or domains(state, call))
    vendor.on("GET", "/domains/([^/]+)", lambda call: refused(state, READ) or domain(state, call))
    vendor.on("GET", "/domains/([^/]+)/records", lambda call: refused(state, EDIT) or record_sets(state, call))
    vendor.on("GET", RECORD, lambda call: refused(state, EDIT) or record_set(state, call))
    vendor.on("PUT", RECORD, lambda call: refused(state, EDIT) or put(state, call))
    vendor.on("DELETE", RECORD, lambda call: refused(state, EDIT) or delete(state, call))
    sign_in = Vendor("https://id.gandi.net", is_signed)
    sign_in.on("GET", TOKEN_INFO.removeprefix(sign_in.base_url), (200, token("domain:view", "domain:tech")))
    return [vendor, sign_in]


def token(*scopes: str) -> dict[str, Any]:
    return {"pat_name": "Deploynix", "scope": [*scopes], "entities": [], "expires_in": 86400}


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {VALUES['token']}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return (403, DENIED) if permission in state.denied else None


def domains(state: DnsState, call: Call) -> Reply:
    """A page holds one, so that each listing goes over pages."""
    page, names = int(call.query.get("page", 1)), sorted(state.zones)
    link = f'<{Gandi.base_url}/domains?page={page + 1}>; rel="next"'
    return 200, [{"fqdn": names[page - 1]}], {"Link": link} if page < len(names) else {}


def domain(state: DnsState, call: Call) -> Reply:
    name = call.groups[0]
    return (200, {"fqdn": name, "automatic_snapshot": True}) if name in state.zones else (404, UNKNOWN)


def place(call: Call) -> tuple[str, str, str]:
    zone, label, type_ = call.groups
    return zone, zone if label == "@" else f"{label}.{zone}", type_


def record_set(state: DnsState, call: Call) -> Reply:
    found = state.found(*place(call))
    if not found:
        return 404, {**UNKNOWN, "message": "Unknown record"}
    return 200, shown(call.groups[0], found)


def record_sets(state: DnsState, call: Call) -> Reply:
    """By pages of one, as domains."""
    (zone,), page = call.groups, int(call.query.get("page", 1))
    found = [shown(zone, rows) for _, _, rows in state.sets(zone)]
    link = f'<{Gandi.base_url}/domains/{zone}/records?page={page + 1}>; rel="next"'
    return 200, found[page - 1 : page], {"Link": link} if page < len(found) else {}


def shown(zone: str, found: list[Row]) -> dict[str, Any]:
    return {
        "rrset_name": "@" if found[0].name == zone else found[0].name.removesuffix(f".{zone}"),
        "rrset_type": found[0].type,
        "rrset_ttl": found[0].ttl,
        "rrset_values": [quoted(row.value) if row.type == "TXT" else row.value for row in found],
    }


def put(state: DnsState, call: Call) -> Reply:
    sent = call.json
    assert set(sent) == {"rrset_ttl", "rrset_values"}
    assert 300 <= sent["rrset_ttl"] <= 2592000
    assert sent["rrset_values"]
    zone, name, type_ = place(call)
    values = [unquoted(value) if type_ == "TXT" else value for value in sent["rrset_values"]]
    state.replace(zone, name, type_, values, sent["rrset_ttl"])
    return 201, {"message": "DNS Record Created"}


def delete(state: DnsState, call: Call) -> Reply:
    assert not call.body
    state.replace(*place(call), [])
    return 204, None
