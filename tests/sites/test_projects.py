"""Projects, for an owner, a viewer and a stranger: what groups sites, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor, Resources
from deploynix.errors import Conflict, Denied, Invalid
from servers.models import Server
from sites.actions.deployments import deploy_site
from sites.actions.projects import assign_sites, create_project, delete_project, update_project
from sites.actions.sites import create_site, update_site
from sites.models import Project, Site
from tests import factories
from tests.apiclient import ApiClient
from tests.sites.conftest import address_of, fields
from tests.sites.test_api import read
from tests.sites.test_pages import FORM, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(owner: Actor) -> Project:
    return create_project(owner, name=" Web shop ", description="What sells")


def events(prefix: str = "project.") -> list[tuple[str, Any]]:
    rows = AuditEvent.objects.filter(event__startswith=prefix).order_by("id")
    return list(rows.values_list("event", "changes"))


def test_a_project_is_made_changed_and_removed(owner: Actor, project: Project) -> None:
    assert (project.name, project.organization) == ("Web shop", owner.organization)
    update_project(owner, project=project, name="Shop")
    update_project(owner, project=project, name="Shop", description="What sells")
    delete_project(owner, project=project)
    assert events() == [
        ("project.created", {}),
        ("project.updated", {"name": ["Web shop", "Shop"]}),
        ("project.deleted", {}),
    ]
    assert not Project.objects.exists()


@pytest.mark.parametrize("values", [{"name": " "}, {"name": "x" * 256}, {"description": "x" * 1001}])
def test_bad_values_change_nothing(owner: Actor, project: Project, values: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        update_project(owner, project=project, **values)
    assert set(refusal.value.message_dict) == set(values)
    with pytest.raises(ValidationError):
        create_project(owner, **{"name": "Other", **values})
    assert [row.name for row in Project.objects.all()] == ["Web shop"]


def test_a_name_is_given_once_per_organization(owner: Actor, outsider: Actor, project: Project) -> None:
    other = create_project(owner, name="Blog")
    attempts: list[Callable[[], Project]] = [
        lambda: create_project(owner, name="Web shop "),
        lambda: update_project(owner, project=other, name="Web shop"),
    ]
    for attempt in attempts:
        with pytest.raises(Invalid) as refusal:
            attempt()
        assert refusal.value.errors == {"name": ["The name has already been taken."]}
    create_project(outsider, name="Web shop")
    update_project(owner, project=project, name="Web shop", description="")
    assert Project.objects.count() == 3


def test_sites_move_between_projects_and_outlive_them(owner: Actor, project: Project, site: Site) -> None:
    blog = create_project(owner, name="Blog")
    assign_sites(owner, project=project, site_ids=[site.pk])
    assign_sites(owner, project=project, site_ids=[site.pk])
    assign_sites(owner, project=blog, site_ids=[site.pk])
    delete_project(owner, project=blog)
    site.refresh_from_db()
    assert site.project is None
    assert events("site.updated") == [
        ("site.updated", {"project": [None, "Web shop"]}),
        ("site.updated", {"project": ["Web shop", "Blog"]}),
        ("site.updated", {"project": ["Blog", None]}),
    ]


def test_sites_of_others_cannot_be_taken(owner: Actor, outsider: Actor, project: Project, site: Site) -> None:
    foreign = factories.site(factories.server(outsider.organization))
    for refused in ([foreign.pk], [site.pk, foreign.pk], ["nonsense"]):
        for attempt in (assign_sites, update_project):
            with pytest.raises(Invalid) as refusal:
                attempt(owner, project=project, site_ids=refused)
            assert refusal.value.errors == {"site_ids": ["The selected site ids is invalid."]}
    assert not project.sites.exists()


def test_a_site_is_made_in_a_project_and_changes_it(
    owner: Actor, outsider: Actor, project: Project, site: Site
) -> None:
    made = create_site(owner, server=site.server, **fields(domain="new.example.com"), project_id=project.pk)
    assert made.project == project
    assert update_site(owner, site=made, project_id=None) is None
    assert events("site.updated") == [("site.updated", {"project": ["Web shop", None]})]
    foreign = create_project(outsider, name="Theirs")
    for pk in (foreign.pk, "nonsense"):
        with pytest.raises(Invalid) as refusal:
            update_site(owner, site=site, project_id=pk)
        assert refusal.value.errors == {"project_id": ["The selected project id is invalid."]}
    site.refresh_from_db()
    assert site.project is None


def test_abilities(owner: Actor, member: Actor, project: Project, site: Site) -> None:
    update_project(owner, project=project, site_ids=[site.pk])
    sites_only = Actor(organization=owner.organization, abilities=frozenset({"site:update"}), user=owner.user)
    update_site(sites_only, site=site, project_id=project.pk, branch="next")
    attempts: list[tuple[str, Any]] = [
        ("project:create", lambda: create_project(member, name="Mine")),
        ("project:update", lambda: update_project(member, project=project, name="Mine")),
        ("project:update", lambda: assign_sites(member, project=None, site_ids=[site.pk])),
        ("project:delete", lambda: delete_project(member, project=project)),
        ("project:update", lambda: update_site(sites_only, site=site, project_id=None)),
    ]
    for ability, attempt in attempts:
        with pytest.raises(Denied) as refusal:
            attempt()
        assert refusal.value.ability == ability
    site.refresh_from_db()
    assert site.project == project


def test_who_is_limited_to_some_sites_sees_and_changes_the_projects_of_these(
    owner: Actor, project: Project, site: Site
) -> None:
    hidden, blog = factories.site(site.server), create_project(owner, name="Blog")
    assign_sites(owner, project=project, site_ids=[site.pk, hidden.pk])
    limited = replace(owner, resources=Resources(servers=frozenset(), sites=frozenset({site.pk})))
    visible = Project.objects.visible_to(limited).with_sites_count(limited)
    assert [(row.pk, row.sites_count) for row in visible] == [(project.pk, 1)]  # type: ignore[attr-defined]
    with pytest.raises(Invalid):
        update_site(limited, site=site, project_id=blog.pk)
    with pytest.raises(Invalid):
        assign_sites(limited, project=project, site_ids=[hidden.pk])
    with pytest.raises(Conflict, match="that you cannot see"):
        delete_project(limited, project=project)
    update_project(limited, project=project, site_ids=[])
    assert list(project.sites.all()) == [hidden]


def test_the_api(api: ApiClient, site: Site) -> None:
    response = api.post("/projects", {"name": "Web shop"})
    assert response.status_code == 201
    data = read(response)["data"]
    assert (data["name"], data["description"], data["sites_count"]) == ("Web shop", "", 0)
    address = f"/projects/{data['id']}"
    response = api.put(address, data | {"description": "What sells", "site_ids": [site.pk]})
    assert (response.status_code, read(response)["data"]["sites_count"]) == (200, 1)
    assert read(api.get(address))["data"]["description"] == "What sells"
    assert read(api.get("/projects"))["data"][0]["sites_count"] == 1
    assert read(api.get(address_of(site)))["data"]["project_id"] == data["id"]
    assert [row["id"] for row in read(api.get(f"/sites?project={data['id']}"))["data"]] == [site.pk]
    assert read(api.get("/sites?project=other"))["data"] == []
    assert read(api.put(address, {"site_ids": []}))["data"]["sites_count"] == 0
    assert api.put(address_of(site), {"project_id": data["id"]}).status_code == 200
    assert api.delete(address).status_code == 204
    assert read(api.get(address_of(site)))["data"]["project_id"] is None


def test_bad_input_of_the_api(api: ApiClient, project: Project, site: Site) -> None:
    assert read(api.post("/projects", {}))["errors"] == {"name": ["The name field is required."]}
    assert set(read(api.post("/projects", {"name": 1, "colour": "red"}))["errors"]) == {"name", "colour"}
    assert read(api.post("/projects", {"name": "Web shop"}))["errors"] == {"name": ["The name has already been taken."]}
    response = api.put(f"/projects/{project.pk}", {"name": "Other", "site_ids": ["nonsense"]})
    assert read(response)["errors"] == {"site_ids": ["The selected site ids is invalid."]}
    response = api.put(address_of(site), {"branch": "next", "project_id": "nonsense"})
    assert (response.status_code, set(read(response)["errors"])) == (422, {"project_id"})
    project.refresh_from_db()
    site.refresh_from_db()
    assert (project.name, site.branch) == ("Web shop", "main")


def test_the_api_for_a_viewer_and_a_stranger(
    member_api: ApiClient, outsider_api: ApiClient, project: Project, site: Site
) -> None:
    address = f"/projects/{project.pk}"
    assert read(member_api.get("/projects"))["data"][0]["id"] == project.pk
    assert member_api.get(address).status_code == 200
    assert read(outsider_api.get("/projects"))["data"] == []
    for client, status in ((member_api, 403), (outsider_api, 404)):
        assert client.put(address, {"name": "Mine"}).status_code == status
        assert client.delete(address).status_code == status
    assert member_api.post("/projects", {"name": "Mine"}).status_code == 403
    assert outsider_api.get(address).status_code == 404
    assert read(outsider_api.get(f"/sites?project={project.pk}"))["data"] == []
    assert Project.objects.get().name == "Web shop"


def test_the_list_of_the_api_takes_two_queries(
    owner: Actor, api: ApiClient, site: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        create_project(owner, name=f"Project {number}")
    api.get("/projects")
    with django_assert_num_queries(2):
        assert read(api.get("/projects?per_page=50"))["meta"]["total"] == 20


def test_the_pages_make_a_project_fill_it_and_remove_it(owner_client: Client, site: Site) -> None:
    assert "No projects yet" in text_of(owner_client, "/projects")
    response = owner_client.post("/projects/new", {"name": "Web shop", "description": "What sells"})
    project = Project.objects.get()
    assert response["Location"] == f"/projects/{project.pk}"
    page = text_of(owner_client, f"/projects/{project.pk}")
    assert "No sites yet" in page
    assert "What sells" in page
    assert f"{site.domain}, on web-1" in text_of(owner_client, f"/projects/{project.pk}/add-sites")
    assert owner_client.post(f"/projects/{project.pk}/add-sites", {"site_ids": site.pk}).status_code == 302
    assert site.domain in text_of(owner_client, f"/projects/{project.pk}")
    assert "in Web shop" in text_of(owner_client, "/sites")
    assert f'href="/projects/{project.pk}"' in text_of(owner_client, address_of(site))
    assert "There are no other sites" in text_of(owner_client, f"/projects/{project.pk}/add-sites")
    owner_client.post(f"/projects/{project.pk}/sites/{site.pk}/remove")
    assert not project.sites.exists()
    owner_client.post(f"/projects/{project.pk}/settings", {"name": "Shop", "description": ""})
    assert "Shop" in text_of(owner_client, "/projects?q=sho")
    wrong = owner_client.post(f"/projects/{project.pk}/delete", {"confirm": "shop"}, follow=True)
    assert "Nothing was done" in wrong.content.decode()
    response = owner_client.post(f"/projects/{project.pk}/delete", {"confirm": "Shop"}, follow=True)
    assert "Shop is removed" in response.content.decode()
    assert Site.objects.filter(pk=site.pk).exists()


def test_what_is_refused_stands_at_its_field(owner_client: Client, project: Project, site: Site) -> None:
    response = owner_client.post("/projects/new", {"name": "Web shop"})
    assert response.status_code == 422
    assert "already been taken" in response.content.decode()
    assert owner_client.post(f"/projects/{project.pk}/add-sites", {"site_ids": "nonsense"}).status_code == 422
    assert not project.sites.exists()


def test_the_forms_of_a_site_offer_the_projects(owner_client: Client, project: Project, server: Server) -> None:
    assert "Web shop" in text_of(owner_client, f"/servers/{server.pk}/sites/new")
    owner_client.post(f"/servers/{server.pk}/sites/new", FORM | {"project_id": project.pk})
    site = Site.objects.get()
    assert site.project == project
    assert f'<option value="{project.pk}" selected>' in text_of(owner_client, address_of(site, "/settings"))
    owner_client.post(address_of(site, "/settings"), FORM | {"project_id": ""})
    assert not project.sites.exists()


def test_the_page_of_a_project_shows_its_deployments_and_stays_cheap(
    owner: Actor,
    owner_client: Client,
    project: Project,
    live: Site,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    others = [factories.site(live.server, domain=f"s{number}.example") for number in range(20)]
    assign_sites(owner, project=project, site_ids=[live.pk, *(site.pk for site in others)])
    job = deploy_site(owner, site=live).job
    elsewhere = deploy_site(owner, site=factories.site(live.server)).job
    assert job
    assert elsewhere
    with django_assert_max_num_queries(10):
        page = text_of(owner_client, f"/projects/{project.pk}")
    assert f"/jobs/{job.pk}" in page
    assert f"/jobs/{elsewhere.pk}" not in page
    assert "s19.example" in page
    found = text_of(owner_client, f"/projects/{project.pk}?q=s7.exa")
    assert "s7.example" in found
    assert "s8.example" not in found


def test_the_pages_for_a_viewer_and_a_stranger(
    owner: Actor, member_client: Client, outsider_client: Client, project: Project, site: Site
) -> None:
    assign_sites(owner, project=project, site_ids=[site.pk])
    address = f"/projects/{project.pk}"
    assert "needs the ability project:update" in text_of(member_client, address)
    assert "needs the ability project:delete" in text_of(member_client, f"{address}/settings")
    assert "No projects yet" in text_of(outsider_client, "/projects")
    posts = {
        "/projects/new": {"name": "Mine"},
        f"{address}/settings": {"name": "Mine"},
        f"{address}/add-sites": {"site_ids": site.pk},
        f"{address}/sites/{site.pk}/remove": {},
        f"{address}/delete": {"confirm": "Web shop"},
    }
    for path, data in posts.items():
        assert member_client.post(path, data).status_code in (403, 422), path
        if path != "/projects/new":
            assert outsider_client.post(path, data).status_code == 404, path
    for path in ("", "/settings", "/add-sites"):
        assert outsider_client.get(f"{address}{path}").status_code == 404
    assert Project.objects.get().name == "Web shop"
    assert project.sites.get() == site
