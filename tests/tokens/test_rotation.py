"""A key gets a new secret: at once, and while both work."""

import threading
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.api.responses import timestamp
from deploynix.errors import Conflict, Denied
from organizations.models import Role
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.actions import close_rotation, create_api_key, create_token, revoke_token, rotate_api_key, update_api_key
from tokens.models import ApiKey, Token

pytestmark = pytest.mark.django_db
KEY: dict[str, Any] = {"name": "production-key", "permissions": ["instances:read"]}


def key_of(actor: Actor, **fields: Any) -> tuple[ApiKey, ApiClient]:
    key, text = create_api_key(actor, **(KEY | fields))
    return key, ApiClient(text)


def rotate(api: ApiClient, key: ApiKey, **headers: str) -> Response:
    return api.post(f"/api-keys/{key.key_id}/rotate", **headers)


def answer(response: Response) -> dict[str, dict[str, Any]]:
    assert response.status_code == 200, response.content
    body: dict[str, dict[str, Any]] = response.json()
    return body


def refusal(response: Response, status: int = 409) -> str:
    assert response.status_code == status, response.content
    return " ".join(response.json()[name] for name in ("message", "hint"))


def works(api: ApiClient) -> bool:
    return api.get("/sites").status_code == 200


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_the_answer_is_that_of_the_reference(api: ApiClient, owner: Actor) -> None:
    key, _ = key_of(owner)
    found = answer(rotate(api, key))
    new = ApiKey.objects.latest("id")
    key.refresh_from_db()
    assert found == {
        "old_key": {"id": key.key_id, "expires_at": timestamp(key.expires_at)},
        "new_key": {
            "id": new.key_id,
            "value": found["new_key"]["value"],
            "created_at": timestamp(new.created_at),
        },
    }
    assert found["new_key"]["value"].startswith(f"dep_live_{new.public_id}_")
    assert key.expires_at == new.created_at + timedelta(days=7)


def test_both_work_until_the_grace_period_is_over(api: ApiClient, owner: Actor) -> None:
    key, old = key_of(owner)
    new = ApiClient(answer(rotate(api, key))["new_key"]["value"])
    assert works(old)
    assert works(new)
    expire(key)
    assert not works(old)
    assert works(new)


def test_the_new_key_has_the_settings_of_the_old_one(api: ApiClient, owner: Actor) -> None:
    server = factories.server(owner.organization)
    end = timezone.now() + timedelta(days=90)
    key, _ = key_of(
        owner,
        environment="test",
        description="text",
        ip_whitelist=["127.0.0.1"],
        rate_limit="limited",
        servers=[server.pk],
        auto_rotate=True,
        rotation_period="30d",
        grace_period="2d",
        notification_email="ops@acme.test",
        expires_at=end,
    )
    before = api.get(f"/api-keys/{key.key_id}").json()["data"]
    new_id = answer(rotate(api, key))["new_key"]["id"]
    new = api.get(f"/api-keys/{new_id}").json()["data"]
    fresh = {"id", "public_id", "created_at", "rotates_at", "rotated_from"}
    assert {name for name in before if before[name] != new[name]} <= fresh
    assert (new["rotated_from"], new["rotated_to"], new["expires_at"]) == (key.key_id, None, timestamp(end))
    old = api.get(f"/api-keys/{key.key_id}").json()["data"]
    assert (old["rotated_to"], old["rotates_at"], old["auto_rotate"]) == (new_id, None, False)


def test_the_new_key_is_at_home_where_the_old_one_was(owner: Actor) -> None:
    key, _ = key_of(owner)
    now = timezone.now()
    key.networks.create(network="203.0.113.0/24", country="NL", first_at=now, last_at=now)
    new, _ = rotate_api_key(owner, key=key)
    assert list(new.networks.values_list("network", "country")) == [("203.0.113.0/24", "NL")]
    assert key.networks.count() == 1


def test_grace_is_what_the_key_says(api: ApiClient, owner: Actor) -> None:
    key, _ = key_of(owner, grace_period="12h")
    rotate(api, key)
    key.refresh_from_db()
    assert key.successor
    assert key.expires_at == key.successor.created_at + timedelta(hours=12)


def test_rotation_prolongs_no_life(api: ApiClient, owner: Actor) -> None:
    end = timezone.now() + timedelta(days=2)
    key, _ = key_of(owner, expires_at=end)
    rotate(api, key)
    assert [row.expires_at for row in ApiKey.objects.all()] == [end, end]


def test_a_key_rotates_itself_with_no_ability_for_it(owner: Actor) -> None:
    key, api = key_of(owner)
    new_key = answer(rotate(api, key))["new_key"]
    assert works(ApiClient(new_key["value"]))
    event = AuditEvent.objects.get(event="token.rotated")
    assert (event.token_id, event.target_id) == (key.pk, key.pk)
    assert event.changes["successor"] == [None, new_key["id"]]
    assert new_key["value"] not in str([vars(found) for found in AuditEvent.objects.all()])


def test_a_limited_key_rotates_itself_too(owner: Actor) -> None:
    key, api = key_of(owner, servers=[factories.server(owner.organization).pk], ip_whitelist=["127.0.0.1"])
    assert works(ApiClient(answer(rotate(api, key))["new_key"]["value"]))


def test_a_key_does_not_rotate_another(owner: Actor) -> None:
    key, _ = key_of(owner)
    _, other = key_of(owner, permissions=["servers:*", "instances:*"])
    assert "token:update" in refusal(rotate(other, key), 403)
    assert ApiKey.objects.count() == 2


def test_who_rotates_another_key_can_do_all_that_it_opens(owner: Actor) -> None:
    key, _ = key_of(owner, permissions=["instances:read", "servers:delete"])
    weak = ApiClient.signed_in(owner, ["token:update", "site:read"])
    assert "server:delete" in refusal(rotate(weak, key), 403)
    enough = ApiClient.signed_in(owner, ["token:update", "site:read", "server:delete"])
    assert works(ApiClient(answer(rotate(enough, key))["new_key"]["value"]))


def test_who_rotates_another_key_lives_as_long(owner: Actor) -> None:
    key, _ = key_of(owner)
    _, text = create_token(owner, name="short", expires_at=timezone.now() + timedelta(days=1))
    assert "outlive" in refusal(rotate(ApiClient(text), key), 403)
    assert ApiKey.objects.count() == 1


def test_an_admin_does_not_get_a_secret_that_acts_as_the_owner(owner: Actor) -> None:
    admin = factories.actor(owner.organization, Role.ADMIN)
    key, _ = key_of(owner, permissions=["teams:write"])
    with pytest.raises(Denied, match="organization:update"):
        rotate_api_key(admin, key=key)
    harmless, _ = key_of(owner)
    new, _ = rotate_api_key(admin, key=harmless)
    assert new.user == owner.user, "it stays the owner's"


def test_a_key_is_rotated_once(api: ApiClient, owner: Actor) -> None:
    key, old = key_of(owner)
    new_id = answer(rotate(api, key))["new_key"]["id"]
    for again in (api, old):
        assert new_id in refusal(rotate(again, key))
    assert ApiKey.objects.count() == 2


def test_what_opens_nothing_is_not_rotated(api: ApiClient, owner: Actor) -> None:
    expired, _ = key_of(owner)
    expire(expired)
    assert "Give it a later expires_at first" in refusal(rotate(api, expired))
    inactive, _ = key_of(owner, active=False)
    assert "Switch it on first" in refusal(rotate(api, inactive))
    revoked, _ = key_of(owner)
    revoke_token(owner, token=revoked)
    assert rotate(api, revoked).status_code == 404
    with pytest.raises(Conflict, match="revoked"):
        rotate_api_key(owner, key=revoked)
    assert ApiKey.objects.count() == 3


def test_a_rotated_key_is_not_changed_any_more(api: ApiClient, owner: Actor) -> None:
    """Its end would else be put off for ever."""
    key, _ = key_of(owner)
    new_id = answer(rotate(api, key))["new_key"]["id"]
    assert new_id in refusal(api.put(f"/api-keys/{key.key_id}", {"expires_at": None}))
    assert api.put(f"/api-keys/{new_id}", {"name": "another"}).status_code == 200


def test_deleting_the_old_key_ends_its_secret_early(api: ApiClient, owner: Actor) -> None:
    key, old = key_of(owner)
    new = ApiClient(answer(rotate(api, key))["new_key"]["value"])
    assert api.delete(f"/api-keys/{key.key_id}").status_code == 204
    assert not works(old)
    assert works(new)


def test_closing_a_rotation(owner: Actor, member: Actor) -> None:
    key, old = key_of(owner)
    with pytest.raises(Conflict, match="not rotated"):
        close_rotation(owner, key=key)
    rotate_api_key(owner, key=key)
    with pytest.raises(Denied):
        close_rotation(member, key=key)
    assert works(old)
    close_rotation(owner, key=key)
    assert not works(old)
    with pytest.raises(Conflict, match="revoked"):
        close_rotation(owner, key=key)
    assert AuditEvent.objects.filter(event="token.revoked", target_id=key.pk).count() == 1


def test_repeating_a_rotation_makes_one_key_and_does_not_show_it_again(api: ApiClient, owner: Actor) -> None:
    key, _ = key_of(owner)
    first = answer(rotate(api, key, idempotency_key="once"))
    again = answer(rotate(api, key, idempotency_key="once"))
    assert first["new_key"].pop("value")
    assert again == first
    assert ApiKey.objects.count() == 2


def test_a_rotation_that_fails_leaves_the_old_key_as_it_was(api: ApiClient, owner: Actor) -> None:
    key, old = key_of(owner)
    owner.organization.plan = "free"
    with pytest.raises(Denied):
        rotate_api_key(owner, key=key)
    before = key.expires_at
    key.refresh_from_db()
    assert (key.successor, key.expires_at) == (None, before)
    assert works(old)


def test_a_chain_of_rotations(owner: Actor) -> None:
    _, api = key_of(owner)
    for _ in range(3):
        key = cast(ApiKey, ApiKey.objects.get(successor=None))
        api = ApiClient(answer(rotate(api, key))["new_key"]["value"])
    assert works(api)
    assert ApiKey.objects.filter(successor=None).count() == 1


def test_a_test_key_rotates_nothing(owner: Actor) -> None:
    key, api = key_of(owner, environment="test")
    assert rotate(api, key).status_code == 200
    key.refresh_from_db()
    assert key.successor is None
    assert ApiKey.objects.count() == 1


def test_changing_the_schedule_of_a_key_needs_what_it_opens(owner: Actor) -> None:
    """Else its next secret could be mailed to somebody who could do less."""
    admin = factories.actor(owner.organization, Role.ADMIN)
    key, _ = key_of(owner, permissions=["teams:write"])
    with pytest.raises(Exception, match="given data was invalid"):
        update_api_key(admin, key=key, auto_rotate=True, rotation_period="30d", notification_email="me@acme.test")


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_makes_a_key(owner: Actor) -> None:
    key, _ = key_of(owner)
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def rotate_now() -> None:
        start.wait(10)
        try:
            rotate_api_key(owner, key=key)
            outcomes.append("rotated")
        except Conflict:
            outcomes.append("refused")
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=rotate_now) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["refused", "refused", "refused", "rotated"]
    assert Token.objects.count() == 2
