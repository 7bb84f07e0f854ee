"""Changing an API key, and giving it a new secret."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from organizations.pages import ActionFormView, ActionView
from tokens.actions import close_rotation, rotate_api_key, update_api_key
from tokens.forms.api_keys import ApiKeyChangeForm
from tokens.models import ApiKey
from tokens.views.base import ApiKeyPage
from tokens.views.secret import keep_secret


class EditApiKey(ApiKeyPage, ActionFormView):
    template_name = "tokens/edit_api_key.html"
    form_class = ApiKeyChangeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        kwargs.pop("initial")
        return kwargs | {"actor": self.actor, "key": self.key}

    def perform(self, form: ApiKeyChangeForm) -> HttpResponse:  # type: ignore[override]
        key = update_api_key(self.actor, key=self.key, **form.changes)
        messages.success(self.request, "The API key is saved.")
        return redirect("token_detail", key.pk)


class SwitchApiKey(ApiKeyPage, ActionView):
    """`active` in the address' pattern says to which side."""

    def perform(self) -> str:
        key = update_api_key(self.actor, key=self.key, active=self.kwargs["active"])
        return f"The API key {key.name} is switched {'on' if key.is_active else 'off'}."

    def get_success_url(self) -> str:
        return reverse("token_detail", args=[self.key.pk])


class RotateApiKey(ApiKeyPage, ActionView):
    """Leads to the page of the new key, which shows its text."""

    http_method_names = ["get", "post"]
    template_name = "tokens/rotate.html"
    new: ApiKey | None = None

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self.show()

    def perform(self) -> str:
        self.new, text = rotate_api_key(self.actor, key=self.key)
        keep_secret(self.request, text)
        return f"The API key {self.key.name} is rotated. The old secret works until its grace period is over."

    def get_success_url(self) -> str:
        return reverse("token_detail", args=[(self.new or self.key).pk])


class CloseRotation(ApiKeyPage, ActionView):
    """Ends the secret of a key that was rotated."""

    def perform(self) -> str:
        close_rotation(self.actor, key=self.key)
        return f"The old secret of {self.key.name} is ended."

    def get_success_url(self) -> str:
        new = self.key.successor
        return reverse("token_detail", args=[new.pk]) if new and not new.revoked_at else reverse(self.pages.listing)
