"""The pages of automation scripts, for an owner, a viewer and a stranger."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers import actions
from servers.models import AutomationScript, ScriptRun, Server
from tests import factories

FORM = {"name": "Greet", "description": "Says it.", "body": "echo\r\n", "run_as": "root", "timeout": "600"}
ROW = {
    "parameters.0.name": "GREETING",
    "parameters.0.label": "What to say",
    "parameters.0.default": "hello",
    "parameters.2.name": "API_TOKEN",
    "parameters.2.secret": "on",
    "parameters.2.required": "on",
}
SECRET = "canary-4711"


@pytest.fixture
def script(owner: Actor) -> AutomationScript:
    parameters: list[dict[str, Any]] = [
        {"name": "GREETING", "default": "<hello>"},
        {"name": "API_TOKEN", "secret": True},
    ]
    return actions.create_script(owner, name="Greet", body='echo "<$GREETING>"\n', parameters=parameters)


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, name="web-7", provisioned_at=timezone.now())


def text_of(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    page = response.content.decode()
    assert "style=" not in page
    assert "<script>" not in page
    return page


def test_an_empty_list_offers_the_next_step(owner_client: Client, member_client: Client) -> None:
    page = text_of(owner_client, "/scripts")
    assert 'href="/scripts/new"' in page
    assert 'href="/scripts"' in page
    page = text_of(member_client, "/scripts")
    assert 'href="/scripts/new"' not in page
    assert "needs the ability script:create" in page


def test_the_list_searches_and_stays_cheap(
    owner: Actor, owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        actions.create_script(owner, name=f"Script {number:02}", body="true", description=f"number {number}")
    with django_assert_max_num_queries(8):
        page = text_of(owner_client, "/scripts")
    assert "Script 19" in page
    found = text_of(owner_client, "/scripts?q=number 7")
    assert "Script 07" in found
    assert "Script 19" not in found
    assert "No script matches" in text_of(owner_client, "/scripts?q=nothing")


def test_adding_one_with_parameters_and_without_scripting(owner_client: Client) -> None:
    response = owner_client.post("/scripts/new", FORM | ROW)
    script = AutomationScript.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/scripts/{script.pk}")
    assert (script.body, script.timeout) == ("echo\n", 600)
    assert script.parameters == [
        {"name": "GREETING", "label": "What to say", "default": "hello", "required": False, "secret": False},
        {"name": "API_TOKEN", "label": "", "default": "", "required": True, "secret": True},
    ]
    page = text_of(owner_client, response["Location"])
    assert "API_TOKEN" in page
    assert "Not run yet" in page


def test_what_the_action_refuses_stands_at_its_row(owner_client: Client) -> None:
    response = owner_client.post("/scripts/new", FORM | ROW | {"parameters.2.default": "in the open"})
    assert response.status_code == 422
    page = response.content.decode()
    # The rows that were left empty are gone, so the third is the second now.
    assert 'id="id_parameters.1.default_error"' in page
    assert "everybody who sees the script could read it" in page
    assert 'value="GREETING"' in page
    assert not AutomationScript.objects.exists()


def test_editing_changes_and_removes_parameters(owner_client: Client, script: AutomationScript) -> None:
    page = text_of(owner_client, f"/scripts/{script.pk}/edit")
    assert 'value="GREETING"' in page
    assert "&lt;hello&gt;" in page
    response = owner_client.post(f"/scripts/{script.pk}/edit", FORM | {"parameters.1.name": "ONLY"})
    assert response.status_code == 302
    script.refresh_from_db()
    assert [parameter.name for parameter in script.declared] == ["ONLY"]


def test_running_on_one_server_leads_to_its_job(owner_client: Client, script: AutomationScript, server: Server) -> None:
    page = text_of(owner_client, f"/scripts/{script.pk}/run")
    assert "web-7" in page
    assert "&lt;hello&gt;" in page
    form = {"servers": server.pk, "parameters.GREETING": " two\r\nlines ", "parameters.API_TOKEN": SECRET}
    response = owner_client.post(f"/scripts/{script.pk}/run", form)
    run = ScriptRun.objects.get()
    assert response["Location"] == f"/jobs/{run.job_id}"
    assert run.values == {"GREETING": " two\nlines ", "API_TOKEN": SECRET}
    for address in (response["Location"], f"/scripts/{script.pk}", f"/servers/{server.pk}/jobs"):
        assert SECRET not in text_of(owner_client, address)


def test_a_refused_run_does_not_show_the_secret_again(
    owner_client: Client, script: AutomationScript, server: Server
) -> None:
    form = {"servers": server.pk, "parameters.GREETING": "kept", "parameters.API_TOKEN": "short"}
    response = owner_client.post(f"/scripts/{script.pk}/run", form)
    assert response.status_code == 422
    page = response.content.decode()
    assert "A secret needs at least 6 characters" in page
    assert "kept" in page
    assert ">short" not in page
    assert 'value="short"' not in page
    assert not Job.objects.exists()


def test_running_on_many_leads_to_the_history(
    owner: Actor, owner_client: Client, script: AutomationScript, server: Server
) -> None:
    other = factories.server(owner.organization, provisioned_at=timezone.now())
    form = {"servers": [server.pk, other.pk], "parameters.GREETING": "x", "parameters.API_TOKEN": ""}
    response = owner_client.post(f"/scripts/{script.pk}/run", form)
    assert response["Location"] == f"/scripts/{script.pk}"
    page = text_of(owner_client, response["Location"])
    assert "queued on 2 servers" in page
    part = text_of(owner_client, f"/scripts/{script.pk}", HX_Request="true")
    assert "every 2s" in part
    assert "<html" not in part
    Job.objects.update(status=JobStatus.FAILED)
    ScriptRun.objects.update(exit_code=7)
    part = text_of(owner_client, f"/scripts/{script.pk}", HX_Request="true")
    assert "exit code 7" in part
    assert "every 2s" not in part


def test_only_ready_servers_of_the_own_organization_are_offered(
    owner: Actor, outsider: Actor, owner_client: Client, script: AutomationScript
) -> None:
    factories.server(owner.organization, name="not-yet")
    foreign = factories.server(outsider.organization, name="foreign", provisioned_at=timezone.now())
    assert "No server is ready" in text_of(owner_client, f"/scripts/{script.pk}/run")
    response = owner_client.post(f"/scripts/{script.pk}/run", {"servers": foreign.pk, "parameters.GREETING": "x"})
    assert response.status_code == 422
    assert not Job.objects.exists()


def test_removing_asks_for_the_name(owner_client: Client, script: AutomationScript) -> None:
    owner_client.post(f"/scripts/{script.pk}/delete", {"confirm": "Other"})
    assert AutomationScript.objects.exists()
    response = owner_client.post(f"/scripts/{script.pk}/delete", {"confirm": "Greet"})
    assert response["Location"] == "/scripts"
    assert not AutomationScript.objects.exists()


def test_a_viewer_sees_which_ability_is_missing(
    member_client: Client, script: AutomationScript, server: Server
) -> None:
    page = text_of(member_client, f"/scripts/{script.pk}")
    for ability in ("script:update", "script:run", "script:delete"):
        assert f"needs the ability {ability}" in page
    for address in ("new", f"{script.pk}/edit", f"{script.pk}/run"):
        assert member_client.get(f"/scripts/{address}").status_code == 403
    assert member_client.post(f"/scripts/{script.pk}/run", {"servers": server.pk}).status_code == 403
    assert member_client.post(f"/scripts/{script.pk}/delete", {"confirm": "Greet"}).status_code == 403
    assert AutomationScript.objects.exists()


@pytest.mark.parametrize("page", ["", "/edit", "/run"])
def test_strangers_find_nothing(outsider_client: Client, script: AutomationScript, page: str) -> None:
    assert outsider_client.get(f"/scripts/{script.pk}{page}").status_code == 404
    assert Client().get(f"/scripts/{script.pk}{page}").status_code == 302
    outsider_client.post(f"/scripts/{script.pk}/delete", {"confirm": "Greet"})
    assert AutomationScript.objects.exists()
