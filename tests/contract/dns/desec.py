"""deSEC, as https://desec.readthedocs.io/en/latest/dns/rrsets.html describes it. There is no description of it for
machines: what may be sent is written down here.
"""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from providers.dns.desec import Desec
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

# An update says what is to be there, whatever was there.
LAST_WRITER_WINS = True
VALUES = {"token": "d" * 28}
ERROR = {"detail": "Invalid token."}
# Every token reads all domains of its account.
UNDENIABLE = (READ,)
MINIMUM_TTL = 3600


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor(Desec.base_url, is_signed)
    vendor.on("GET", "/domains/", lambda call: domains(state, call))
    vendor.on("GET", "/domains/([^/]+)/", lambda call: domain(state, call))
    vendor.on("GET", "/domains/([^/]+)/rrsets/", lambda call: record_sets(state, call))
    vendor.on("GET", "/domains/([^/]+)/rrsets/([^/]+)/([A-Z]+)/", lambda call: record_set(state, call))
    # Its words are made up; the documentation has the code.
    refusal = 403, {"detail": "Insufficient token permissions."}
    vendor.on("PATCH", "/domains/([^/]+)/rrsets/", lambda call: refusal if EDIT in state.denied else patch(state, call))
    vendor.on("GET", "/auth/tokens/", refusal)
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Token {VALUES['token']}"


def domains(state: DnsState, call: Call) -> Reply:
    """A page holds one, so that each listing goes over pages."""
    names = sorted(state.zones)
    place = names.index(call.query["cursor"]) if call.query["cursor"] else 0
    following = names[place + 1 : place + 2]
    links = [f'<{Desec.base_url}/domains/?cursor=>; rel="first"']
    links += [f'<{Desec.base_url}/domains/?cursor={name}>; rel="next"' for name in following]
    return 200, [shown(names[place])], {"Link": ", ".join(links)}


def domain(state: DnsState, call: Call) -> Reply:
    name = call.groups[0]
    return (200, shown(name)) if name in state.zones else (404, {"detail": "Not found."})


def shown(name: str) -> dict[str, Any]:
    return {"name": name, "minimum_ttl": MINIMUM_TTL, "published": "2022-11-12T18:03:19.516440Z"}


def record_set(state: DnsState, call: Call) -> Reply:
    zone, subname, type_ = call.groups
    found = state.found(zone, zone if subname == "@" else f"{subname}.{zone}", type_)
    if not found:
        return 404, {"detail": "Not found."}
    return 200, shown_set(zone, found)


def record_sets(state: DnsState, call: Call) -> Reply:
    """By pages of one, as domains."""
    (zone,), place = call.groups, int(call.query["cursor"] or 0)
    found = [shown_set(zone, rows) for _, _, rows in state.sets(zone)]
    links = [f'<{Desec.base_url}/domains/{zone}/rrsets/?cursor={place + 1}>; rel="next"'] * (place + 1 < len(found))
    return 200, found[place : place + 1], {"Link": ", ".join(links)}


def shown_set(zone: str, found: list[Row]) -> dict[str, Any]:
    subname = "" if found[0].name == zone else found[0].name.removesuffix(f".{zone}")
    records = [quoted(row.value) if row.type == "TXT" else row.value for row in found]
    return {"domain": zone, "subname": subname, "type": found[0].type, "ttl": found[0].ttl, "records": records}


def patch(state: DnsState, call: Call) -> Reply:
    (sent,), zone = call.json, call.groups[0]
    assert set(sent) == {"subname", "type", "ttl", "records"}
    assert sent["subname"] != "@"
    name = f"{sent['subname']}.{zone}" if sent["subname"] else zone
    if sent["ttl"] < MINIMUM_TTL and not state.found(zone, name, sent["type"]):
        return 400, [{"ttl": [f"Ensure this value is greater than or equal to {MINIMUM_TTL}."]}]
    if sent["type"] == "CNAME":
        assert all(record.endswith(".") for record in sent["records"])
    values = [unquoted(record) if sent["type"] == "TXT" else record for record in sent["records"]]
    state.replace(zone, name, sent["type"], values, sent["ttl"])
    return 200, [sent] if values else []
