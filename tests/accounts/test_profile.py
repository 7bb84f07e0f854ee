from django.test import Client

from audit.models import AuditEvent
from deploynix.actor import Actor


def test_everybody_changes_their_own_name(member_client: Client, member: Actor) -> None:
    response = member_client.post("/settings/profile", {"name": " Ada "}, follow=True)

    assert b"Your name is changed." in response.content
    event = AuditEvent.objects.get(event="user.updated")
    assert event.changes == {"name": ["Someone", "Ada"]}
    assert b'value="Ada"' in member_client.get("/settings/profile").content


def test_a_name_too_long_is_refused(member_client: Client) -> None:
    response = member_client.post("/settings/profile", {"name": "x" * 256})

    assert response.status_code == 422
    assert not AuditEvent.objects.filter(event="user.updated").exists()


def test_the_page_says_whether_the_second_factor_is_on(owner_client: Client) -> None:
    page = owner_client.get("/settings/profile").content.decode()

    assert "owner@acme.test" in page
    assert "/accounts/2fa" in page
    assert "Off" in page
