"""POST /login, /register and /logout."""

from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEvent
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.api.throttling import reset_limits
from organizations.models import Membership, Organization
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.models import Token

pytestmark = pytest.mark.django_db
NOW = 1_790_000_000
NEW = {
    "name": "Ada",
    "email": "ada@acme.test",
    "password": "a long sentence of mine",
    "organization": "Analytical Engines",
}


def login(**more: Any) -> Response:
    return ApiClient().post("/login", {"email": "owner@acme.test", "password": factories.PASSWORD} | more)


def errors(response: Response) -> dict[str, list[str]]:
    assert response.status_code == 422, response.content
    found: dict[str, list[str]] = response.json()["errors"]
    return found


def body_of(response: Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_login_answers_a_token_with_every_ability_of_the_role(owner: Actor) -> None:
    body = body_of(login())
    assert body["data"]["email"] == "owner@acme.test"
    assert body["data"]["abilities"] == sorted(ROLES["owner"])
    assert body_of(ApiClient(body["token"]).get("/user"))["data"] == body["data"]
    assert AuditEvent.objects.get(event="user.signed-in").ip == "127.0.0.1"
    assert AuditEvent.objects.filter(event="token.created").exists()


def test_a_login_may_ask_for_less(owner: Actor) -> None:
    body = body_of(login(abilities=["server:read", "site:read", "site:deploy"]))
    assert body["data"]["abilities"] == ["server:read", "site:deploy", "site:read"]


def test_the_address_is_read_in_any_case(owner: Actor) -> None:
    assert login(email="Owner@ACME.test").status_code == 200


def test_wrong_credentials_are_told_and_audited_and_an_unknown_address_looks_the_same(owner: Actor) -> None:
    wrong, unknown = login(password="wrong"), login(email="nobody@acme.test")
    assert errors(wrong) == {"email": ["These credentials do not match our records."]}
    assert wrong.content == unknown.content
    assert AuditEvent.objects.get(event="user.sign-in-failed").target_id == owner.user.pk  # type: ignore[union-attr]
    assert not Token.objects.exists()


def test_an_inactive_user_is_a_stranger(owner: Actor) -> None:
    User.objects.update(is_active=False)
    assert errors(login()) == {"email": ["These credentials do not match our records."]}


def test_an_unknown_ability_is_named(owner: Actor) -> None:
    assert list(errors(login(abilities=["site:read", "site:explode"]))) == ["abilities.1"]
    assert not Token.objects.exists()


def test_missing_fields_are_named() -> None:
    assert errors(ApiClient().post("/login", {})) == {
        "email": ["The email field is required."],
        "password": ["The password field is required."],
    }


def test_a_login_chooses_the_organization_by_id_or_name(owner: Actor, outsider: Actor) -> None:
    other = outsider.organization
    Membership.objects.create(organization=other, user=owner.user, role="viewer")  # type: ignore[misc]
    assert body_of(login())["data"]["organization"]["name"] == "Acme"
    for chosen in (other.pk, "Other"):
        data = body_of(login(organization=chosen))["data"]
        assert data["organization"]["id"] == other.pk
        assert data["role"] == "viewer"
    assert list(errors(login(organization="Nowhere"))) == ["organization"]


def test_of_two_organizations_with_one_name_the_id_is_asked_for(owner: Actor) -> None:
    twin = factories.organization("Acme")
    Membership.objects.create(organization=twin, user=owner.user, role="viewer")  # type: ignore[misc]
    assert "id" in errors(login(organization="Acme"))["organization"][0]


def test_an_organization_of_others_looks_like_none(owner: Actor, outsider: Actor) -> None:
    foreign, none = login(organization=outsider.organization.pk), login(organization="Nowhere")
    assert foreign.status_code == none.status_code == 422
    assert foreign.content == none.content


def test_a_plan_without_the_api_gives_no_token(owner: Actor) -> None:
    Organization.objects.update(plan="starter")
    response = login()
    assert response.status_code == 403
    assert "Upgrade" in response.json()["hint"]
    assert not Token.objects.exists()


@pytest.fixture
def secret(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> str:
    """The owner's second factor; the clock of codes stands still."""
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: NOW))
    secret: str = totp.generate_totp_secret()
    totp.TOTP.activate(owner.user, secret)
    RecoveryCodes.activate(owner.user)
    return secret


def code(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, NOW // 30)))


def test_with_a_second_factor_the_password_alone_gives_no_token(owner: Actor, secret: str) -> None:
    assert list(errors(login())) == ["otp"]
    assert not Token.objects.exists()


def test_a_code_of_the_authenticator_opens_once(owner: Actor, secret: str) -> None:
    assert login(otp=code(secret)).status_code == 200
    assert list(errors(login(otp=code(secret)))) == ["otp"]


def test_a_recovery_code_opens_once(owner: Actor, secret: str) -> None:
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert login(otp=codes[0]).status_code == 200
    assert list(errors(login(otp=codes[0]))) == ["otp"]


def test_a_wrong_code_is_audited(owner: Actor, secret: str) -> None:
    assert list(errors(login(otp="000000"))) == ["otp"]
    assert AuditEvent.objects.filter(event="user.sign-in-failed").exists()
    assert not Token.objects.exists()


def test_a_wrong_password_says_nothing_of_a_second_factor(owner: Actor, secret: str) -> None:
    assert list(errors(login(password="wrong", otp=code(secret)))) == ["email"]


def test_the_first_user_registers_and_owns_an_organization() -> None:
    body = body_of(ApiClient().post("/register", NEW), 201)
    assert body["data"]["role"] == "owner"
    assert body["data"]["organization"]["name"] == "Analytical Engines"
    assert body_of(ApiClient(body["token"]).get("/user"))["data"]["email"] == "ada@acme.test"
    assert User.objects.get().check_password(NEW["password"])


def test_registration_is_closed_to_others(owner: Actor) -> None:
    response = ApiClient().post("/register", NEW)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "registration_closed"
    assert "invite" in response.json()["hint"]
    assert User.objects.count() == 1


def test_registration_open_by_setting(owner: Actor, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True
    assert ApiClient().post("/register", NEW | {"password_confirmation": NEW["password"]}).status_code == 201
    assert "email" in errors(ApiClient().post("/register", NEW))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password_confirmation": "another"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"name": ""}, "name"),
        ({"organization": " "}, "organization"),
        ({"role": "owner"}, "role"),
    ],
)
def test_a_registration_that_is_refused_leaves_nothing(change: dict[str, str], field: str) -> None:
    assert list(errors(ApiClient().post("/register", NEW | change))) == [field]
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_registering_again_with_the_same_key_answers_without_the_token() -> None:
    first = body_of(ApiClient().post("/register", NEW, idempotency_key="k1"), 201)
    again = ApiClient().post("/register", NEW, idempotency_key="k1")
    assert again["Idempotency-Replayed"] == "true"
    assert body_of(again, 201) == {"data": first["data"]}
    assert User.objects.count() == 1


def test_a_logout_ends_the_token_that_signs_it(api: ApiClient, owner: Actor) -> None:
    other = ApiClient.signed_in(owner)
    assert body_of(api.post("/logout")) == {"message": "Signed out."}
    assert api.get("/user").status_code == 401
    assert other.get("/user").status_code == 200


def test_guessing_one_account_from_many_addresses_ends(owner: Actor, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(12):
        reset_limits()
        wrong = {"email": "owner@acme.test", "password": f"guess {number}"}
        last = ApiClient().post("/login", wrong, x_forwarded_for=f"203.0.113.{number}")
    assert last.status_code in (422, 429)
    right = {"email": "owner@acme.test", "password": factories.PASSWORD}
    assert ApiClient().post("/login", right, x_forwarded_for="198.51.100.1").status_code != 200
