"""Who a bearer token lets in, and what it may do."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from deploynix.abilities import ROLES
from deploynix.actor import Actor
from organizations.actions import remove_member
from organizations.models import Membership
from tests.apiclient import ApiClient, Response
from tokens.actions import create_token
from tokens.models import Token
from tokens.wire import WireToken, parse

pytestmark = pytest.mark.django_db


def refusal(response: Response) -> str:
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    return str(response.json()["error"]["code"])


def me(text: str) -> Response:
    return ApiClient(text).get("/user")


def data(response: Response) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()["data"]
    return body


def test_a_token_costs_one_query(owner: Actor, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _, text = create_token(owner, name="x")
    with django_assert_num_queries(1):
        found = data(me(text))
    assert owner.user is not None
    assert found["id"] == owner.user.pk
    assert found["email"] == "owner@acme.test"
    assert found["role"] == "owner"
    assert found["organization"] == {"id": owner.organization.pk, "name": "Acme", "plan": "enterprise"}
    assert found["abilities"] == sorted(ROLES["owner"])


def test_the_scheme_is_read_in_any_case(owner: Actor) -> None:
    _, text = create_token(owner, name="x")
    assert ApiClient().get("/user", Authorization=f"bearer {text}").status_code == 200


def test_an_unknown_token_and_a_wrong_secret_answer_alike(owner: Actor) -> None:
    _, text = create_token(owner, name="x")
    wire = parse(text)
    assert wire is not None
    wrong_secret = me(WireToken(wire.prefix, wire.public_id, wire.secret[::-1]).text)
    unknown = me(WireToken(wire.prefix, wire.public_id[::-1], wire.secret).text)
    assert refusal(wrong_secret) == refusal(unknown) == "invalid_token"
    assert wrong_secret.content == unknown.content


def test_expired(owner: Actor) -> None:
    token, text = create_token(owner, name="x", expires_at=timezone.now() + timedelta(hours=1))
    assert me(text).status_code == 200
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert refusal(me(text)) == "expired_token"


def test_revoked_with_the_next_request(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    assert me(text).status_code == 200
    Token.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    assert refusal(me(text)) == "invalid_token"


def test_an_inactive_user(owner: Actor) -> None:
    _, text = create_token(owner, name="x")
    assert owner.user is not None
    owner.user.is_active = False
    owner.user.save()
    assert refusal(me(text)) == "invalid_token"


def test_someone_who_is_no_longer_a_member(owner: Actor, member: Actor) -> None:
    token, text = create_token(member, name="x")
    remove_member(owner, membership=Membership.objects.get(user=member.user))
    assert refusal(me(text)) == "invalid_token"
    token.refresh_from_db()
    assert token.revoked_at is not None, "an invitation later does not bring the token back"


def test_a_membership_that_is_gone_without_a_word(member: Actor) -> None:
    _, text = create_token(member, name="x")
    Membership.objects.filter(user=member.user).delete()
    assert refusal(me(text)) == "invalid_token"


def test_a_plan_without_the_api_says_how_to_get_it(owner: Actor) -> None:
    _, text = create_token(owner, name="x")
    organization = owner.organization
    organization.plan = "free"
    organization.save()
    response = me(text)
    assert response.status_code == 403
    body = response.json()
    assert body["message"] == "The Free plan has no API access."
    assert "Upgrade" in body["hint"]
    organization.plan = "professional"
    organization.save()
    assert me(text).status_code == 200


def test_a_token_does_what_it_was_given_and_the_role_still_allows(owner: Actor) -> None:
    _, text = create_token(owner, name="x", abilities=["site:deploy", "server:delete"])
    assert data(me(text))["abilities"] == ["server:delete", "site:deploy"]
    Membership.objects.filter(user=owner.user).update(role="developer")
    assert data(me(text))["abilities"] == ["site:deploy"]
    Membership.objects.filter(user=owner.user).update(role="viewer")
    assert data(me(text))["abilities"] == []


def test_a_token_made_under_an_older_pepper(owner: Actor, settings: Settings) -> None:
    _, text = create_token(owner, name="x")
    settings.TOKEN_PEPPERS = [*settings.TOKEN_PEPPERS, "a newer pepper"]
    assert me(text).status_code == 200


def test_only_a_digest_is_stored(owner: Actor) -> None:
    token, text = create_token(owner, name="x")
    token.refresh_from_db()
    wire = parse(text)
    assert wire is not None
    stored = str(vars(token))
    assert wire.secret not in stored
    assert text not in stored
