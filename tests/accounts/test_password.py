"""Resetting a forgotten password by mail, and changing a known one."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.mail import SMTP
from tests import factories
from tests.accounts.pages import sign_in, without_typed
from tools.ports import free_port

NEW = "a staple that is new"


def link_of(message: mail.EmailMessage) -> str:
    found = re.search(r"http://testserver(/accounts/password/reset/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def reset(client: Client, email: str, password: str = NEW) -> str:
    client.post("/accounts/password/reset", {"email": email})
    link = link_of(mail.outbox[-1])
    form = client.get(link)
    answer = client.post(form["Location"], {"password1": password, "password2": password})
    assert answer["Location"] == "/accounts/password/reset/done"
    return link


def test_resets_the_password_by_mail(client: Client, owner: Actor, owner_client: Client) -> None:
    reset(client, "Owner@acme.test")

    assert mail.outbox[0].to == ["owner@acme.test"]
    assert mail.outbox[0].subject == "[Deploynix] Choose a new password"
    assert client.get("/accounts/password/reset/done").status_code == 200
    assert sign_in(client, "owner@acme.test", factories.PASSWORD).status_code == 200
    assert sign_in(client, "owner@acme.test", NEW).status_code == 302
    assert AuditEvent.objects.get(event="user.password-changed").target == "owner@acme.test"
    assert owner_client.get("/settings/profile").status_code == 302, "a browser signed in before still is"


def test_a_reset_link_works_once(client: Client, owner: Actor) -> None:
    link = reset(client, "owner@acme.test")

    assert b"not valid any more" in Client().get(link).content


def test_a_forged_reset_link_is_refused(client: Client, owner: Actor) -> None:
    client.post("/accounts/password/reset", {"email": "owner@acme.test"})
    forged = link_of(mail.outbox[0])[:-1] + "x"

    assert b"not valid any more" in client.get(forged).content


def test_a_weak_new_password_is_refused(client: Client, owner: Actor) -> None:
    client.post("/accounts/password/reset", {"email": "owner@acme.test"})
    form = client.get(link_of(mail.outbox[0]))

    response = client.post(form["Location"], {"password1": "short", "password2": "short"})

    assert b"at least 10 characters" in response.content
    assert sign_in(client, "owner@acme.test", "short").status_code == 200


def test_the_page_does_not_tell_whether_an_address_has_an_account(client: Client, owner: Actor) -> None:
    known = client.post("/accounts/password/reset", {"email": "owner@acme.test"}, follow=True)
    unknown = client.post("/accounts/password/reset", {"email": "nobody@acme.test"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain
    assert without_typed(known, "owner@acme.test") == without_typed(unknown, "nobody@acme.test")
    assert [message.to for message in mail.outbox] == [["owner@acme.test"], ["nobody@acme.test"]]
    assert "no account has this address" in mail.outbox[1].body


def test_changes_the_password_and_keeps_this_browser_signed_in(owner: Actor, owner_client: Client) -> None:
    elsewhere = factories.signed_in(owner)

    response = owner_client.post(
        "/accounts/password/change", {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}
    )

    assert response["Location"] == "/settings/profile"
    assert owner_client.get("/settings/profile").status_code == 200
    assert elsewhere.get("/settings/profile").status_code == 302
    assert AuditEvent.objects.get(event="user.password-changed").ip == "127.0.0.1"
    assert "changed" in mail.outbox[0].body


def test_without_a_mail_server_the_password_is_changed_all_the_same(
    owner_client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    response = owner_client.post(
        "/accounts/password/change", {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}
    )

    assert response["Location"] == "/settings/profile"
    assert "account/email/password_changed was not sent" in caplog.text


def test_a_wrong_old_password_changes_nothing(client: Client, owner: Actor, owner_client: Client) -> None:
    response = owner_client.post(
        "/accounts/password/change", {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    )

    assert response.status_code == 200
    assert sign_in(client, "owner@acme.test", factories.PASSWORD).status_code == 302


@pytest.mark.parametrize("path", ["/accounts/password/change", "/accounts/2fa", "/accounts/2fa/recovery-codes"])
def test_a_stranger_is_asked_to_sign_in(client: Client, owner: Actor, path: str) -> None:
    assert client.get(path)["Location"].startswith("/accounts/login")
