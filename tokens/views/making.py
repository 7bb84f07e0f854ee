"""Making a token of each kind."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.urls import reverse

from organizations.pages import ActionFormView
from tokens.actions import create_access_token, create_api_key, create_token
from tokens.forms.access_tokens import AccessTokenForm
from tokens.forms.api_keys import ApiKeyForm
from tokens.forms.personal import TokenForm
from tokens.models import Kind, Token
from tokens.views.base import KIND_PAGES
from tokens.views.secret import keep_secret


class NewTokenView(ActionFormView):
    """The form of a kind, whose `wanted` is what `create` takes. The list that follows shows the text of the token."""

    kind: ClassVar[Kind]
    create: ClassVar[Callable[..., tuple[Token, str]]]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = self.actor.organization.plan_details
        return super().get_context_data(pages=KIND_PAGES[self.kind], plan=plan, **kwargs)

    def perform(self, form: Any) -> None:
        _, text = self.create(self.actor, **form.wanted)
        keep_secret(self.request, text)

    def get_success_url(self) -> str:
        return reverse(KIND_PAGES[self.kind].listing)


class NewPersonalToken(NewTokenView):
    kind = Kind.PERSONAL
    template_name = "tokens/new_personal_token.html"
    form_class = TokenForm
    create = staticmethod(create_token)


class NewApiKey(NewTokenView):
    ability = "token:create"
    kind = Kind.API_KEY
    template_name = "tokens/new_api_key.html"
    form_class = ApiKeyForm
    create = staticmethod(create_api_key)


class NewAccessToken(NewTokenView):
    ability = "token:create"
    kind = Kind.ACCESS
    template_name = "tokens/new_access_token.html"
    form_class = AccessTokenForm
    create = staticmethod(create_access_token)
