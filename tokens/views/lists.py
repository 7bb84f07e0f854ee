"""Settings > API Tokens, > API Keys and > Access Tokens."""

from typing import Any, ClassVar, cast

from django.db.models import Value
from django.db.models.functions import Concat
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from organizations.pages import ListPage
from tokens.models import KEY_ID_PREFIX, AccessToken, ApiKey, Kind, PersonalToken, Token, TokenQuerySet
from tokens.views.base import KIND_PAGES
from tokens.views.secret import take_secret


def _listed(tokens: TokenQuerySet) -> TokenQuerySet:
    """Those that are not revoked, with `ids`: each form in which an id is written somewhere."""
    ids = Concat(Value(KEY_ID_PREFIX), "public_id", Value(" "), "prefix", "public_id")
    return tokens.unrevoked().select_related("user").alias(ids=ids)


@method_decorator(never_cache, name="dispatch")
class TokenList(ListPage[Token]):
    """The tokens of one kind that the actor may see. The text of a new one is shown here, once."""

    kind: ClassVar[Kind]
    search_fields = ("name", "description", "ids", "user__name", "user__email")

    def get_queryset(self) -> TokenQuerySet:
        return cast(TokenQuerySet, super().get_queryset()).shown_to(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            pages=KIND_PAGES[self.kind],
            plan=self.actor.organization.plan_details,
            **take_secret(self.request),
            **kwargs,
        )


class PersonalTokenList(TokenList):
    kind = Kind.PERSONAL
    queryset = _listed(PersonalToken.objects.all())
    template_name = "tokens/personal_tokens.html"


class ApiKeyList(TokenList):
    kind = Kind.API_KEY
    ability = "token:read"
    queryset = _listed(ApiKey.objects.all())
    template_name = "tokens/api_keys.html"


class AccessTokenList(TokenList):
    kind = Kind.ACCESS
    ability = "token:read"
    queryset = _listed(AccessToken.objects.all())
    template_name = "tokens/access_tokens.html"
