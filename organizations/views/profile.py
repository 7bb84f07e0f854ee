"""The signed-in person's own page."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from django.contrib import messages

from accounts.actions import change_name
from organizations.forms import NameForm
from organizations.pages import ActionFormView


class ProfileView(ActionFormView):
    template_name = "account/profile.html"
    form_class = NameForm

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.user.name}

    def perform(self, form: NameForm) -> None:  # type: ignore[override]
        change_name(self.actor, name=form.cleaned_data["name"])
        messages.success(self.request, "Your name is changed.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(has_second_factor=get_adapter().is_mfa_enabled(self.user), **kwargs)
