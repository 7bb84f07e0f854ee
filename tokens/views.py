"""Settings > API Tokens."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache

from deploynix.fields import fernet
from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin
from tokens.actions import create_token, revoke_token
from tokens.forms import TokenForm
from tokens.models import Token

# Holds the text of a new token, encrypted, until the next page has shown it.
NEW_TOKEN = "new_token"  # noqa: S105 -- the name of a session key


@method_decorator(never_cache, name="dispatch")
class TokensView(ListPage[Token]):
    model = Token
    template_name = "tokens/tokens.html"
    search_fields = ("name", "public_id", "user__name", "user__email")

    def get_queryset(self) -> QuerySet[Token]:
        shown = Token.objects.shown_to(self.actor).filter(revoked_at=None).select_related("user")
        return super().get_queryset() & shown

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            plan=self.actor.organization.plan_details,
            **_how_to_use(self.request, _taken_secret(self.request)),
            **kwargs,
        )


class NewTokenView(ActionFormView):
    template_name = "tokens/new.html"
    form_class = TokenForm
    success_url = "settings_tokens"

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor}

    def perform(self, form: TokenForm) -> None:  # type: ignore[override]
        _, text = create_token(self.actor, **form.wanted)
        self.request.session[NEW_TOKEN] = fernet().encrypt(text.encode()).decode()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(plan=self.actor.organization.plan_details, **kwargs)


class TokenMixin(PageMixin):
    @cached_property
    def token(self) -> Token:
        rows = Token.objects.shown_to(self.actor).filter(revoked_at=None).select_related("user")
        return get_object_or_404(rows, pk=self.kwargs["pk"])


class TokenView(TokenMixin):
    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        own = self.token.user_id == self.user.pk
        context = {"token": self.token, "may_revoke": own or self.actor.can("token:delete")}
        return render(request, "tokens/token.html", context)


class RevokeTokenView(TokenMixin, ActionView):
    success_url = "settings_tokens"

    @property
    def confirmation(self) -> str:
        return self.token.name

    def perform(self) -> str:
        revoke_token(self.actor, token=self.token)
        return f"The token {self.token.name} is revoked."


def _how_to_use(request: HttpRequest, token: str) -> dict[str, str]:
    """The header line that the token is sent in, and a command that works right away; nothing without a token."""
    if not token:
        return {}
    header = f"Authorization: Bearer {token}"
    address = request.build_absolute_uri("/api/v1/user")
    return {"header": header, "curl": f'curl {address} -H "{header}" -H "Accept: application/json"'}


def _taken_secret(request: HttpRequest) -> str:
    """The text of the token that was just made; it is there for one page only."""
    kept = request.session.pop(NEW_TOKEN, "")
    return fernet().decrypt(kept).decode() if kept else ""
