"""Rotation on schedule, and how the new secret reaches its people."""

import re
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.celery import app
from deploynix.mail import SMTP
from organizations.models import Membership, Organization, Role
from tests import factories
from tests.apiclient import ApiClient
from tokens import tasks
from tokens.actions import close_rotation, create_api_key, revoke_token, rotate_api_key
from tokens.models import ApiKey, Handover
from tools.ports import free_port

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"dep_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{36}")


def due_key(actor: Actor, **fields: Any) -> tuple[ApiKey, ApiClient]:
    schedule = {"auto_rotate": True, "rotation_period": "90d", "notification_email": "ops@acme.test"}
    defaults: dict[str, Any] = {"name": "production-key", "permissions": ["instances:read"], **schedule}
    key, text = create_api_key(actor, **(defaults | fields))
    ApiKey.objects.filter(pk=key.pk).update(rotates_at=timezone.now() - timedelta(seconds=1))
    return key, ApiClient(text)


def links() -> list[str]:
    """The paths in the mails, the oldest first."""
    found = [re.search(r"http://localhost:8000(/settings/api-keys/handover/\S+)", str(m.body)) for m in mail.outbox]
    assert all(found), [m.body for m in mail.outbox]
    return [match[1] for match in found if match]


def works(api: ApiClient) -> bool:
    return api.get("/sites").status_code == 200


def secret_in(html: str) -> str:
    found = SECRET.search(html)
    assert found, html
    return found[0]


def tomorrow() -> None:
    """A day goes by for what was handed over."""
    for handover in Handover.objects.exclude(mails_at=None):
        assert handover.mails_at
        Handover.objects.filter(pk=handover.pk).update(
            mails_at=handover.mails_at - timedelta(days=1), expires_at=handover.expires_at - timedelta(days=1)
        )


@pytest.fixture
def link(owner: Actor) -> str:
    due_key(owner)
    tasks.rotate_due()
    return links()[-1]


class TestTheSchedule:
    def test_beat_knows_it(self) -> None:
        entry = settings.CELERY_BEAT_SCHEDULE["rotate-due-keys"]
        assert entry["task"] == tasks.rotate_due.name
        assert entry["task"] in app.tasks

    def test_a_key_whose_time_has_come_is_rotated(self, owner: Actor) -> None:
        key, api = due_key(owner)
        tasks.rotate_due()
        key.refresh_from_db()
        new = key.successor
        assert new is not None
        assert key.expires_at == new.created_at + timedelta(days=7)
        assert new.rotates_at is not None
        assert new.rotates_at > timezone.now() + timedelta(days=89)
        assert new.user == owner.user
        assert works(api)
        event = AuditEvent.objects.get(event="token.rotated")
        assert (event.actor, event.target_id) == ("system", key.pk)

    def test_a_key_is_rotated_once(self, owner: Actor) -> None:
        due_key(owner)
        tasks.rotate_due()
        tasks.rotate_due()
        assert ApiKey.objects.count() == 2
        assert len(mail.outbox) == 1

    @pytest.mark.parametrize(
        "columns",
        [
            {"rotates_at": None},
            {"is_active": False},
            {"revoked_at": datetime.fromisoformat("2026-01-01T00:00:00Z")},
            {"expires_at": datetime.fromisoformat("2026-01-01T00:00:00Z")},
        ],
    )
    def test_what_is_not_due_or_opens_nothing_is_left_alone(self, columns: dict[str, Any], owner: Actor) -> None:
        key, _ = due_key(owner)
        ApiKey.objects.filter(pk=key.pk).update(**columns)
        tasks.rotate_due()
        assert ApiKey.objects.count() == 1
        assert not mail.outbox

    def test_a_key_that_cannot_be_rotated_keeps_no_other_from_it(
        self, owner: Actor, outsider: Actor, caplog: pytest.LogCaptureFixture
    ) -> None:
        stuck, _ = due_key(outsider)
        key, _ = due_key(owner)
        Organization.objects.filter(pk=outsider.organization.pk).update(plan="free")
        tasks.rotate_due()
        stuck.refresh_from_db()
        key.refresh_from_db()
        assert (stuck.successor, key.successor is not None) == (None, True)
        assert stuck.key_id in caplog.text
        assert stuck.rotates_at is not None
        assert stuck.rotates_at > timezone.now() + timedelta(minutes=59)


class TestTheMail:
    def test_it_says_what_to_do_and_by_when(self, owner: Actor) -> None:
        key, _ = due_key(owner)
        tasks.rotate_due()
        key.refresh_from_db()
        message = mail.outbox[0]
        assert message.to == ["ops@acme.test"]
        assert message.subject == "[Deploynix] Collect the new secret of production-key"
        assert key.expires_at is not None
        for text in (f"works until {key.expires_at:%-d %B %Y %H:%M} UTC", "of Acme", f"dep_live_{key.public_id}"):
            assert text in str(message.body)

    def test_it_goes_to_the_keys_maker_where_no_address_is_given(self, owner: Actor) -> None:
        due_key(owner, notification_email="")
        tasks.rotate_due()
        assert mail.outbox[0].to == ["owner@acme.test"]

    def test_a_name_with_lines_in_it_stays_in_the_subject(self, owner: Actor) -> None:
        due_key(owner, name="a key\nBcc: evil@example.com")
        tasks.rotate_due()
        assert mail.outbox[0].subject == "[Deploynix] Collect the new secret of a key Bcc: evil@example.com"

    def test_neither_mail_nor_database_holds_the_secret(self, link: str, owner_client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT digest, text FROM tokens_handover")
            stored = str(cursor.fetchall())
        mails = str([message.body for message in mail.outbox])
        text = secret_in(owner_client.post(link, follow=True).content.decode())
        assert text not in stored + mails
        assert link.rpartition("/")[2] not in stored

    def test_one_that_fails_is_sent_again_and_loses_nothing(
        self, owner: Actor, owner_client: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        due_key(owner)
        sending = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()
        tasks.rotate_due()
        assert "could not be mailed" in caplog.text
        assert not mail.outbox
        settings.EMAIL_BACKEND = sending
        tasks.rotate_due()
        assert not mail.outbox, "not at once"
        Handover.objects.update(mails_at=timezone.now())
        tasks.rotate_due()
        assert works(ApiClient(secret_in(owner_client.post(links()[0], follow=True).content.decode())))

    def test_a_worker_that_dies_while_it_sends_is_made_up_for(
        self, owner: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due_key(owner)

        def die(*_: Any, **__: Any) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr("tokens.actions.handover.send_mail", die)
            with pytest.raises(SystemExit):
                tasks.rotate_due()
        assert Handover.objects.get().mails_at is not None
        Handover.objects.update(mails_at=timezone.now())
        tasks.rotate_due()
        assert len(links()) == 1

    def test_a_reminder_each_day_until_somebody_has_it(self, link: str, owner_client: Client) -> None:
        tasks.rotate_due()
        assert len(mail.outbox) == 1
        tomorrow()
        tasks.rotate_due()
        assert len(mail.outbox) == 2
        assert owner_client.get(link).status_code == 404, "the newer mail's link took its place"
        owner_client.post(links()[-1])
        tomorrow()
        Handover.objects.update(mails_at=None)
        tasks.rotate_due()
        assert len(mail.outbox) == 2

    def test_none_after_the_old_secret_has_ended(self, link: str) -> None:
        for _ in range(10):
            tomorrow()
            tasks.rotate_due()
        assert len(mail.outbox) == 7
        handover = Handover.objects.get()
        assert (handover.text, handover.mails_at) == ("", None)

    def test_none_about_a_key_that_was_revoked(self, link: str, owner: Actor) -> None:
        revoke_token(owner, token=ApiKey.objects.get(successor=None))
        tomorrow()
        tasks.rotate_due()
        assert len(mail.outbox) == 1


class TestThePage:
    def test_it_shows_the_secret_once_after_the_button(self, link: str, owner_client: Client) -> None:
        page = owner_client.get(link)
        html = page.content.decode()
        assert "New secret of production-key" in html
        assert "Show the new secret" in html
        assert not SECRET.search(html)
        assert "no-store" in page["Cache-Control"]
        shown = owner_client.post(link, follow=True)
        text = secret_in(shown.content.decode())
        assert "no-store" in shown["Cache-Control"]
        assert works(ApiClient(text))
        again = owner_client.get(link)
        assert again.status_code == 404
        assert not SECRET.search(again.content.decode())
        assert "This link was used on" in again.content.decode()
        event = AuditEvent.objects.get(event="token.handed-over")
        assert event.target_id == ApiKey.objects.get(successor=None).pk

    def test_looking_at_it_uses_nothing_up(self, link: str, owner_client: Client) -> None:
        for _ in range(3):
            assert owner_client.get(link).status_code == 200
            assert owner_client.head(link).status_code == 200
        assert secret_in(owner_client.post(link, follow=True).content.decode())

    def test_afterwards_the_text_is_nowhere(self, link: str, owner_client: Client) -> None:
        owner_client.post(link, follow=True)
        handover = Handover.objects.get()
        assert handover.text == ""
        assert handover.opened_at is not None

    def test_the_second_who_presses_the_button_gets_nothing(
        self, link: str, owner_client: Client, owner: Actor
    ) -> None:
        second = factories.signed_in(factories.actor(owner.organization, Role.OWNER))
        assert second.get(link).status_code == 200
        owner_client.post(link)
        response = second.post(link, follow=True)
        assert response.status_code == 404
        assert not SECRET.search(response.content.decode())
        assert AuditEvent.objects.filter(event="token.handed-over").count() == 1

    def test_it_expires_with_the_old_secret(self, link: str, owner_client: Client) -> None:
        Handover.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        for response in (owner_client.get(link), owner_client.post(link)):
            assert response.status_code == 404
            assert "This link has expired." in response.content.decode()
        tasks.rotate_due()
        assert "This link has expired." in owner_client.get(link).content.decode()

    def test_a_link_that_was_never_made(self, owner_client: Client) -> None:
        response = owner_client.get("/settings/api-keys/handover/made-up")
        assert response.status_code == 404
        assert "This link is not valid." in response.content.decode()

    def test_a_revoked_key_is_not_handed_over(self, link: str, owner: Actor, owner_client: Client) -> None:
        revoke_token(owner, token=ApiKey.objects.get(successor=None))
        assert "The key was revoked." in owner_client.post(link).content.decode()

    def test_closing_the_old_secret_early_leaves_the_link(self, link: str, owner: Actor, owner_client: Client) -> None:
        close_rotation(owner, key=cast(ApiKey, ApiKey.objects.exclude(successor=None).get()))
        assert works(ApiClient(secret_in(owner_client.post(link, follow=True).content.decode())))

    def test_a_visitor_signs_in_first(self, link: str, client: Client) -> None:
        for response in (client.get(link), client.post(link)):
            assert response.status_code == 302
            assert "/accounts/login" in response["Location"]
        assert link in client.get(link)["Location"]

    @pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
    def test_a_member_who_may_not_change_keys_is_refused(
        self, role: str, link: str, organization: Organization
    ) -> None:
        client = factories.signed_in(factories.actor(organization, role))
        for response in (client.get(link), client.post(link)):
            assert response.status_code == 403
            assert "token:update" in response.content.decode()
        assert Handover.objects.get().opened_at is None

    def test_an_outsider_learns_nothing(self, link: str, outsider_client: Client) -> None:
        for response in (outsider_client.get(link), outsider_client.post(link)):
            assert response.status_code == 403
            assert "production-key" not in response.content.decode()
            assert "Acme" not in response.content.decode()
        assert Handover.objects.get().opened_at is None

    def test_it_opens_whichever_organization_the_member_has_open(
        self, link: str, outsider: Actor, outsider_client: Client, organization: Organization
    ) -> None:
        assert outsider.user is not None
        Membership.objects.create(organization=organization, user=outsider.user, role=Role.ADMIN)
        assert works(ApiClient(secret_in(outsider_client.post(link, follow=True).content.decode())))
        assert AuditEvent.objects.get(event="token.handed-over").organization == organization

    def test_an_admin_does_not_collect_what_acts_as_the_owner(self, owner: Actor) -> None:
        due_key(owner, permissions=["teams:write"])
        tasks.rotate_due()
        client = factories.signed_in(factories.actor(owner.organization, Role.ADMIN))
        response = client.post(links()[0])
        assert response.status_code == 403
        assert "organization:update" in response.content.decode()
        assert Handover.objects.get().opened_at is None


def test_a_manual_rotation_hands_nothing_over(owner: Actor) -> None:
    key, _ = due_key(owner)
    rotate_api_key(owner, key=key)
    tasks.rotate_due()
    assert not Handover.objects.exists()
    assert not mail.outbox
