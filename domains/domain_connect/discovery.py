"""Whether the provider of a zone offers Domain Connect, and knows our template."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from deploynix.errors import Error
from deploynix.http import Client
from domains import lookup
from domains.domain_connect.template import NOT_SET_UP, SERVICE_ID

LABEL = "_domainconnect"
SCHEME = "https"
LARGEST_ANSWER, LONGEST_ADDRESS = 256 * 1024, 500
# A host, and maybe a port and a path; what a zone says must not lead anywhere else.
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~-]+)*", re.IGNORECASE)


class NotOffered(Error):
    """The domain cannot be connected in this way."""

    status = 409
    code = "domain_connect_not_offered"

    def __init__(self, message: str) -> None:
        super().__init__(message, "Connect the domain in another way.")


@dataclass(frozen=True, slots=True)
class Offer:
    """`sync_url` is where people are sent, `apex` the zone that will be written."""

    provider: str
    sync_url: str
    apex: str


def is_set_up() -> bool:
    return bool(settings.DOMAIN_CONNECT_PROVIDER_ID)


def discover(authority: lookup.Authority) -> Offer:
    """Asks the zone, then its provider. Raises NotOffered, Unreachable and Refused."""
    if not is_set_up():
        raise NotOffered(NOT_SET_UP)
    client = Client(largest=LARGEST_ANSWER)
    said = _settings(client, _host_of(authority), authority.zone)
    name = str(said.get("providerDisplayName") or said.get("providerName") or "The DNS provider")[:100]
    sync_url, api = str(said.get("urlSyncUX", "")), str(said.get("urlAPI", ""))
    if not _is_address(sync_url) or not _is_address(api):
        raise NotOffered(f"{name} offers no Domain Connect that people can be sent to.")
    _require_template(client, api, name)
    return Offer(name, sync_url.rstrip("/"), authority.zone)


def _host_of(authority: lookup.Authority) -> str:
    answers = lookup.answers(authority, f"{LABEL}.{authority.zone}", "TXT")
    host = next((value for answer in answers for value in answer.values or ()), "")
    if not _HOST.fullmatch(host):
        raise NotOffered(f"The DNS provider of {authority.zone} does not offer Domain Connect.")
    return host


def _settings(client: Client, host: str, zone: str) -> dict[str, Any]:
    answer = client.send("GET", f"{SCHEME}://{host}/v2/{zone}/settings")
    try:
        found = answer.json() if answer.is_ok else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotOffered(f"{host} does not offer Domain Connect for {zone}.")
    return found


def _require_template(client: Client, api: str, provider: str) -> None:
    own = f"providers/{quote(settings.DOMAIN_CONNECT_PROVIDER_ID, safe='')}/services/{SERVICE_ID}"
    answer = client.send("GET", f"{api.rstrip('/')}/v2/domainTemplates/{own}")
    if not answer.is_ok:
        raise NotOffered(f"{provider} does not know the template of this install.")


def _is_address(url: str) -> bool:
    """A plain address at a host: anybody can write into a zone what stands in its settings."""
    if len(url) > LONGEST_ADDRESS:
        return False
    try:
        parts = urlsplit(url)
        is_plain = "@" not in parts.netloc and not parts.query + parts.fragment
        return parts.scheme == SCHEME and bool(parts.hostname) and is_plain
    except ValueError:
        return False
