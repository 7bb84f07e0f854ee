"""The signed address at which a provider asks the owner of a domain for consent."""

from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from domains.domain_connect.keys import key_name, sign
from domains.domain_connect.template import SERVICE_ID, variables_of
from domains.models import Connection


def apply_address(connection: Connection, state: str) -> str:
    """The specification, section "Apply Template". The signature is over all that stands before it. Raises Unfit."""
    variables = variables_of(connection.records.all())
    query = encoded(
        {
            **variables,
            "domain": connection.apex,
            "host": connection.domain.removesuffix(connection.apex).rstrip("."),
            "groupId": ",".join(variables),
            "redirect_uri": settings.BASE_URL + reverse("connection_return"),
            "state": state,
        }
    )
    signature = encoded({"sig": sign(query), "key": key_name()})
    own = f"providers/{quote(settings.DOMAIN_CONNECT_PROVIDER_ID, safe='')}/services/{SERVICE_ID}"
    return f"{connection.sync_url}/v2/domainTemplates/{own}/apply?{query}&{signature}"


def encoded(parameters: dict[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="")
