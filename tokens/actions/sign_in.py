"""Exchanging an e-mail address and password for a token."""

from collections.abc import Sequence

from allauth.account.adapter import get_adapter
from allauth.core.context import request_context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User
from audit.log import record
from deploynix.actor import Actor
from deploynix.client import client_ip
from deploynix.errors import Invalid
from organizations.actions import register
from organizations.models import Membership
from tokens.actions.personal import create_token
from tokens.models import Token

TOKEN_NAME = "API login"  # noqa: S105 -- what such a token is called


def sign_in(
    request: HttpRequest,
    *,
    email: str,
    password: str,
    otp: str = "",
    organization: str = "",
    abilities: Sequence[str] | None = None,
) -> tuple[Actor, Token, str]:
    """A token for whoever knows the password and, where one is set up, the second factor.

    `organization` is an id or a name; without it, it is the one joined first. The request tells the address that is
    counted and audited. Raises Invalid naming email, otp, organization or `abilities.<position>`.
    """
    # allauth counts wrong passwords and codes for each account, and reads the request where it does so.
    with request_context(request):
        user = _user_with(request, email, password)
        _require_second_factor(user, otp)
    actor = _membership(user, organization).as_actor(client_ip(request))
    with transaction.atomic():
        token, text = create_token(actor, name=TOKEN_NAME, abilities=abilities)
        record(actor, "user.signed-in", user)
    return actor, token, text


@transaction.atomic
def register_with_token(
    *, name: str, email: str, password: str, organization: str, ip: str | None
) -> tuple[Actor, Token, str]:
    """Registers a person with an organization of their own, and makes their first token. Errors as `register`."""
    membership = register(name=name, email=email, password=password, organization=organization, ip=ip)
    actor = membership.as_actor(ip)
    token, text = create_token(actor, name=TOKEN_NAME)
    return actor, token, text


def _user_with(request: HttpRequest, email: str, password: str) -> User:
    try:
        user: User | None = get_adapter().authenticate(request, email=email.strip().lower(), password=password)
    except ValidationError as error:
        raise Invalid({"email": error.messages}) from error
    # allauth hands out inactive users, too, to show them a page of their own.
    if user is None or not user.is_active:
        raise Invalid({"email": ["These credentials do not match our records."]})
    return user


def _require_second_factor(user: User, otp: str) -> None:
    if not is_mfa_enabled(user):
        return
    if not otp:
        raise Invalid({"otp": ["The otp field is required: a code of your authenticator app, or a recovery code."]})
    form = AuthenticateForm(data={"code": otp}, user=user)
    if not form.is_valid():
        raise Invalid({"otp": [str(text) for text in form.errors["code"]]})


def _membership(user: User, organization: str) -> Membership:
    found = Membership.objects.filter(user=user).select_related("organization", "user").order_by("created_at", "pk")
    if organization:
        found = found.filter(Q(organization=organization) | Q(organization__name=organization))
    memberships = list(found[:2])
    if not memberships:
        raise Invalid({"organization": ["You do not belong to such an organization."]})
    if organization and len(memberships) > 1:
        raise Invalid({"organization": ["Several of your organizations have this name. Give the id of one."]})
    return memberships[0]
