"""The first page."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job, Status
from servers.models import Server
from sites.models import Deployment, Release, Site
from tests import factories
from tests.jobs.toy import Toy

pytestmark = pytest.mark.django_db


def text_of(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def site_of(server: Server, domain: str) -> Site:
    return Site.objects.create(
        organization=server.organization,
        server=server,
        domain=domain,
        username=domain.partition(".")[0],
        repository_url="https://git.example.com/site.git",
        status="active",
    )


def job_about(actor: Actor, site: Site, status: str) -> Job:
    job = enqueue_job(actor, kind=Toy.name, subject=site, label=f"Deploy {site}")
    Job.objects.filter(pk=job.pk).update(status=status, progress=40)
    return job


def test_without_a_server_it_offers_to_add_one(owner_client: Client, member_client: Client) -> None:
    page = text_of(owner_client)
    assert "Add your first server" in page
    assert 'href="/servers/new"' in page
    assert "Needs the ability server:create" in text_of(member_client)


def test_it_shows_servers_sites_jobs_and_deployments(owner: Actor, member_client: Client) -> None:
    server = factories.server(owner.organization, name="web-1")
    factories.server(owner.organization, name="web-2", status="failed")
    site = site_of(server, "shop.example.com")
    release = Release.objects.create(site=site, commit="3f2a9bc1" * 5, message="Faster checkout")
    Deployment.objects.create(site=site, ref="main", release=release, job=job_about(owner, site, Status.SUCCEEDED))
    running = job_about(owner, site, Status.RUNNING)
    page = text_of(member_client)
    for words in ("1 active", "1 failed", "web-1", "web-2", "shop.example.com", "3f2a9bc1", "Faster checkout"):
        assert words in page
    assert f"/jobs/{running.pk}" in page
    assert 'value="40"' in page


def test_it_shows_nothing_of_another_organization(owner: Actor, outsider: Actor, outsider_client: Client) -> None:
    site = site_of(factories.server(owner.organization, name="web-secret"), "secret.example.com")
    Deployment.objects.create(site=site, ref="main", job=job_about(owner, site, Status.RUNNING))
    factories.server(outsider.organization)
    page = text_of(outsider_client) + text_of(outsider_client, "/running")
    assert "secret" not in page


def test_the_running_jobs_are_asked_for_again(owner: Actor, owner_client: Client) -> None:
    site = site_of(factories.server(owner.organization), "shop.example.com")
    assert 'hx-get="/running"' in text_of(owner_client)
    assert "Nothing is running." in text_of(owner_client, "/running")
    waiting, running = job_about(owner, site, Status.QUEUED), job_about(owner, site, Status.RUNNING)
    part = text_of(owner_client, "/running")
    assert part.index(running.pk) < part.index(waiting.pk)
    assert "<html" not in part


def test_it_costs_as_many_queries_however_much_there_is(
    owner: Actor, owner_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        site = site_of(factories.server(owner.organization, name=f"web-{number}"), f"shop-{number}.example.com")
        Deployment.objects.create(site=site, ref="main", job=job_about(owner, site, Status.RUNNING))
    with django_assert_num_queries(11):
        text_of(owner_client)


def test_whoever_is_not_signed_in_is_sent_to_sign_in(owner: Actor, client: Client) -> None:
    assert client.get("/").headers["Location"] == "/accounts/login?next=/"
