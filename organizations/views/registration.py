"""Signing up: as the first user, freely where registration is open, or by an invitation."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.decorators import rate_limit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.actions import registration_is_open
from accounts.models import User
from deploynix.client import client_ip
from organizations.actions import accept_invitation, open_invitation, register, register_invited
from organizations.forms import InvitedSignUpForm, SignUpForm
from organizations.middleware import SESSION_KEY
from organizations.models import Invitation, Membership
from organizations.pages import FormErrorsMixin

_guarded = method_decorator(
    [never_cache, sensitive_post_parameters("password"), rate_limit(action="signup")], name="dispatch"
)


@_guarded
class SignUpView(FormErrorsMixin[SignUpForm]):
    template_name = "account/signup.html"
    form_class = SignUpForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect("dashboard")
        if not registration_is_open():
            return render(request, "account/signup_closed.html", status=403)
        return super().dispatch(request, *args, **kwargs)

    def perform(self, form: SignUpForm) -> HttpResponse:
        return _signed_in(self.request, register(**form.cleaned_data, ip=client_ip(self.request)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(is_first=not User.objects.exists(), **kwargs)


@_guarded
class InvitationView(FormErrorsMixin[forms.Form]):
    """The page behind an invitation's link: accepts it, after signing in or up where that is needed."""

    template_name = "organizations/invitation.html"
    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.invitation = open_invitation(kwargs["secret"])
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> type[forms.Form]:
        return forms.Form if self.request.user.is_authenticated else InvitedSignUpForm

    def perform(self, form: forms.Form) -> HttpResponse:
        secret, ip, user = self.kwargs["secret"], client_ip(self.request), self.request.user
        if not user.is_authenticated:
            return _signed_in(self.request, register_invited(secret=secret, ip=ip, **form.cleaned_data))
        return _entered(self.request, accept_invitation(user, secret=secret, ip=ip))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sign_in = f"{reverse('account_login')}?{urlencode({'next': self.request.path})}"
        return super().get_context_data(
            invitation=self.invitation,
            has_account=User.objects.filter(email=self.invitation.email).exists(),
            is_other=self.request.user.is_authenticated and self.request.user.email != self.invitation.email,
            sign_in_url=sign_in,
            **kwargs,
        )


def _signed_in(request: HttpRequest, membership: Membership) -> HttpResponse:
    get_adapter().login(request, membership.user)
    return _entered(request, membership)


def _entered(request: HttpRequest, membership: Membership) -> HttpResponse:
    request.session[SESSION_KEY] = membership.organization_id
    messages.success(request, f"Welcome to {membership.organization}.")
    return redirect("dashboard")
