"""/access-tokens: made and deleted, never changed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.api.responses import timestamp
from organizations.models import Organization
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.actions import create_access_token, create_token
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db
TOKEN = {"name": "Deployment automation", "scopes": ["basic_deployment"]}
PASSPHRASE = "correct horse battery"


def create(api: ApiClient, **fields: Any) -> Response:
    return api.post("/access-tokens", TOKEN | fields)


def made(response: Response) -> dict[str, Any]:
    assert response.status_code == 201, response.content
    data: dict[str, Any] = response.json()["data"]
    return data


def errors(response: Response) -> dict[str, list[str]]:
    assert response.status_code == 422, response.content
    found: dict[str, list[str]] = response.json()["errors"]
    return found


def test_a_new_token_works_and_its_value_is_shown_once(api: ApiClient) -> None:
    data = made(create(api))
    assert data["value"].startswith(f"workspace_token_{data['public_id']}_")
    token = ApiClient(data["value"])
    assert token.get("/sites").status_code == 200
    assert token.get("/servers").status_code == 403
    shown = api.get(f"/access-tokens/{data['id']}")
    assert shown.json()["data"] == {name: value for name, value in data.items() if name != "value"}
    secret = data["value"].rpartition("_")[2].encode()
    assert secret not in shown.content + api.get("/access-tokens").content
    assert data["value"] not in str([vars(event) for event in AuditEvent.objects.all()])


def test_with_a_passphrase_it_opens_nothing_without_it(api: ApiClient) -> None:
    data = made(create(api, passphrase=PASSPHRASE))
    assert data["has_passphrase"] is True
    token = ApiClient(data["value"])
    assert token.get("/sites").json()["error"]["code"] == "passphrase_required"
    assert token.get("/sites", X_Token_Passphrase="wrong horse battery").status_code == 401
    assert token.get("/sites", X_Token_Passphrase=PASSPHRASE).status_code == 200


def test_the_passphrase_is_kept_by_argon2_and_shown_nowhere(api: ApiClient) -> None:
    response = create(api, passphrase=PASSPHRASE)
    made(response)
    stored = AccessToken.objects.get().passphrase
    assert stored.startswith("$argon2id$")
    answers = response.content + api.get("/access-tokens").content
    assert PASSPHRASE.encode() not in answers
    assert stored.encode() not in answers
    assert "passphrase" not in response.json()["data"]
    assert PASSPHRASE not in str([vars(event) for event in AuditEvent.objects.all()])


def test_without_one_it_says_so(api: ApiClient) -> None:
    assert made(create(api))["has_passphrase"] is False
    assert made(create(api, passphrase=None))["has_passphrase"] is False


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "ab"}, {"name": ["The name field must be at least 3 characters."]}),
        ({"name": "x" * 256}, {"name": ["The name field must not be greater than 255 characters."]}),
        ({"scopes": []}, {"scopes": ["The scopes field is required."]}),
        ({"scopes": ["all", "servers:read"]}, {"scopes.1": ["The selected scope servers:read is invalid."]}),
        (
            {"passphrase": "1234567"},
            {"passphrase": ["The passphrase field must be between 8 and 255 characters."]},
        ),
        (
            {"passphrase": "x" * 256},
            {"passphrase": ["The passphrase field must be between 8 and 255 characters."]},
        ),
        (
            {"passphrase": "zwölf Zeichen"},
            {"passphrase": ["The passphrase field may hold printable ASCII characters, and spaces inside."]},
        ),
        (
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"expires_at": ["The expires at field must be a date in the future."]},
        ),
        ({"permissions": ["read"]}, {"permissions": ["The permissions field is not known."]}),
    ],
)
def test_bad_input_makes_nothing(fields: dict[str, Any], expected: dict[str, list[str]], api: ApiClient) -> None:
    assert errors(create(api, **fields)) == expected
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("missing", ["name", "scopes"])
def test_name_and_scopes_are_required(missing: str, api: ApiClient) -> None:
    fields = {name: value for name, value in TOKEN.items() if name != missing}
    assert errors(api.post("/access-tokens", fields)) == {missing: [f"The {missing} field is required."]}


def test_the_shortest_and_the_longest_passphrase(api: ApiClient) -> None:
    for length in (8, 255):
        assert made(create(api, passphrase="p" * length))["has_passphrase"] is True


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("body", [{}, {"name": "Another name"}, TOKEN])
def test_it_never_changes(method: str, body: dict[str, Any], api: ApiClient, owner: Actor) -> None:
    token, _ = create_access_token(owner, name="Deployment", scopes=["all"])
    response = api.call(method, f"/access-tokens/{token.pk}", body)
    assert response.status_code == 409
    assert response.json()["message"] == "Access tokens cannot be changed."
    assert "make another" in response.json()["hint"]
    assert AccessToken.objects.get().name == "Deployment"


def test_deleting_ends_it_with_its_next_request(api: ApiClient) -> None:
    data = made(create(api))
    assert api.delete(f"/access-tokens/{data['id']}").status_code == 204
    assert ApiClient(data["value"]).get("/sites").status_code == 401
    for method in ("GET", "DELETE", "PUT"):
        assert api.call(method, f"/access-tokens/{data['id']}", {} if method == "PUT" else None).status_code == 404


def test_the_list_holds_the_organizations_access_tokens(api: ApiClient, owner: Actor, outsider: Actor) -> None:
    create_access_token(owner, name="mine", scopes=["all"])
    foreign, _ = create_access_token(outsider, name="foreign", scopes=["all"])
    assert [row["name"] for row in api.get("/access-tokens").json()["data"]] == ["mine"]
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = api.call(method, f"/access-tokens/{foreign.pk}", {} if method in ("PUT", "PATCH") else None)
        assert response.content == api.get("/nothing").content


def test_repeating_a_create_makes_one_token_and_does_not_show_it_again(api: ApiClient) -> None:
    first, again = (api.post("/access-tokens", TOKEN, idempotency_key="once") for _ in range(2))
    assert made(first)["value"].encode() not in again.content
    assert "value" not in made(again)
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "data", "ability"),
    [
        ("GET", "/access-tokens", None, "token:read"),
        ("POST", "/access-tokens", TOKEN, "token:create"),
        ("GET", "/access-tokens/{}", None, "token:read"),
        ("PUT", "/access-tokens/{}", {}, "token:update"),
        ("PATCH", "/access-tokens/{}", {}, "token:update"),
        ("DELETE", "/access-tokens/{}", None, "token:delete"),
    ],
)
def test_each_needs_its_ability(
    method: str, path: str, data: Any, ability: str, owner: Actor, member_api: ApiClient
) -> None:
    token, _ = create_access_token(owner, name="token", scopes=["all"])
    for api in (ApiClient.signed_in(owner, sorted(owner.abilities - {ability})), member_api):
        response = api.call(method, path.format(token.pk), data)
        assert response.status_code == 403
        assert ability in response.json()["message"]
    assert AccessToken.objects.unrevoked().count() == 1


def test_no_token_makes_one_that_can_do_or_see_more_or_lives_longer(owner: Actor, organization: Organization) -> None:
    mine, other = factories.server(organization), factories.server(organization)
    end = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    abilities = ["token:create", "site:read", "site:deploy"]
    _, text = create_token(owner, name="weak", abilities=abilities, expires_at=end, servers=[mine.pk])
    api = ApiClient(text)
    assert errors(create(api, scopes=["basic_deployment", "run_scripts"])) == {
        "scopes": ["You cannot give what you do not have yourself: script:read, script:run."]
    }
    assert list(errors(create(api, servers=[other.pk]))) == ["servers.0"]
    assert list(errors(create(api, expires_at=timestamp(end + timedelta(days=1))))) == ["expires_at"]
    data = made(create(api))
    assert (data["expires_at"], data["servers"]) == (timestamp(end), [mine.pk])
