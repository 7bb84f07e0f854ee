"""TOTP and recovery codes, with real codes."""

import re
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor
from tests import factories
from tests.accounts.pages import sign_in

NOW = 1_790_000_000


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands still, so that no code ends between its making and its use."""
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: NOW))


def code(secret: str, later: int = 0) -> str:
    """RFC 6238; `later` periods of 30 seconds ahead."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, NOW // 30 + later)))


def turn_on(client: Client) -> tuple[str, list[str]]:
    """The secret, and the recovery codes as the page showed them."""
    client.post("/accounts/reauthenticate", {"password": factories.PASSWORD})
    page = client.get("/accounts/2fa/totp/activate").content.decode()
    secret = re.search(r"<pre>([A-Z2-7]{32})</pre>", page)
    assert secret, page
    answer = client.post("/accounts/2fa/totp/activate", {"code": code(secret[1])})
    assert answer["Location"] == "/accounts/2fa/recovery-codes"
    return secret[1], shown_codes(client)


def shown_codes(client: Client) -> list[str]:
    page = client.get("/accounts/2fa/recovery-codes").content.decode()
    found = re.search(r"<pre>([\w\s]+)</pre>", page)
    return found[1].split() if found else []


@pytest.fixture
def protected(owner_client: Client) -> tuple[str, list[str]]:
    return turn_on(owner_client)


def test_asks_for_the_password_before_anything_is_set_up(owner_client: Client) -> None:
    response = owner_client.get("/accounts/2fa/totp/activate")
    assert response["Location"] == "/accounts/reauthenticate?next=%2Faccounts%2F2fa%2Ftotp%2Factivate"

    form = owner_client.get(response["Location"])
    wrong = owner_client.post(response["Location"], {"password": "wrong"})
    right = owner_client.post(
        response["Location"], {"password": factories.PASSWORD, "next": "/accounts/2fa/totp/activate"}
    )

    assert b"password" in form.content
    assert wrong.status_code == 200
    assert right["Location"] == "/accounts/2fa/totp/activate"


def test_the_qr_code_shows_under_the_content_security_policy(owner_client: Client) -> None:
    owner_client.post("/accounts/reauthenticate", {"password": factories.PASSWORD})
    page = owner_client.get("/accounts/2fa/totp/activate")

    assert b'src="data:image/svg+xml;base64,' in page.content
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    assert b"style=" not in page.content


def test_a_wrong_code_turns_nothing_on(owner_client: Client, owner: Actor) -> None:
    owner_client.post("/accounts/reauthenticate", {"password": factories.PASSWORD})
    owner_client.get("/accounts/2fa/totp/activate")

    response = owner_client.post("/accounts/2fa/totp/activate", {"code": "000000"})

    assert b"Incorrect code" in response.content
    assert not Authenticator.objects.exists()


def test_signing_in_takes_a_code(client: Client, protected: tuple[str, list[str]]) -> None:
    response = sign_in(client, "owner@acme.test")
    assert response["Location"] == "/accounts/2fa/authenticate"
    assert client.get("/settings/profile").status_code == 302, "the password alone is not enough"

    refused = client.post("/accounts/2fa/authenticate", {"code": "000000"})
    assert b"Incorrect code" in refused.content
    assert AuditEvent.objects.filter(event="user.sign-in-failed").exists()

    client.post("/accounts/2fa/authenticate", {"code": code(protected[0], later=-1)})
    assert client.get("/settings/profile").status_code == 302, "a code of half a minute ago is too old"

    client.post("/accounts/2fa/authenticate", {"code": code(protected[0])})
    assert client.get("/settings/profile").status_code == 200
    assert AuditEvent.objects.filter(event="user.signed-in").count() == 1


def test_a_code_works_once(protected: tuple[str, list[str]]) -> None:
    used = code(protected[0])
    for client in (first := Client(), second := Client()):
        sign_in(client, "owner@acme.test")
        client.post("/accounts/2fa/authenticate", {"code": used})

    assert first.get("/settings/profile").status_code == 200
    assert second.get("/settings/profile").status_code == 302


def test_a_recovery_code_lets_in_once(client: Client, protected: tuple[str, list[str]]) -> None:
    recovery = protected[1]
    assert len(recovery) == 10
    sign_in(client, "owner@acme.test")
    client.post("/accounts/2fa/authenticate", {"code": recovery[0]})
    assert client.get("/settings/profile").status_code == 200

    again = Client()
    sign_in(again, "owner@acme.test")
    again.post("/accounts/2fa/authenticate", {"code": recovery[0]})
    assert again.get("/settings/profile").status_code == 302


def test_recovery_codes_are_shown_once(owner_client: Client, protected: tuple[str, list[str]]) -> None:
    assert shown_codes(owner_client) == []

    owner_client.post("/accounts/2fa/recovery-codes/generate")

    fresh = shown_codes(owner_client)
    assert len(fresh) == 10
    assert not set(fresh) & set(protected[1])


def test_nothing_of_it_is_stored_in_the_clear(protected: tuple[str, list[str]]) -> None:
    stored = {row.type: row.data for row in Authenticator.objects.all()}

    assert protected[0] not in str(stored)
    assert not any(recovery in str(stored) for recovery in protected[1])
    assert stored["totp"]["secret"].startswith("gAAAA")


@pytest.mark.django_db(transaction=True)
def test_the_audit_log_tells_of_every_step(owner_client: Client, owner: Actor) -> None:
    turn_on(owner_client)
    owner_client.post("/accounts/2fa/recovery-codes/generate")
    owner_client.post("/accounts/2fa/totp/deactivate")

    told = list(AuditEvent.objects.filter(event__startswith="user.").values_list("event", flat=True))
    assert sorted(told) == [
        "user.recovery-codes-made",
        "user.recovery-codes-made",
        "user.second-factor-added",
        "user.second-factor-removed",
    ]
    assert not Authenticator.objects.exists()
    assert b"data:image" not in owner_client.get("/accounts/2fa").content
