"""The pages of servers, for an owner, a viewer and a stranger."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from servers import ssh
from servers.models import Comparison, LogReading, Server, Status
from tests import factories

KEY = ssh.generate_key("someone")
FORM = {"name": "web-1", "ip_address": "203.0.113.10", "ssh_port": "22", "login_user": "root", "database_type": "none"}
TABS = ("", "/configuration", "/logs", "/jobs", "/settings")


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, name="web-7", provisioned_at=timezone.now(), php_version="8.2")


def text_of(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_list_offers_the_next_step(owner_client: Client, member_client: Client) -> None:
    assert 'href="/servers/new"' in text_of(owner_client, "/servers")
    page = text_of(member_client, "/servers")
    assert 'href="/servers/new"' not in page
    assert "needs the ability server:create" in page


def test_the_list_searches_and_stays_cheap(
    owner: Actor, owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        factories.site(factories.server(owner.organization, name=f"app-{number}"))
    with django_assert_max_num_queries(8):
        page = text_of(owner_client, "/servers")
    assert "app-19" in page
    found = text_of(owner_client, "/servers?q=app-7")
    assert "app-7" in found
    assert "app-19" not in found
    assert "No server matches" in text_of(owner_client, "/servers?q=nothing")


def test_adding_a_server_leads_to_the_line_to_paste(owner_client: Client) -> None:
    response = owner_client.post("/servers/new", FORM | {"php_version": "8.2"})
    server = Server.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/servers/{server.pk}")
    page = text_of(owner_client, response["Location"])
    assert "Let Deploynix in" in page
    assert server.public_key in page
    response = owner_client.post(f"/servers/{server.pk}/provision")
    assert response["Location"] == f"/jobs/{Job.objects.get().pk}"
    assert "Running jobs" in text_of(owner_client, f"/servers/{server.pk}")


def test_what_the_action_refuses_stands_at_its_field(owner_client: Client) -> None:
    response = owner_client.post("/servers/new", FORM | {"ip_address": "127.0.0.1", "private_key": KEY.private})
    assert response.status_code == 422
    assert "is not the address of a server" in response.content.decode()
    assert not Server.objects.exists()
    response = owner_client.post("/servers/new", FORM | {"private_key": "nonsense"})
    assert "cannot be read" in response.content.decode()


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_works_with_and_without_data(
    owner_client: Client, member_client: Client, outsider_client: Client, owner: Actor, server: Server, tab: str
) -> None:
    fresh = factories.server(owner.organization, status=Status.PENDING)
    factories.site(server, domain="shop.example")
    Comparison.objects.create(
        server=server,
        compared_at=timezone.now(),
        differences=[
            {"path": "/etc/a", "action": "update", "diff": "-old\n+<new>\n", "secret": False},
            {"path": "/srv/b/.env", "action": "update", "diff": None, "secret": True},
        ],
    )
    LogReading.objects.create(server=server, name="nginx-error", text="<b>line</b>", read_at=timezone.now())
    for client in (owner_client, member_client):
        page = text_of(client, f"/servers/{server.pk}{tab}")
        assert "web-7" in page
        assert "style=" not in page
        assert "<script>" not in page
        text_of(client, f"/servers/{fresh.pk}{tab}")
    assert outsider_client.get(f"/servers/{server.pk}{tab}").status_code == 404
    assert Client().get(f"/servers/{server.pk}{tab}").status_code == 302


def test_what_differs_is_shown_and_secrets_are_not(owner_client: Client, server: Server) -> None:
    Comparison.objects.create(
        server=server,
        compared_at=timezone.now(),
        differences=[
            {"path": "/etc/a", "action": "update", "diff": "-old\n+<new>\n", "secret": False},
            {"path": "/srv/b/.env", "action": "update", "diff": None, "secret": True},
        ],
    )
    page = text_of(owner_client, f"/servers/{server.pk}/configuration")
    assert "+&lt;new&gt;" in page
    assert "its text stays on the server" in page
    owner_client.post(f"/servers/{server.pk}/check")
    part = text_of(owner_client, f"/servers/{server.pk}/configuration", HX_Request="true")
    assert "every 1s" in part
    assert "<html" not in part


def test_a_changed_host_key_shows_both_fingerprints(
    owner_client: Client, member_client: Client, server: Server
) -> None:
    server.host_key_fingerprint, server.refused_fingerprint = "SHA256:old", ssh.fingerprint(KEY.public)
    server.save()
    page = text_of(owner_client, f"/servers/{server.pk}")
    assert "SHA256:old" in page
    assert "The host key has changed" in page
    assert "needs the ability server:update" in text_of(member_client, f"/servers/{server.pk}")
    owner_client.post(f"/servers/{server.pk}/accept-host-key", {"fingerprint": ssh.fingerprint(KEY.public)})
    assert Job.objects.get().kind == "accept_host_key"


def test_settings_change_the_server(owner_client: Client, member_client: Client, server: Server) -> None:
    form = {"name": "renamed", "ip_address": server.ip_address, "ssh_port": "2222"}
    assert owner_client.post(f"/servers/{server.pk}/settings", form).status_code == 302
    server.refresh_from_db()
    assert (server.name, server.ssh_port, server.monitoring_enabled, server.php_version) == (
        "renamed",
        2222,
        False,
        "8.2",
    )
    assert member_client.post(f"/servers/{server.pk}/settings", form).status_code in (403, 422)


def test_removing_asks_for_the_name(owner_client: Client, member_client: Client, server: Server) -> None:
    owner_client.post(f"/servers/{server.pk}/delete", {"confirm": "something else"})
    assert not Job.objects.exists()
    assert member_client.post(f"/servers/{server.pk}/delete", {"confirm": "web-7"}).status_code == 403
    owner_client.post(f"/servers/{server.pk}/delete", {"confirm": "web-7"})
    assert Job.objects.get().kind == "delete_server"


@pytest.mark.parametrize("path", ["restart/nginx", "restart/reboot", "provision", "apply"])
def test_buttons_start_jobs_for_those_who_may(
    owner_client: Client, member_client: Client, outsider_client: Client, server: Server, path: str
) -> None:
    assert member_client.post(f"/servers/{server.pk}/{path}").status_code == 403
    assert outsider_client.post(f"/servers/{server.pk}/{path}").status_code == 404
    assert owner_client.get(f"/servers/{server.pk}/{path}").status_code == 405
    assert not Job.objects.exists()
    response = owner_client.post(f"/servers/{server.pk}/{path}")
    assert response["Location"] == f"/jobs/{Job.objects.get().pk}"


def test_a_failed_provisioning_says_why(owner_client: Client, owner: Actor) -> None:
    server = factories.server(owner.organization, status=Status.FAILED, status_reason="PHP 8.3 is not available.")
    assert "PHP 8.3 is not available." in text_of(owner_client, f"/servers/{server.pk}")


def test_a_private_key_is_not_shown_again_where_the_form_has_a_mistake(owner_client: Client) -> None:
    response = owner_client.post("/servers/new", {"name": "web 1", "ip_address": "x", "private_key": "made-up-key"})
    assert response.status_code == 422
    assert "made-up-key" not in response.content.decode()
