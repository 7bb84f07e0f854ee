"""Google Cloud DNS and its token endpoint, as their documentation and recorded answers describe them."""

import json
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from providers.contracts.dns import EDIT, READ
from providers.dns.gcpdns import SCOPE, GoogleCloudDns
from tests.contract.state import DnsState
from tests.contract.vendor import Call, Reply, Vendor

KEY = generate_private_key(65537, 2048)
ACCOUNT = {
    "type": "service_account",
    "project_id": "acme-web",
    "private_key_id": "5f0c",
    "private_key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "client_email": "deploynix@acme-web.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}
VALUES = {"key_file": json.dumps(ACCOUNT), "managed_zone": ""}
ONE_STRING = json.dumps({**ACCOUNT, "managed_zone": "zone-1"})
ACCESS_TOKEN = "ya29.access"
ZONES = "/projects/acme-web/managedZones"


def error(status: int, message: str, reason: str) -> Reply:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return status, {"error": {"code": status, "message": message, "errors": errors}}


ERROR = error(401, "Request had invalid authentication credentials.", "authError")[1]


def vendors(state: DnsState) -> list[Vendor]:
    door = Vendor("https://oauth2.googleapis.com", is_asserted)
    door.on("POST", "/token", (200, {"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"}))
    vendor = Vendor(GoogleCloudDns.base_url, is_signed, "gcpdns")
    vendor.on("GET", ZONES, lambda call: refused(state, READ) or zones(state, call))
    vendor.on("GET", f"{ZONES}/([^/]+)", lambda call: refused(state, READ) or zone(state, call))
    vendor.on("GET", f"{ZONES}/([^/]+)/rrsets", lambda call: refused(state, READ) or sets(state, call))
    vendor.on("POST", f"{ZONES}/([^/]+)/changes", lambda call: refused(state, EDIT) or change(state, call))
    return [vendor, door]


def is_asserted(call: Call) -> bool:
    """Raises InvalidSignature."""
    form = parse_qs(call.body if isinstance(call.body, str) else call.body.decode())
    signed, _, signature = form["assertion"][0].rpartition(".")
    KEY.public_key().verify(decoded(signature), signed.encode(), PKCS1v15(), SHA256())
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    return (
        form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        and header == {"alg": "RS256", "typ": "JWT", "kid": "5f0c"}
        and (claims["iss"], claims["scope"], claims["aud"]) == (ACCOUNT["client_email"], SCOPE, ACCOUNT["token_uri"])
        and claims["exp"] - claims["iat"] <= 3600
    )


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_signed(call: Call) -> bool:
    return call.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"


def refused(state: DnsState, permission: str) -> Reply | None:
    return error(403, "Forbidden", "forbidden") if permission in state.denied else None


def shown_zone(name: str, pk: str, visibility: str = "public") -> dict[str, str]:
    return {"kind": "dns#managedZone", "id": "1", "name": pk, "dnsName": f"{name}.", "visibility": visibility}


def zones(state: DnsState, call: Call) -> Reply:
    """One to a page, and a private one with each name."""
    wanted = call.query.get("dnsName")
    found = [
        shown_zone(name, f"{pk}{visibility}" if visibility == "private" else pk, visibility)
        for name, pk in state.zones.items()
        for visibility in ("private", "public")
        if wanted in (None, f"{name}.")
    ]
    return page(call, "dns#managedZonesListResponse", "managedZones", found)


def page(call: Call, kind: str, key: str, items: list[Any]) -> Reply:
    start = int(call.query.get("pageToken", 0))
    more = {"nextPageToken": str(start + 1)} if start + 1 < len(items) else {}
    return 200, {"kind": kind, key: items[start : start + 1], **more}


def zone(state: DnsState, call: Call) -> Reply:
    for name, pk in state.zones.items():
        if pk == call.groups[0]:
            return 200, shown_zone(name, pk)
    message = f"The 'parameters.managedZone' resource named '{call.groups[0]}' does not exist."
    return error(404, message, "notFound")


def shown(state: DnsState, zone: str, name: str, type: str) -> list[dict[str, Any]]:  # noqa: A002
    found = state.found(zone, name.rstrip("."), type)
    data = [f'"{row.value}"' if type == "TXT" else row.value for row in found]
    return (
        [{"kind": "dns#resourceRecordSet", "name": name, "type": type, "ttl": found[0].ttl, "rrdatas": data}]
        if found
        else []
    )


def sets(state: DnsState, call: Call) -> Reply:
    zone = state.name_of(call.groups[0])
    wanted = call.query.get("name"), call.query.get("type")
    places = [(f"{name}.", type_) for name, type_, _ in state.sets(zone)]
    found = [shown(state, zone, *place)[0] for place in places if wanted in (place, (None, None))]
    return page(call, "dns#resourceRecordSetsListResponse", "rrsets", found)


def change(state: DnsState, call: Call) -> Reply:
    """All of it or nothing."""
    zone, sent = state.name_of(call.groups[0]), call.json
    deletions, additions = sent.get("deletions", []), sent.get("additions", [])
    for each in deletions:
        there = shown(state, zone, each["name"], each["type"])
        if not there:
            return error(404, "The 'entity.change.deletions[0]' resource does not exist.", "notFound")
        if there != [each]:
            return error(412, "Precondition not met for 'entity.change.deletions[0]'", "conditionNotMet")
    for each in additions:
        if not deletions and shown(state, zone, each["name"], each["type"]):
            return error(409, "The 'entity.change.additions[0]' resource already exists.", "alreadyExists")
    for each in deletions:
        state.replace(zone, each["name"].rstrip("."), each["type"], [])
    for each in additions:
        values = [data[1:-1] if each["type"] == "TXT" else data for data in each["rrdatas"]]
        state.replace(zone, each["name"].rstrip("."), each["type"], values, each["ttl"])
    return 200, {"kind": "dns#change", "id": "37", "status": "pending", **sent}
