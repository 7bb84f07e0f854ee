"""Making a token of each kind."""

from typing import Any, ClassVar

from organizations.pages import ActionFormView
from tokens.actions import create_access_token, create_api_key, create_token
from tokens.forms.access_tokens import AccessTokenForm
from tokens.forms.api_keys import ApiKeyForm
from tokens.forms.personal import TokenForm
from tokens.models import Kind
from tokens.views.base import KIND_PAGES
from tokens.views.secret import keep_secret


class NewTokenView(ActionFormView):
    """The form of a kind; the list that follows shows the text of what was made."""

    kind: ClassVar[Kind]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = self.actor.organization.plan_details
        return super().get_context_data(pages=KIND_PAGES[self.kind], plan=plan, **kwargs)


class NewPersonalToken(NewTokenView):
    kind = Kind.PERSONAL
    template_name = "tokens/new_personal_token.html"
    form_class = TokenForm
    success_url = "settings_tokens"

    def perform(self, form: TokenForm) -> None:  # type: ignore[override]
        _, text = create_token(self.actor, **form.wanted)
        keep_secret(self.request, text)


class NewApiKey(NewTokenView):
    ability = "token:create"
    kind = Kind.API_KEY
    template_name = "tokens/new_api_key.html"
    form_class = ApiKeyForm
    success_url = "settings_api_keys"

    def perform(self, form: ApiKeyForm) -> None:  # type: ignore[override]
        _, text = create_api_key(self.actor, **form.wanted)
        keep_secret(self.request, text)


class NewAccessToken(NewTokenView):
    ability = "token:create"
    kind = Kind.ACCESS
    template_name = "tokens/new_access_token.html"
    form_class = AccessTokenForm
    success_url = "settings_access_tokens"

    def perform(self, form: AccessTokenForm) -> None:  # type: ignore[override]
        _, text = create_access_token(self.actor, **form.wanted)
        keep_secret(self.request, text)
