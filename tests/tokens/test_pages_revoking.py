"""Ending several tokens at once, from each list."""

import re
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Denied
from tests.apiclient import ApiClient
from tests.tokens.test_pages import page
from tokens.actions import create_access_token, create_api_key, create_token, revoke_token, revoke_tokens
from tokens.models import Token

pytestmark = pytest.mark.django_db
MAKING: dict[str, Any] = {
    "tokens": lambda actor, name: create_token(actor, name=name, abilities=["site:read"]),
    "api-keys": lambda actor, name: create_api_key(actor, name=name, permissions=["read"]),
    "access-tokens": lambda actor, name: create_access_token(actor, name=name, scopes=["basic_deployment"]),
}


def works(text: str) -> bool:
    return ApiClient(text).get("/auth/test").status_code == 200


@pytest.mark.parametrize("kind", MAKING)
def test_the_chosen_ones_end_after_a_confirmation(kind: str, owner_client: Client, owner: Actor) -> None:
    made = {name: MAKING[kind](owner, name) for name in ("First", "Second", "Third")}
    chosen = [made["First"][0].pk, made["Third"][0].pk]
    question = page(owner_client, f"/settings/{kind}/revoke?token={chosen[0]}&token={chosen[1]}")
    assert re.findall(r'name="token" value="(\w+)"', question) == chosen
    assert "Second" not in question
    assert all(works(text) for _, text in made.values())
    html = owner_client.post(f"/settings/{kind}/revoke", {"token": chosen}, follow=True).content.decode()
    assert re.search(r"2 (API key|access token|token)s are revoked\.", html)
    assert [works(text) for _, text in made.values()] == [False, True, False]
    assert AuditEvent.objects.filter(event="token.revoked").count() == 2


def test_nothing_chosen_is_said_and_does_nothing(owner_client: Client, owner: Actor) -> None:
    text = create_token(owner, name="Stays")[1]
    html = owner_client.get("/settings/tokens/revoke", follow=True).content.decode()
    assert "Nothing was done. Choose at least one token." in html
    owner_client.post("/settings/tokens/revoke", {"token": "nonsense"})
    assert works(text)


def test_what_ended_meanwhile_is_left_alone(owner_client: Client, owner: Actor) -> None:
    first, second = (create_token(owner, name=name)[0] for name in ("First", "Second"))
    revoke_token(owner, token=first)
    response = owner_client.post("/settings/tokens/revoke", {"token": [first.pk, second.pk]}, follow=True)
    assert "One token is revoked." in response.content.decode()
    assert AuditEvent.objects.filter(event="token.revoked").count() == 2


def test_a_kind_is_ended_on_its_own_page_only(owner_client: Client, owner: Actor) -> None:
    key, text = create_api_key(owner, name="A key", permissions=["read"])
    owner_client.post("/settings/tokens/revoke", {"token": key.pk})
    assert works(text)


def test_a_viewer_ends_their_own_only(member_client: Client, member: Actor, owner: Actor) -> None:
    foreign, foreign_text = create_token(owner, name="Of the owner")
    own, own_text = create_token(member, name="Of the viewer")
    assert "Of the owner" not in page(member_client, f"/settings/tokens/revoke?token={foreign.pk}&token={own.pk}")
    member_client.post("/settings/tokens/revoke", {"token": [foreign.pk, own.pk]})
    assert works(foreign_text)
    assert not works(own_text)


def test_an_outsider_ends_nothing(outsider_client: Client, owner: Actor) -> None:
    token, text = create_token(owner, name="Of the owner")
    assert outsider_client.get(f"/settings/tokens/revoke?token={token.pk}").status_code == 302
    outsider_client.post("/settings/tokens/revoke", {"token": token.pk})
    assert works(text)


def test_the_action_ends_all_or_none(member: Actor, owner: Actor) -> None:
    own, foreign = create_token(member, name="Own")[0], create_token(owner, name="Foreign")[0]
    with pytest.raises(Denied):
        revoke_tokens(member, tokens=[own, foreign])
    assert Token.objects.unrevoked().count() == 2
    assert revoke_tokens(owner, tokens=[own, foreign]) == 2
    assert revoke_tokens(owner, tokens=[own, foreign]) == 0
