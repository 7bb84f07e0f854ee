"""Azure DNS and Entra's token endpoint, as their documentation describes them. The bodies of 401 and 403 are made up
after what people report."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from providers.contracts.dns import EDIT, READ
from providers.dns.azuredns import AzureDns
from tests.contract.state import DnsState, Row
from tests.contract.vendor import Call, Reply, Vendor

VALUES = {
    "tenant_id": "11111111-2222-3333-4444-555555555555",
    "client_id": "66666666-7777-8888-9999-000000000000",
    "client_secret": "Abc8Q~secret",
    "subscription_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "resource_group": "web dns",
}
ONE_STRING = json.dumps(VALUES)
ACCESS_TOKEN = "eyJ0.access"
ZONES = f"/subscriptions/{VALUES['subscription_id']}/resourceGroups/web%20dns/providers/Microsoft.Network/dnsZones"
SETS = f"{ZONES}/([^/]+)/([A-Z]+)/([^/]+)"


def error(status: int, code: str, message: str) -> Reply:
    return status, {"error": {"code": code, "message": message}}


ERROR = error(401, "InvalidAuthenticationToken", "The access token is invalid.")[1]


def vendors(state: DnsState) -> list[Vendor]:
    door = Vendor(f"https://login.microsoftonline.com/{VALUES['tenant_id']}", is_granted)
    door.on(
        "POST", "/oauth2/v2.0/token", (200, {"token_type": "Bearer", "expires_in": 3599, "access_token": ACCESS_TOKEN})
    )
    vendor = Vendor(AzureDns.base_url, is_signed, "azuredns")
    vendor.on("GET", ZONES, lambda call: refused(state, READ) or zones(state, call))
    vendor.on("GET", f"{ZONES}/([^/]+)", lambda call: refused(state, READ) or zone(state, call))
    vendor.on("GET", f"{ZONES}/([^/]+)/([A-Z]+)", lambda call: refused(state, EDIT) or sets(state, call))
    vendor.on("GET", SETS, lambda call: refused(state, EDIT) or get(state, call))
    vendor.on("PUT", SETS, lambda call: refused(state, EDIT) or put(state, call))
    vendor.on("DELETE", SETS, lambda call: refused(state, EDIT) or delete(state, call))
    return [vendor, door]


def is_granted(call: Call) -> bool:
    body = call.body if isinstance(call.body, str) else call.body.decode()
    return parse_qs(body) == {
        "grant_type": ["client_credentials"],
        "client_id": [VALUES["client_id"]],
        "client_secret": [VALUES["client_secret"]],
        "scope": ["https://management.azure.com/.default"],
    }


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}" and call.query["api-version"] == "2018-05-01"


def refused(state: DnsState, permission: str) -> Reply | None:
    message = "The client does not have authorization to perform action."
    return error(403, "AuthorizationFailed", message) if permission in state.denied else None


def shown_zone(name: str) -> dict[str, Any]:
    return {"name": name, "type": "Microsoft.Network/dnszones", "etag": "1", "location": "global", "properties": {}}


def zones(state: DnsState, call: Call) -> Reply:
    """One to a page."""
    return page(call, [shown_zone(name) for name in sorted(state.zones)])


def page(call: Call, items: list[dict[str, Any]]) -> Reply:
    start = int(call.query.get("$skipToken", 0))
    link = f"{AzureDns.base_url}{call.path}?api-version=2018-05-01&{quote('$skipToken')}={start + 1}"
    more = {"nextLink": link} if start + 1 < len(items) else {}
    return 200, {"value": items[start : start + 1], **more}


def sets(state: DnsState, call: Call) -> Reply:
    zone, type_ = call.groups
    found = [rows for _, each, rows in state.sets(zone) if each == type_]
    return page(call, [shown_set(zone, rows) for rows in found])


def zone(state: DnsState, call: Call) -> Reply:
    name = call.groups[0]
    if name in state.zones:
        return 200, shown_zone(name)
    return error(404, "ResourceNotFound", f"The Resource 'Microsoft.Network/dnszones/{name}' was not found.")


def place(call: Call) -> tuple[str, str, str]:
    """Of a record set: its zone, name and type."""
    zone, type_, label = (unquote(group) for group in call.groups)
    return zone, zone if label == "@" else f"{label}.{zone}", type_


def shown(state: DnsState, call: Call) -> dict[str, Any] | None:
    found = state.found(*place(call))
    return shown_set(call.groups[0], found) if found else None


def shown_set(zone: str, found: list[Row]) -> dict[str, Any]:
    values = [row.value for row in found]
    forms: dict[str, dict[str, Any]] = {
        "A": {"ARecords": [{"ipv4Address": value} for value in values]},
        "AAAA": {"AAAARecords": [{"ipv6Address": value} for value in values]},
        "TXT": {"TXTRecords": [{"value": [value]} for value in values]},
        "CNAME": {"CNAMERecord": {"cname": values[0]}},
    }
    etag = hashlib.sha256(json.dumps([values, found[0].ttl]).encode()).hexdigest()
    label = "@" if found[0].name == zone else found[0].name.removesuffix(f".{zone}")
    properties = {"TTL": found[0].ttl, "metadata": {}, **forms[found[0].type]}
    return {"etag": etag, "name": label, "properties": properties}


def get(state: DnsState, call: Call) -> Reply:
    found = shown(state, call)
    return (200, found) if found else error(404, "NotFound", "The resource record does not exist.")


def is_stale(call: Call, found: dict[str, Any] | None) -> bool:
    if call.headers.get("If-None-Match") == "*":
        return found is not None
    return "If-Match" in call.headers and (found is None or found["etag"] != call.headers["If-Match"])


def put(state: DnsState, call: Call) -> Reply:
    if is_stale(call, shown(state, call)):
        return error(412, "PreconditionFailed", "The condition set in the request was not met.")
    sent = call.json["properties"]
    values = [
        *(row["ipv4Address"] for row in sent.get("ARecords", [])),
        *(row["ipv6Address"] for row in sent.get("AAAARecords", [])),
        *("".join(row["value"]) for row in sent.get("TXTRecords", [])),
        *([sent["CNAMERecord"]["cname"]] if "CNAMERecord" in sent else []),
    ]
    zone, name, type_ = place(call)
    state.replace(zone, name, type_, values, sent["TTL"])
    return 200, shown(state, call)


def delete(state: DnsState, call: Call) -> Reply:
    found = shown(state, call)
    if found is None:
        return 204, None
    if is_stale(call, found):
        return error(412, "PreconditionFailed", "The condition set in the request was not met.")
    state.replace(*place(call), [])
    return 200, None
