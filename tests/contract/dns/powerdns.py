"""PowerDNS, as its documentation describes it; tests/lab asks a real one."""

from typing import Any

from providers.contracts.dns import EDIT, READ
from providers.contracts.zone_file import quoted, unquoted
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

# PowerDNS keeps no version of a set.
LAST_WRITER_WINS = True
# One key opens the whole server.
UNDENIABLE = (READ, EDIT)
VALUES = {"base_url": "https://ns1.example.com:8081/", "api_key": "k" * 20, "server_id": "localhost"}
ERROR = {"error": "Unauthorized"}


def state() -> DnsState:
    return DnsState(zones={name: f"{name}." for name in ("example.com", "shop.example.com")})


def vendors(state: DnsState) -> list[Vendor]:
    vendor = Vendor("https://ns1.example.com:8081/api/v1/servers/localhost", is_signed)
    vendor.on("GET", "/zones", lambda call: zones(state, call))
    vendor.on("GET", "/zones/([^/]+)", lambda call: zone(state, call))
    vendor.on("PATCH", "/zones/([^/]+)", lambda call: patch(state, call))
    return [vendor]


def is_signed(call: Call) -> bool:
    return call.headers["X-API-Key"] == VALUES["api_key"]


def zones(state: DnsState, call: Call) -> Reply:
    wanted = call.query.get("zone")
    return 200, [{"id": pk, "name": f"{name}."} for name, pk in state.zones.items() if wanted in (None, f"{name}.")]


def zone(state: DnsState, call: Call) -> Reply:
    return 200, {"rrsets": [shown(*each) for each in state.sets(state.name_of(call.groups[0]))]}


def shown(name: str, type_: str, rows: list[Row]) -> dict[str, Any]:
    texts = [quoted(row.value) if type_ == "TXT" else row.value for row in rows]
    records = [{"content": text, "disabled": False} for text in texts]
    return {"name": f"{name}.", "type": type_, "ttl": rows[0].ttl, "records": records}


def patch(state: DnsState, call: Call) -> Reply:
    for change in call.json["rrsets"]:
        name, type_, values = change["name"].rstrip("."), change["type"], change.get("records", [])
        assert (change["changetype"] == "REPLACE") == bool(values)
        texts = [unquoted(record["content"]) for record in values]
        state.replace(state.name_of(call.groups[0]), name, type_, texts, change.get("ttl", 0))
    return 204, None
