"""The pages of sites, for an owner, a viewer and a stranger."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from jobs.models import Job
from servers.models import Server
from sites.actions.deployments import deploy_site
from sites.actions.environment import create_environment_variable
from sites.models import EnvironmentVariable, Site
from tests import factories
from tests.sites.conftest import address_of

pytestmark = pytest.mark.django_db

FORM = {
    "domain": "shop.example.com",
    "aliases": "www.example.com\n\nold.example.com",
    "type": "static",
    "repository_url": "git@git.example.com:acme/shop.git",
    "branch": "main",
    "web_root": "public",
    "build_commands": "npm ci\r\nnpm run build",
    "health_path": "/",
    "shared_folders": "",
    "php_version": "",
    "is_https_forced": "on",
}


def text_of(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_leads_from_nothing_to_sites_and_stays_cheap(
    owner: Actor, owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    assert "add one first" in text_of(owner_client, "/sites")
    server = factories.server(owner.organization)
    assert "Choose a server" in text_of(owner_client, "/sites")
    for number in range(20):
        factories.site(server, domain=f"s{number}.example")
    with django_assert_max_num_queries(8):
        assert "s19.example" in text_of(owner_client, "/sites")
    found = text_of(owner_client, "/sites?q=s7.exa")
    assert "s7.example" in found
    assert "s19.example" not in found


def test_a_site_is_added_and_shows_its_deploy_key(owner_client: Client, server: Server) -> None:
    response = owner_client.post(f"/servers/{server.pk}/sites/new", FORM)
    site = Site.objects.get()
    assert (response.status_code, response["Location"]) == (302, address_of(site))
    assert site.aliases == ["www.example.com", "old.example.com"]
    page = text_of(owner_client, address_of(site))
    assert site.deploy_public_key in page
    assert "Not deployed yet" in page


def test_what_is_refused_stands_at_its_field(owner_client: Client, server: Server) -> None:
    response = owner_client.post(f"/servers/{server.pk}/sites/new", FORM | {"web_root": "../etc", "branch": "-x"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "is not a folder inside the repository" in page
    assert "cannot be the name of a branch" in page
    assert not Site.objects.exists()


def test_deploying_leads_to_the_job_and_the_page_follows(owner: Actor, owner_client: Client, live: Site) -> None:
    response = owner_client.post(address_of(live, "/deploy"))
    job = Job.objects.get()
    assert response["Location"] == f"/jobs/{job.pk}"
    page = text_of(owner_client, address_of(live))
    assert f'href="/jobs/{job.pk}"' in page
    assert 'hx-trigger="every 2s"' in page
    assert "<html" not in text_of(owner_client, address_of(live), HX_Request="true")
    response = owner_client.post(address_of(live, "/roll-back/01A"))
    assert response.status_code == 302
    assert Job.objects.filter(kind="rollback_site").count() == 1


def test_a_refused_rollback_says_why(owner_client: Client, live: Site) -> None:
    response = owner_client.post(address_of(live, "/roll-back/01B"), follow=True)
    assert "no longer on the server" in response.content.decode()
    assert not Job.objects.exists()


def test_the_environment_page_shows_names_and_reveals_by_an_audited_button(
    owner: Actor, owner_client: Client, live: Site
) -> None:
    address = address_of(live, "/environment")
    assert "No variables yet" in text_of(owner_client, address)
    owner_client.post(address, {"name": "APP_KEY", "value": "s3cret-value"})
    variable = EnvironmentVariable.objects.get()
    for page in (address, f"{address}/{variable.pk}"):
        text = text_of(owner_client, page)
        assert "APP_KEY" in text
        assert "s3cret-value" not in text
    response = owner_client.post(f"{address}/{variable.pk}/reveal")
    assert "s3cret-value" in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert AuditEvent.objects.filter(event="env.revealed").count() == 1
    owner_client.post(f"{address}/{variable.pk}", {"value": "an0ther"})
    variable.refresh_from_db()
    assert variable.value == "an0ther"
    owner_client.post(f"{address}/{variable.pk}/delete")
    assert not EnvironmentVariable.objects.exists()
    assert owner_client.post(f"{address}/pull")["Location"] == f"/jobs/{Job.objects.get().pk}"


def test_settings_change_the_site(owner_client: Client, live: Site) -> None:
    address = address_of(live, "/settings")
    form = FORM | {"aliases": "", "web_root": "", "build_commands": "", "branch": "next"}
    assert owner_client.post(address, form)["Location"] == address
    live.refresh_from_db()
    assert live.branch == "next"
    # A box that is not ticked is not sent.
    changed = {name: value for name, value in form.items() if name != "is_https_forced"} | {"web_root": "dist"}
    assert owner_client.post(address, changed)["Location"] == f"/jobs/{Job.objects.get().pk}"
    live.refresh_from_db()
    assert not live.is_https_forced
    Site.objects.update(is_zero_downtime=False)
    assert "Enable" in text_of(owner_client, address)
    assert owner_client.post(address_of(live, "/enable-zero-downtime"))["Location"] == address
    live.refresh_from_db()
    assert live.is_zero_downtime


def test_suspending_resuming_and_removing(owner_client: Client, live: Site) -> None:
    assert "Suspend" in text_of(owner_client, address_of(live, "/settings"))
    assert "/jobs/" in owner_client.post(address_of(live, "/suspend"))["Location"]
    Site.objects.update(status="suspended")
    assert "Resume" in text_of(owner_client, address_of(live, "/settings"))
    assert "/jobs/" in owner_client.post(address_of(live, "/resume"))["Location"]
    wrong = owner_client.post(address_of(live, "/delete"), {"confirm": "shop"}, follow=True)
    assert "Nothing was removed" in wrong.content.decode()
    assert "/jobs/" in owner_client.post(address_of(live, "/delete"), {"confirm": live.domain})["Location"]
    assert "Forget this site" in text_of(owner_client, address_of(live, "/settings"))


def test_a_viewer_sees_and_is_told_what_is_missing(member_client: Client, live: Site) -> None:
    page = text_of(member_client, address_of(live))
    assert "needs the ability site:deploy" in page
    assert "needs the ability site:rollback" in page
    text_of(member_client, address_of(live, "/settings"))
    assert member_client.get(address_of(live, "/environment")).status_code == 403
    for rest in ("/deploy", "/roll-back/01A", "/suspend", "/resume", "/enable-zero-downtime", "/settings", "/delete"):
        data = FORM | {"confirm": live.domain, "web_root": "other"}
        assert member_client.post(address_of(live, rest), data).status_code in (403, 422), rest
    live.refresh_from_db()
    assert (live.status, live.web_root) == ("active", "")
    assert not Job.objects.exists()


def test_a_stranger_finds_nothing(owner: Actor, outsider_client: Client, live: Site) -> None:
    variable = create_environment_variable(owner, site=live, name="APP_KEY", value="s3cret-value")
    deploy_site(owner, site=live)
    assert live.domain not in text_of(outsider_client, "/sites")
    for rest in ("", "/settings", "/environment", f"/environment/{variable.pk}"):
        assert outsider_client.get(address_of(live, rest)).status_code == 404
    for rest in ("/deploy", "/delete", f"/environment/{variable.pk}/reveal", "/roll-back/01A"):
        assert outsider_client.post(address_of(live, rest), {"confirm": live.domain}).status_code == 404
    assert Job.objects.count() == 1
