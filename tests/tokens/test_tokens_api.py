"""GET and POST /tokens, DELETE /tokens/{id}."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.abilities import ABILITIES, ROLES
from deploynix.actor import Actor
from deploynix.api.responses import timestamp
from tests.apiclient import ApiClient, Response
from tokens.actions import create_token
from tokens.models import Token

pytestmark = pytest.mark.django_db


def create(api: ApiClient, **fields: Any) -> Response:
    return api.post("/tokens", {"name": "CI"} | fields)


def made(response: Response) -> dict[str, Any]:
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def errors(response: Response) -> dict[str, list[str]]:
    assert response.status_code == 422, response.content
    found: dict[str, list[str]] = response.json()["errors"]
    return found


def test_a_new_token_works_and_is_shown_once(api: ApiClient) -> None:
    body = made(create(api, abilities=["site:deploy"]))
    assert body["token"].startswith(f"dnx_{body['data']['public_id']}_")
    mine = ApiClient(body["token"]).get("/user").json()["data"]
    assert mine["abilities"] == ["site:deploy"]
    listed = api.get("/tokens")
    assert body["data"] in listed.json()["data"]
    assert body["token"].rpartition("_")[2].encode() not in listed.content
    event = AuditEvent.objects.filter(event="token.created").latest("id")
    assert event.token_id
    assert body["token"] not in str(vars(event))


def test_without_abilities_it_may_do_what_the_asking_token_may(owner: Actor) -> None:
    api = ApiClient.signed_in(owner, ["site:read", "site:deploy"])
    assert made(create(api))["data"]["abilities"] == ["site:deploy", "site:read"]
    assert made(create(api, abilities=None))["data"]["abilities"] == ["site:deploy", "site:read"]


def test_wildcards_stand_for_all_that_match(api: ApiClient, member_api: ApiClient) -> None:
    reads = sorted(name for name in ABILITIES if name.endswith(":read"))
    assert made(create(api, abilities=["*:read"]))["data"]["abilities"] == reads
    assert made(create(api, abilities=["site:*"]))["data"]["abilities"] == sorted(
        name for name in ABILITIES if name.startswith("site:")
    )
    assert made(create(member_api, abilities=["*:read"]))["data"]["abilities"] == sorted(ROLES["viewer"])


@pytest.mark.parametrize("ability", ["site:explode", "site", "", "**", "*:*:*", "s*:read"])
def test_an_unknown_ability_is_named(ability: str, api: ApiClient) -> None:
    assert list(errors(create(api, abilities=["site:read", ability]))) == ["abilities.1"]
    assert Token.objects.count() == 1


def test_no_token_can_do_more_than_who_makes_it(owner: Actor, member_api: ApiClient) -> None:
    api = ApiClient.signed_in(owner, ["site:deploy"])
    assert list(errors(create(api, abilities=["site:deploy", "server:delete"]))) == ["abilities.1"]
    assert list(errors(create(api, abilities=["*:read"]))) == ["abilities.0"]
    assert list(errors(create(member_api, abilities=["site:deploy"]))) == ["abilities.0"]
    assert made(create(api, abilities=["*"]))["data"]["abilities"] == ["site:deploy"]


def test_no_token_outlives_the_one_that_makes_it(owner: Actor) -> None:
    end = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    _, text = create_token(owner, name="short", expires_at=end)
    api = ApiClient(text)
    assert made(create(api))["data"]["expires_at"] == timestamp(end)
    assert list(errors(create(api, expires_at=timestamp(end + timedelta(days=1))))) == ["expires_at"]
    assert made(create(api, expires_at=timestamp(end - timedelta(hours=1))))["data"]["expires_at"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"abilities": []}, "abilities"),
        ({"use_count": 3}, "use_count"),
    ],
)
def test_bad_input_changes_nothing(fields: dict[str, Any], field: str, api: ApiClient) -> None:
    assert list(errors(create(api, **fields))) == [field]
    assert Token.objects.count() == 1


def test_the_list_holds_ones_own_active_tokens(api: ApiClient, owner: Actor, member_api: ApiClient) -> None:
    token, _ = create_token(owner, name="gone")
    assert [row["name"] for row in api.get("/tokens").json()["data"]] == ["gone", "tests"]
    assert api.delete(f"/tokens/{token.pk}").status_code == 204
    assert [row["name"] for row in api.get("/tokens").json()["data"]] == ["tests"]


def test_revoking_ends_a_token_with_its_next_request(api: ApiClient) -> None:
    body = made(create(api))
    ci = ApiClient(body["token"])
    assert ci.get("/user").status_code == 200
    assert api.delete(f"/tokens/{body['data']['id']}").status_code == 204
    assert ci.get("/user").status_code == 401
    assert api.delete(f"/tokens/{body['data']['id']}").status_code == 404
    assert AuditEvent.objects.filter(event="token.revoked").count() == 1


def test_a_member_cannot_revoke_others_tokens_and_an_owner_can(
    owner: Actor, member: Actor, api: ApiClient, member_api: ApiClient, outsider_api: ApiClient
) -> None:
    owners, _ = create_token(owner, name="the owner's")
    members, _ = create_token(member, name="the member's")
    assert member_api.delete(f"/tokens/{owners.pk}").status_code == 404
    assert outsider_api.delete(f"/tokens/{members.pk}").status_code == 404
    weak = ApiClient.signed_in(owner, ["site:read"])
    assert weak.delete(f"/tokens/{members.pk}").status_code == 404, "this token does not carry token:delete"
    assert api.delete(f"/tokens/{members.pk}").status_code == 204
    members.refresh_from_db()
    assert members.revoked_at is not None
