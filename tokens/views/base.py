"""What the pages of all kinds of token share."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.functional import cached_property

from organizations.pages import PageMixin
from tokens.models import ApiKey, Kind, Token, TokenQuerySet


@dataclass(frozen=True, slots=True)
class KindPages:
    """Where tokens of a kind are listed, made and revoked, by URL name, and what they are called there."""

    title: str
    noun: str
    listing: str
    creation: str
    revocation: str


KIND_PAGES: Mapping[str, KindPages] = MappingProxyType(
    {
        Kind.PERSONAL: KindPages("API Tokens", "token", "settings_tokens", "token_create", "tokens_revoke"),
        Kind.API_KEY: KindPages("API Keys", "API key", "settings_api_keys", "api_key_create", "api_keys_revoke"),
        Kind.ACCESS: KindPages(
            "Access Tokens", "access token", "settings_access_tokens", "access_token_create", "access_tokens_revoke"
        ),
    }
)


class TokenPage(PageMixin):
    """What all pages of one token share. A person's own token is theirs to see; the rest need token:read."""

    model: ClassVar[type[Token]] = Token
    tab = ""
    template_name = ""

    @cached_property
    def token(self) -> Token:
        token = get_object_or_404(self.rows().select_related("user", "successor", "predecessor"), pk=self.kwargs["pk"])
        if token.kind != Kind.PERSONAL:
            self.actor.require("token:read")
        return token

    def rows(self) -> TokenQuerySet:
        return self.model.objects.shown_to(self.actor).unrevoked()

    @property
    def pages(self) -> KindPages:
        return KIND_PAGES[self.token.kind]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parent = getattr(super(), "get_context_data", dict)
        rail = reverse(self.pages.listing)
        context: dict[str, Any] = parent(token=self.token, pages=self.pages, tab=self.tab, rail=rail, **kwargs)
        return context

    def show(self, **context: Any) -> HttpResponse:
        return render(self.request, self.template_name, self.get_context_data(**context))


class ApiKeyPage(TokenPage):
    """A page that changes an API key."""

    ability = "token:update"
    model = ApiKey

    @property
    def key(self) -> ApiKey:
        return cast(ApiKey, self.token)
