"""Signing in. Everything else about accounts comes from allauth as it is."""

from typing import Any

from allauth.account.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.actions import registration_is_open
from accounts.models import User


class SignInView(LoginView):  # type: ignore[misc]
    """Before anybody can sign in, somebody has to become the owner."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not User.objects.exists():
            return redirect("account_signup")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"registration_is_open": registration_is_open()}
