"""/api-keys: making, seeing, changing and deleting."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.api.responses import timestamp
from organizations.models import Organization, Role
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.actions import create_api_key, create_token
from tokens.models import ApiKey, Token

pytestmark = pytest.mark.django_db
KEY = {"name": "production-key", "permissions": ["instances:*"]}
DURATION = "The grace period field must be a number of hours, days or weeks up to ten years, such as 12h, 90d or 2w."
MANAGING = ["token:read", "token:create", "token:update", "token:delete"]


def create(api: ApiClient, **fields: Any) -> Response:
    return api.post("/api-keys", KEY | fields)


def made(response: Response, status: int = 201) -> dict[str, Any]:
    assert response.status_code == status, response.content
    data: dict[str, Any] = response.json()["data"]
    return data


def changed(response: Response) -> dict[str, Any]:
    return made(response, 200)


def errors(response: Response) -> dict[str, list[str]]:
    assert response.status_code == 422, response.content
    found: dict[str, list[str]] = response.json()["errors"]
    return found


def days(count: int) -> str:
    return str(timestamp(timezone.now() + timedelta(days=count)))


def as_token(actor: Actor, *abilities: str, **limits: Any) -> ApiClient:
    """The API with a personal token that carries these abilities and manages tokens."""
    return ApiClient(create_token(actor, name="weak", abilities=[*MANAGING, *abilities], **limits)[1])


def test_a_new_key_works_and_its_value_is_shown_once(api: ApiClient) -> None:
    data = made(create(api, permissions=["servers:read"]))
    assert data["id"] == f"key_{data['public_id']}"
    assert data["value"].startswith(f"dep_live_{data['public_id']}_")
    assert ApiClient(data["value"]).get("/servers").status_code == 200
    assert ApiClient(data["value"]).get("/sites").status_code == 403
    shown = api.get(f"/api-keys/{data['id']}")
    assert changed(shown) == {name: value for name, value in data.items() if name != "value"}
    secret = data["value"].rpartition("_")[2].encode()
    assert secret not in shown.content + api.get("/api-keys").content
    assert data["value"] not in str([vars(event) for event in AuditEvent.objects.all()])


def test_every_field_of_the_reference(api: ApiClient) -> None:
    fields = {
        "name": "temporary-key",
        "permissions": ["servers:read", "instances:*"],
        "description": "For the move",
        "active": False,
        "environment": "test",
        "ip_whitelist": ["203.0.113.0/24", "198.51.100.45", "2001:db8::/32"],
        "rate_limit": "high_volume",
        "expires_at": "2099-12-31T23:59:59Z",
        "auto_rotate": True,
        "rotation_period": "90d",
        "notification_email": "ops@acme.test",
        "grace_period": "2d",
    }
    data = made(create(api, **fields))
    assert {name: data[name] for name in fields} == fields
    assert data["prefix"] == "dep_test_"
    assert data["rotates_at"] == timestamp(ApiKey.objects.get().created_at + timedelta(days=90))
    assert (data["servers"], data["sites"], data["use_count"], data["last_used_at"]) == (None, None, 0, None)


def test_what_is_not_sent(api: ApiClient) -> None:
    data = made(create(api))
    assert (data["active"], data["environment"], data["rate_limit"]) == (True, "live", "standard")
    assert (data["auto_rotate"], data["grace_period"], data["rotates_at"]) == (False, "7d", None)
    assert (data["ip_whitelist"], data["expires_at"], data["notification_email"]) == ([], None, "")


@pytest.mark.parametrize(
    ("permissions", "prefix"),
    [(["servers:write", "*:read"], "dep_live_"), (["read", "deploy", "manage_backups"], "dp_")],
)
def test_the_permissions_say_which_kind_of_key_it_is(permissions: list[str], prefix: str, api: ApiClient) -> None:
    assert made(create(api, permissions=permissions))["prefix"] == prefix


def test_rotation_can_be_turned_on_under_the_other_name(api: ApiClient) -> None:
    data = made(create(api, rotation_enabled=True, rotation_period="90d"))
    assert data["auto_rotate"] is True
    assert "rotation_enabled" not in data
    assert errors(create(api, rotation_enabled=True, auto_rotate=False, rotation_period="90d")).keys() == {
        "rotation_enabled"
    }


def test_a_limit_to_servers_and_sites(api: ApiClient, organization: Organization, outsider: Actor) -> None:
    mine, other = factories.server(organization), factories.server(organization)
    data = made(create(api, permissions=["servers:read"], servers=[mine.pk]))
    assert (data["servers"], data["sites"]) == ([mine.pk], [])
    seen = ApiClient(data["value"]).get("/servers").json()["data"]
    assert [row["id"] for row in seen] == [mine.pk]
    assert ApiClient(data["value"]).get(f"/servers/{other.pk}").status_code == 404
    foreign = factories.server(outsider.organization)
    assert errors(create(api, servers=[mine.pk, foreign.pk])) == {"servers.1": ["The selected server is invalid."]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "ab"}, {"name": ["The name field must be at least 3 characters."]}),
        ({"name": "  ab  "}, {"name": ["The name field must be at least 3 characters."]}),
        ({"name": "x" * 256}, {"name": ["The name field must not be greater than 255 characters."]}),
        ({"name": None}, {"name": ["The name field is required."]}),
        (
            {"description": "x" * 1001},
            {"description": ["The description field must not be greater than 1000 characters."]},
        ),
        ({"permissions": []}, {"permissions": ["The permissions field is required."]}),
        (
            {"permissions": ["servers:read", "servers:fly"]},
            {"permissions.1": ["The selected permission servers:fly is invalid."]},
        ),
        (
            {"permissions": ["servers:read", "deploy"]},
            {"permissions": ["One key has permissions of resources, such as servers:read, or of duties, not both."]},
        ),
        (
            {"permissions": ["deploy"], "environment": "test"},
            {"environment": ["A test key has permissions of resources, such as servers:read."]},
        ),
        ({"environment": "staging"}, {"environment": ["The selected environment is invalid."]}),
        ({"active": "yes"}, {"active": ["The active field must be true or false."]}),
        ({"rate_limit": "fast"}, {"rate_limit": ["The selected rate limit is invalid."]}),
        (
            {"ip_whitelist": ["203.0.113.0/24", "203.0.113.7/24"]},
            {"ip_whitelist.1": ["This is no address and no network, such as 203.0.113.0/24 or 2001:db8::/32."]},
        ),
        (
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"expires_at": ["The expires at field must be a date in the future."]},
        ),
        ({"expires_at": "soon"}, {"expires_at": ["The expires at field must be a valid date."]}),
        (
            {"auto_rotate": True},
            {"rotation_period": ["The rotation period field is required when auto rotate is on."]},
        ),
        (
            {"auto_rotate": True, "rotation_period": "7d"},
            {"rotation_period": ["The rotation period must be longer than the grace period."]},
        ),
        (
            {"grace_period": "a week"},
            {"grace_period": [DURATION]},
        ),
        (
            {"notification_email": "nobody"},
            {"notification_email": ["The notification email field must be a valid email address."]},
        ),
        (
            {"servers": [], "sites": []},
            {"servers": ["Choose at least one server or site, or none at all to open the whole organization."]},
        ),
        ({"value": "mine"}, {"value": ["The value field is not known."]}),
    ],
)
def test_bad_input_makes_nothing(fields: dict[str, Any], expected: dict[str, list[str]], api: ApiClient) -> None:
    assert errors(create(api, **fields)) == expected
    assert not ApiKey.objects.exists()


def test_a_list_of_addresses_ends_somewhere(api: ApiClient) -> None:
    networks = [f"10.0.{number}.0/24" for number in range(101)]
    assert list(errors(create(api, ip_whitelist=networks))) == ["ip_whitelist"]
    assert made(create(api, ip_whitelist=networks[:100]))["ip_whitelist"] == networks[:100]


def test_a_key_without_a_limit_needs_its_plan(api: ApiClient) -> None:
    assert made(create(api, rate_limit="unlimited"))["rate_limit"] == "unlimited"
    Organization.objects.update(plan="professional")
    assert errors(create(api, rate_limit="unlimited")) == {
        "rate_limit": ["Keys without a limit need the Enterprise plan."]
    }


def test_repeating_a_create_makes_one_key_and_does_not_show_it_again(api: ApiClient) -> None:
    first = api.post("/api-keys", KEY, idempotency_key="once")
    again = api.post("/api-keys", KEY, idempotency_key="once")
    value = made(first).pop("value")
    assert value.encode() not in again.content
    assert made(again) == {name: found for name, found in made(first).items() if name != "value"}
    assert ApiKey.objects.count() == 1


def test_the_list_holds_the_organizations_keys(api: ApiClient, owner: Actor, outsider: Actor) -> None:
    admin = factories.actor(owner.organization, Role.ADMIN)
    create_api_key(owner, name="one", permissions=["servers:read"])
    create_api_key(admin, name="two", permissions=["servers:read"], environment="test")
    create_api_key(owner, name="three", permissions=["servers:read"], active=False)
    create_api_key(outsider, name="foreign", permissions=["servers:read"])

    def names(query: str = "") -> list[str]:
        return [row["name"] for row in api.get(f"/api-keys{query}").json()["data"]]

    assert names() == ["three", "two", "one"]
    assert names("?environment=test") == ["two"]
    assert names("?active=false") == ["three"]
    assert names("?active=true&environment=live") == ["one"]
    assert api.get("/api-keys?per_page=1").json()["meta"]["total"] == 3
    assert list(errors(api.get("/api-keys?active=maybe"))) == ["active"]
    assert list(errors(api.get("/api-keys?environment=staging"))) == ["environment"]


def test_ids_of_others_and_of_nothing_are_404(api: ApiClient, owner: Actor, outsider: Actor) -> None:
    mine, _ = create_api_key(owner, name="mine", permissions=["servers:read"])
    foreign, _ = create_api_key(outsider, name="foreign", permissions=["servers:read"])
    personal = Token.objects.get(name="tests")
    ids = (foreign.key_id, "key_AAAAAAAAAAAAAAAA", "key_", mine.public_id, mine.pk, f"key_{personal.public_id}")
    for id_ in ids:
        answers = {
            api.call(method, f"/api-keys/{id_}{rest}", data).content
            for method, rest, data in (
                ("GET", "", None),
                ("PUT", "", {"name": "another"}),
                ("PATCH", "", {"name": "another"}),
                ("DELETE", "", None),
                ("POST", "/rotate", None),
            )
        }
        assert answers == {api.get("/nothing").content}, id_


@pytest.mark.parametrize(
    ("method", "path", "data", "ability"),
    [
        ("GET", "/api-keys", None, "token:read"),
        ("POST", "/api-keys", KEY, "token:create"),
        ("GET", "/api-keys/{}", None, "token:read"),
        ("PUT", "/api-keys/{}", {"name": "another"}, "token:update"),
        ("PATCH", "/api-keys/{}", {"name": "another"}, "token:update"),
        ("DELETE", "/api-keys/{}", None, "token:delete"),
        ("POST", "/api-keys/{}/rotate", None, "token:update"),
    ],
)
def test_each_needs_its_ability(
    method: str, path: str, data: Any, ability: str, owner: Actor, member_api: ApiClient
) -> None:
    key, _ = create_api_key(owner, name="key", permissions=["instances:read"])
    others = sorted(owner.abilities - {ability})
    for api in (ApiClient.signed_in(owner, others), member_api):
        response = api.call(method, path.format(key.key_id), data)
        assert response.status_code == 403
        assert ability in response.json()["message"]
    assert ApiKey.objects.get().name == "key"


def test_a_change_leaves_what_is_not_sent_and_the_secret(api: ApiClient) -> None:
    data = made(create(api, ip_whitelist=["127.0.0.1"], description="kept"))
    value = data.pop("value")
    for method in ("PUT", "PATCH"):
        found = changed(api.call(method, f"/api-keys/{data['id']}", {"name": f"by {method}"}))
        assert found == data | {"name": f"by {method}", "use_count": found["use_count"]}
    assert ApiClient(value).get("/sites").status_code == 200


def test_the_answer_can_be_sent_back_as_it_is(api: ApiClient, organization: Organization) -> None:
    server = factories.server(organization)
    data = made(create(api, servers=[server.pk], auto_rotate=True, rotation_period="30d", expires_at=days(300)))
    del data["value"]
    ApiKey.objects.update(rotates_at=timezone.now() + timedelta(days=5))
    before = changed(api.get(f"/api-keys/{data['id']}"))
    server.delete()
    assert changed(api.put(f"/api-keys/{data['id']}", data)) == before
    assert not AuditEvent.objects.filter(event="token.updated").exists()


def test_everything_but_the_secret_and_the_environment_changes(api: ApiClient, organization: Organization) -> None:
    id_ = made(create(api))["id"]
    server = factories.server(organization)
    fields = {
        "name": "another",
        "description": "text",
        "permissions": ["servers:read"],
        "active": False,
        "ip_whitelist": ["10.0.0.0/8"],
        "rate_limit": "limited",
        "servers": [server.pk],
        "sites": [],
        "auto_rotate": True,
        "rotation_period": "30d",
        "grace_period": "1d",
        "notification_email": "ops@acme.test",
        "expires_at": "2099-12-31T23:59:59Z",
    }
    found = changed(api.call("PATCH", f"/api-keys/{id_}", fields))
    assert {name: found[name] for name in fields} == fields
    assert changed(api.call("PATCH", f"/api-keys/{id_}", {"servers": None, "sites": None}))["servers"] is None
    event = AuditEvent.objects.filter(event="token.updated").earliest("id")
    assert event.changes["grants"] == [["instances:*"], ["servers:read"]]
    assert event.changes["is_active"] == [True, False]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "ab"}, "name"),
        ({"permissions": ["deploy"]}, "permissions.0"),
        ({"permissions": []}, "permissions"),
        ({"environment": "test"}, "environment"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"auto_rotate": True}, "rotation_period"),
        ({"ip_whitelist": ["here"]}, "ip_whitelist.0"),
        ({"servers": ["01JAZ5QHVW3K9T6R8M2N4P7XYC"]}, "servers.0"),
        ({"grace_period": ""}, "grace_period"),
    ],
)
def test_a_change_that_breaks_a_rule_changes_nothing(fields: dict[str, Any], field: str, api: ApiClient) -> None:
    data = made(create(api))
    del data["value"]
    for method in ("PUT", "PATCH"):
        assert list(errors(api.call(method, f"/api-keys/{data['id']}", {"description": "new"} | fields))) == [field]
    assert changed(api.get(f"/api-keys/{data['id']}")) == data


def test_another_period_counts_from_now_and_nothing_else_does(api: ApiClient) -> None:
    id_ = made(create(api, auto_rotate=True, rotation_period="30d"))["id"]
    soon = timezone.now().replace(microsecond=0) + timedelta(days=3)
    ApiKey.objects.update(rotates_at=soon)
    same = {"auto_rotate": True, "rotation_period": "30d", "grace_period": "1d"}
    assert changed(api.put(f"/api-keys/{id_}", same))["rotates_at"] == timestamp(soon)
    later = changed(api.put(f"/api-keys/{id_}", {"rotation_period": "60d"}))["rotates_at"]
    assert later > days(59)
    assert changed(api.put(f"/api-keys/{id_}", {"auto_rotate": False}))["rotates_at"] is None


def test_a_key_is_switched_off_and_on(api: ApiClient) -> None:
    data = made(create(api))
    key = ApiClient(data["value"])
    api.put(f"/api-keys/{data['id']}", {"active": False})
    assert key.get("/sites").json()["error"]["code"] == "inactive_key"
    api.put(f"/api-keys/{data['id']}", {"active": True})
    assert key.get("/sites").status_code == 200


def test_deleting_ends_a_key_with_its_next_request(api: ApiClient) -> None:
    data = made(create(api))
    assert api.delete(f"/api-keys/{data['id']}").status_code == 204
    assert ApiClient(data["value"]).get("/sites").status_code == 401
    assert api.get(f"/api-keys/{data['id']}").status_code == 404
    assert api.delete(f"/api-keys/{data['id']}").status_code == 404
    assert AuditEvent.objects.filter(event="token.revoked").count() == 1


class TestNothingIsGainedByAKey:
    """A token cannot make a key, or change one into one, that can do or see more or lives longer than itself."""

    def test_no_more_abilities_at_first(self, owner: Actor) -> None:
        api = as_token(owner, "site:read")
        assert errors(create(api, permissions=["instances:read", "instances:write"])) == {
            "permissions": ["You cannot give what you do not have yourself: site:create, site:update."]
        }
        assert made(create(api, permissions=["instances:read"]))

    def test_no_more_abilities_later(self, owner: Actor) -> None:
        key, _ = create_api_key(owner, name="key", permissions=["instances:read"])
        api, path = as_token(owner, "site:read"), f"/api-keys/{key.key_id}"
        assert errors(api.put(path, {"permissions": ["instances:read", "servers:delete"]})) == {
            "permissions": ["With this key one could do what you cannot: server:delete."]
        }

    def test_a_key_that_can_do_more_is_not_opened_further(self, owner: Actor) -> None:
        """Whoever holds its secret would gain what the token that asks does not have."""
        key, _ = create_api_key(
            owner,
            name="strong",
            permissions=["servers:*"],
            active=False,
            ip_whitelist=["10.0.0.0/8"],
            expires_at=timezone.now() + timedelta(days=9),
        )
        api, path = as_token(owner, "site:read"), f"/api-keys/{key.key_id}"
        widened: list[dict[str, Any]] = [
            {"active": True},
            {"ip_whitelist": []},
            {"ip_whitelist": ["10.0.0.0/8", "192.0.2.1"]},
            {"expires_at": days(20)},
            {"expires_at": None},
            {"auto_rotate": True, "rotation_period": "30d"},
            {"notification_email": "me@acme.test"},
            {"permissions": ["servers:*", "instances:read"]},
        ]
        for fields in widened:
            assert list(errors(api.put(path, fields))) == ["permissions"], fields
        before = ApiKey.objects.values().get()
        key.refresh_from_db()
        assert ApiKey.objects.values().get() == before

    def test_anybody_who_may_change_keys_may_take_from_one(self, owner: Actor) -> None:
        key, _ = create_api_key(owner, name="strong", permissions=["servers:*", "instances:*"])
        api, path = as_token(owner), f"/api-keys/{key.key_id}"
        narrower = {
            "name": "weaker",
            "permissions": ["servers:read", "instances:*"],
            "ip_whitelist": ["10.0.0.0/8", "192.0.2.1"],
            "expires_at": days(30),
        }
        found = changed(api.put(path, narrower))
        assert {name: found[name] for name in narrower} == narrower
        assert changed(api.put(path, {"active": False, "ip_whitelist": ["192.0.2.1"], "expires_at": days(3)}))

    def test_an_admin_does_not_open_an_owners_key_further(self, owner: Actor) -> None:
        """It acts in the owner's role, and an admin may hold its secret."""
        admin = factories.actor(owner.organization, Role.ADMIN)
        key, _ = create_api_key(owner, name="the owner's", permissions=["servers:read"])
        api, path = ApiClient.signed_in(admin), f"/api-keys/{key.key_id}"
        found = errors(api.put(path, {"permissions": ["servers:read", "teams:write"]}))
        assert found == {"permissions": ["With this key one could do what you cannot: organization:update."]}
        assert made(create(api, permissions=["teams:write"])), "a key of their own acts in their role"

    def test_no_longer_life_at_first(self, owner: Actor) -> None:
        api = as_token(owner, "site:*", expires_at=timezone.now() + timedelta(days=2))
        end = timestamp(Token.objects.get().expires_at)
        assert list(errors(create(api, expires_at=days(3)))) == ["expires_at"]
        assert made(create(api))["expires_at"] == end
        assert made(create(api, expires_at=days(1)))

    def test_no_longer_life_later(self, owner: Actor) -> None:
        key, _ = create_api_key(
            owner, name="key", permissions=["instances:read"], expires_at=timezone.now() + timedelta(1)
        )
        api = as_token(owner, "site:*", expires_at=timezone.now() + timedelta(days=2))
        path = f"/api-keys/{key.key_id}"
        for expires_at in (days(3), None):
            assert list(errors(api.put(path, {"expires_at": expires_at}))) == ["expires_at"]
        assert changed(api.put(path, {"expires_at": days(1)}))

    def test_no_wider_view(self, owner: Actor) -> None:
        mine, other = factories.server(owner.organization), factories.server(owner.organization)
        site = factories.site(mine)
        api = as_token(owner, "server:*", "site:*", servers=[mine.pk])
        assert list(errors(create(api, servers=[other.pk]))) == ["servers.0"]
        assert made(create(api))["servers"] == [mine.pk], "the limit is passed on"
        narrow = made(create(api, sites=[site.pk]))
        assert narrow["sites"] == [site.pk]
        path = f"/api-keys/{narrow['id']}"
        assert list(errors(api.put(path, {"servers": [mine.pk, other.pk]}))) == ["servers.1"]
        assert changed(api.put(path, {"servers": None, "sites": None}))["servers"] == [mine.pk]

    def test_a_limited_token_does_not_find_a_key_that_sees_more(self, owner: Actor) -> None:
        mine = factories.server(owner.organization)
        key, _ = create_api_key(owner, name="sees all", permissions=["servers:read"])
        api = as_token(owner, "server:*", servers=[mine.pk])
        for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rotate")):
            assert api.call(method, f"/api-keys/{key.key_id}{rest}", {} if method == "PUT" else None).status_code == 404

    @pytest.mark.parametrize("permissions", [["*:write", "*:read", "*:delete"], ["read", "write", "delete"]])
    def test_a_key_makes_no_token_of_any_kind(self, permissions: list[str], owner: Actor) -> None:
        """It would be free of the key's addresses and rate, and outlive its deletion."""
        _, text = create_api_key(owner, name="key", permissions=permissions, ip_whitelist=["127.0.0.1"])
        api = ApiClient(text)
        assert create(api, permissions=["instances:read"]).status_code == 403
        assert api.post("/access-tokens", {"name": "token", "scopes": ["all"]}).status_code == 403
        assert api.post("/tokens", {"name": "token"}).status_code == 403
        assert Token.objects.count() == 1

    def test_a_key_neither_sees_nor_ends_the_tokens_of_its_maker(self, owner: Actor) -> None:
        personal, _ = create_token(owner, name="personal")
        _, text = create_api_key(owner, name="key", permissions=["read", "delete"])
        assert ApiClient(text).get("/tokens").json()["data"] == []
        assert ApiClient(text).delete(f"/tokens/{personal.pk}").status_code == 404
        personal.refresh_from_db()
        assert personal.revoked_at is None
