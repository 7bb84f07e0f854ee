"""One token: what it carries and sees, and ending it."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from organizations.models import Membership
from organizations.pages import ActionView
from tokens.actions import revoke_token
from tokens.models import Token, TokenCaller
from tokens.resources import NAMES, choices
from tokens.views.base import TokenPage
from tokens.views.secret import take_secret
from tokens.vocabularies import VOCABULARIES, opened

LATEST_CALLERS = 25


class Word(NamedTuple):
    """A word that a token carries, what it means, and the abilities that it opens to the token's maker."""

    text: str
    meaning: str
    abilities: Sequence[str]


@method_decorator(never_cache, name="dispatch")
class TokenDetail(TokenPage):
    tab = "overview"
    template_name = "tokens/detail.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self.show(
            words=self.words(),
            limits=self.limits(),
            replaced=self.replaced,
            callers=self.callers(),
            **take_secret(request),
        )

    def words(self) -> list[Word]:
        token = self.token
        role = Membership.objects.get(organization=token.organization_id, user=token.user_id).role
        texts = VOCABULARIES[token.prefix].texts
        return [Word(word, texts.get(word, ""), sorted(opened(token.prefix, (word,), role))) for word in token.grants]

    def limits(self) -> dict[str, list[str]]:
        """The names of all that the token sees, by what they are; nothing where it sees the whole organization."""
        limits = self.token.resources or {}
        return {
            name: [label for pk, label in choices(self.actor, name) if pk in limits[name]]
            for name in NAMES
            if limits.get(name)
        }

    @property
    def replaced(self) -> Token | None:
        """The key of which the secret was rotated, seen from itself and from the one that took its place."""
        token = self.token
        if token.successor:
            return token
        predecessor: Token | None = getattr(token, "predecessor", None)
        return predecessor if predecessor and not predecessor.revoked_at else None

    def callers(self) -> QuerySet[TokenCaller]:
        """Who used the old secret after another took its place, the latest first."""
        old = self.replaced
        if old is None or old.successor is None:
            return TokenCaller.objects.none()
        return old.callers.filter(last_at__gte=old.successor.created_at).order_by("-last_at")[:LATEST_CALLERS]


class RevokeToken(TokenPage, ActionView):
    http_method_names = ["get", "post"]
    template_name = "tokens/revoke.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        own = self.token.user_id == self.user.pk
        return self.show(may_revoke=own or self.actor.can("token:delete"))

    @property
    def confirmation(self) -> str:
        return self.token.name

    def perform(self) -> str:
        revoke_token(self.actor, token=self.token)
        return f"The {self.pages.noun} {self.token.name} is revoked."

    def get_success_url(self) -> str:
        return reverse(self.pages.listing)
