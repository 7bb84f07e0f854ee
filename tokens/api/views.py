"""Signing in and out, the user behind a token, and personal tokens."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest

from deploynix.actor import Actor
from deploynix.api.operations import operation
from deploynix.api.permissions import ANY_TOKEN, PUBLIC
from deploynix.api.throttling import LOGIN, NEW_TOKEN, REGISTER
from deploynix.api.views import Response, View
from deploynix.client import client_ip
from tokens.actions import create_token, register_with_token, revoke_token, sign_in
from tokens.api.serializers import EXAMPLE_TOKEN, LoginInput, RegisterInput, TokenInput, TokenOutput, UserOutput
from tokens.models import PersonalToken, Token


def _shown(tokens: QuerySet[Token]) -> QuerySet[Token]:
    return tokens.annotate(abilities=F("grants"), servers=F("resources__servers"), sites=F("resources__sites"))


_SECRET = {"token": EXAMPLE_TOKEN}


def user_data(actor: Actor, abilities: list[str]) -> dict[str, Any]:
    user, organization = actor.user, actor.organization
    assert user is not None  # noqa: S101 -- a personal token always has one
    return {
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "role": actor.role,
        "organization": {"id": organization.pk, "name": organization.name, "plan": organization.plan},
        "abilities": abilities,
        "created_at": user.created_at,
    }


_NO_API = "The plan has no API access"
_CLOSED = "Registration is closed"


class Login(View):
    abilities = {"POST": PUBLIC}
    tag = "Account"
    limits = {"POST": (LOGIN,)}
    idempotent = False

    @operation("Sign in", input=LoginInput, one=UserOutput, extra=_SECRET, others={403: _NO_API})
    def post(self, request: HttpRequest) -> Response:
        """Exchanges an e-mail address and password for a token, which is shown only here."""
        actor, token, text = sign_in(request, **self.input(LoginInput))
        return Response({"data": user_data(actor, token.grants)}, once={"token": text})


class Register(View):
    abilities = {"POST": PUBLIC}
    tag = "Account"
    limits = {"POST": (REGISTER,)}

    @operation(
        "Register",
        input=RegisterInput,
        one=UserOutput,
        status=201,
        extra=_SECRET,
        others={403: _CLOSED},
    )
    def post(self, request: HttpRequest) -> Response:
        """Makes a user with an organization of their own. Where registration is closed, only the first one."""
        actor, token, text = register_with_token(**self.input(RegisterInput), ip=client_ip(request))
        return Response({"data": user_data(actor, token.grants)}, 201, once={"token": text})


class Logout(View):
    abilities = {"POST": ANY_TOKEN}
    tag = "Account"
    idempotent = False

    @operation("Sign out", message="Signed out.")
    def post(self, request: HttpRequest) -> Response:
        """Revokes the token that signs this request."""
        revoke_token(self.actor, token=Token.objects.get(pk=self.actor.token_id))
        return Response({"message": "Signed out."})


class CurrentUser(View):
    abilities = {"GET": ANY_TOKEN}
    tag = "Account"

    @operation("Show the current user", one=UserOutput)
    def get(self, request: HttpRequest) -> Response:
        """Who the token belongs to, in which organization and role, and what it may do."""
        return Response({"data": user_data(self.actor, sorted(self.actor.abilities))})


class Tokens(View):
    abilities = {"GET": ANY_TOKEN, "POST": ANY_TOKEN}
    tag = "Tokens"
    limits = {"POST": (NEW_TOKEN,)}

    @operation("List your tokens", page=TokenOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(_shown(PersonalToken.objects.of_actor(self.actor).unrevoked()), TokenOutput)

    @operation("Create a token", input=TokenInput, one=TokenOutput, status=201, extra=_SECRET)
    def post(self, request: HttpRequest) -> Response:
        """The token's text is shown only here. It can neither do more nor live longer than the token that asks."""
        token, text = create_token(self.actor, **self.input(TokenInput))
        return self.one(_shown(PersonalToken.objects.filter(pk=token.pk)), TokenOutput, 201, once={"token": text})


class TokenDetail(View):
    abilities = {"DELETE": ANY_TOKEN}
    tag = "Tokens"

    @operation("Revoke a token", status=204)
    def delete(self, request: HttpRequest, token: str) -> Response:
        """Takes effect with the next request. A token of somebody else needs `token:delete`."""
        rows = PersonalToken.objects.revocable_by(self.actor).unrevoked()
        revoke_token(self.actor, token=self.find(rows, token))
        return self.done()
