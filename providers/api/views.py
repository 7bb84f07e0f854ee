"""The providers that can be connected, and what clouds offer."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest

from deploynix.api.exceptions import NotFound
from deploynix.api.operations import operation
from deploynix.api.views import Response
from providers import catalogue
from providers.api.base import FAILURES, CredentialView
from providers.api.lists import Items
from providers.api.serializers import (
    ChosenQuery,
    ImageOutput,
    ProviderOutput,
    ProviderQuery,
    RegionalQuery,
    RegionOutput,
    SizeOutput,
)
from providers.base import Field, Kind, Provider
from providers.models import Credential
from providers.registry import providers_of


class Providers(CredentialView):
    abilities = {"GET": "provider:read"}

    @operation("List providers", query=ProviderQuery, page=ProviderOutput)
    def get(self, request: HttpRequest) -> Response:
        """Clouds, if `kind` does not say otherwise; with all that a form needs to ask for a credential."""
        kind = Kind(self.query(ProviderQuery)["kind"])
        return self._page(Items([declared(provider) for provider in providers_of(kind).values()]))


class CatalogueView(CredentialView):
    """What a cloud offers to the owner of a credential."""

    def cloud(self, provider: str, query: dict[str, Any]) -> Credential:
        if provider not in providers_of(Kind.SERVER):
            raise NotFound
        return self.chosen(query.get("credential", ""), kind=Kind.SERVER, provider=provider)


class Regions(CatalogueView):
    abilities = {"GET": "provider:read"}

    @operation("List the regions of a provider", query=ChosenQuery, page=RegionOutput, others=FAILURES)
    def get(self, request: HttpRequest, provider: str) -> Response:
        """Remembered for five minutes, as sizes and images are."""
        credential = self.cloud(provider, self.query(ChosenQuery))
        return self._page(Items(catalogue.regions(credential)))


class Sizes(CatalogueView):
    abilities = {"GET": "provider:read"}

    @operation("List the sizes of a provider", query=RegionalQuery, page=SizeOutput, others=FAILURES)
    def get(self, request: HttpRequest, provider: str) -> Response:
        """Those that can be had in the region now, the cheapest first."""
        query = self.query(RegionalQuery)
        return self._page(Items(catalogue.sizes(self.cloud(provider, query), query.get("region", ""))))


class Images(CatalogueView):
    abilities = {"GET": "provider:read"}

    @operation("List the images of a provider", query=RegionalQuery, page=ImageOutput, others=FAILURES)
    def get(self, request: HttpRequest, provider: str) -> Response:
        """The systems that Deploynix can provision, newest first."""
        query = self.query(RegionalQuery)
        return self._page(Items(catalogue.images(self.cloud(provider, query), query.get("region", ""))))


def declared(provider: type[Provider]) -> dict[str, Any]:
    """The declaration as the API shows it."""
    plain = {name: getattr(provider, name) for name in ("label", "credential", "console_url")}
    lists = {name: list(getattr(provider, name)) for name in ("used_for", "steps", "gates", "notes")}
    return {
        "provider": provider.key,
        "kind": provider.kind.value,
        **plain,
        "fields": [_field(field) for field in provider.fields],
        "permissions": [asdict(permission) for permission in provider.permissions],
        **lists,
    }


def _field(field: Field) -> dict[str, Any]:
    shown = asdict(field) | {"choices": [{"value": value, "label": label} for value, label in field.choices]}
    for how_pages_ask in ("is_long", "changes_with_secret"):
        del shown[how_pages_ask]
    return shown
