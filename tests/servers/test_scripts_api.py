"""Automation scripts under /api/v1."""

from typing import Any

import orjson
import pytest
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from jobs.models import Job
from servers import actions
from servers.models import AutomationScript, ScriptRun, Server
from tests import factories
from tests.apiclient import ApiClient, Response

PARAMETERS = [
    {"name": "GREETING", "label": "What to say", "default": "hello", "required": False, "secret": False},
    {"name": "API_TOKEN", "label": "", "default": "", "required": False, "secret": True},
]
BODY: dict[str, Any] = {"name": "Greet", "body": 'echo "$GREETING"\n', "parameters": PARAMETERS}
SECRET = "canary-4711"


def read(response: Response) -> Any:
    return orjson.loads(response.content)


@pytest.fixture
def script(owner: Actor) -> AutomationScript:
    return actions.create_script(owner, **BODY)


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, name="web-1", provisioned_at=timezone.now())


def test_create_show_and_list(api: ApiClient) -> None:
    response = api.post("/scripts", BODY)
    assert response.status_code == 201
    data = read(response)["data"]
    assert data | BODY | {"run_as": "root", "timeout": 600, "description": ""} == data
    assert read(api.get(f"/scripts/{data['id']}"))["data"] == data
    answer = read(api.get("/scripts"))
    assert (answer["meta"]["total"], answer["data"]) == (1, [{name: data[name] for name in data if name != "body"}])


def test_what_a_parameter_leaves_out_has_a_default(api: ApiClient) -> None:
    data = read(api.post("/scripts", BODY | {"parameters": [{"name": "A"}]}))["data"]
    assert data["parameters"] == [{"name": "A", "label": "", "default": "", "required": False, "secret": False}]
    assert read(api.post("/scripts", {"name": "None", "body": "true"}))["data"]["parameters"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 7),
        ("body", ""),
        ("body", "x" * 65_537),
        ("run_as", "nobody"),
        ("timeout", "600"),
        ("colour", "red"),
        ("parameters", {"name": "A"}),
        ("parameters.0", ["A"]),
        ("parameters.0.name", [{}]),
        ("parameters.0.name", [{"name": "PATH"}]),
        ("parameters.1.secret", [{"name": "A"}, {"name": "B", "secret": "yes"}]),
        ("parameters.0.colour", [{"name": "A", "colour": "red"}]),
    ],
)
def test_bad_input_names_the_field(api: ApiClient, script: AutomationScript, field: str, value: object) -> None:
    sent = {field.partition(".")[0]: value}
    for response in (api.post("/scripts", BODY | {"name": "New"} | sent), api.put(f"/scripts/{script.pk}", sent)):
        assert (response.status_code, list(read(response).get("errors", []))) == (422, [field])
    assert AutomationScript.objects.values_list("name", flat=True).get() == "Greet"


def test_update_takes_the_answer_back(api: ApiClient, script: AutomationScript) -> None:
    data = read(api.get(f"/scripts/{script.pk}"))["data"]
    response = api.put(f"/scripts/{script.pk}", data | {"name": "Welcome", "parameters": []})
    assert response.status_code == 200
    assert (read(response)["data"]["name"], read(response)["data"]["parameters"]) == ("Welcome", [])
    assert read(response)["data"]["body"] == BODY["body"]


def test_one_server_is_one_run_and_one_job(api: ApiClient, script: AutomationScript, server: Server) -> None:
    body = {"servers": [server.pk], "parameters": {"GREETING": "$(id)\n", "API_TOKEN": SECRET}}
    response = api.post(f"/scripts/{script.pk}/run", body)
    assert response.status_code == 202
    answer, job = read(response), Job.objects.get()
    address = {"id": job.pk, "url": f"http://testserver/api/v1/jobs/{job.pk}"}
    assert (answer["job"], answer["jobs"], answer["data"][0]["job"]) == (address, [address], address)
    shown = answer["data"][0]
    assert (shown["server_name"], shown["status"], shown["exit_code"]) == ("web-1", "queued", None)
    assert shown["parameters"] == {"GREETING": "$(id)\n", "API_TOKEN": None}
    assert shown["requested_by"].startswith("owner@acme.test")


def test_several_servers_are_answered_in_their_order(
    api: ApiClient, owner: Actor, script: AutomationScript, server: Server
) -> None:
    other = factories.server(owner.organization, provisioned_at=timezone.now())
    answer = read(api.post(f"/scripts/{script.pk}/run", {"servers": [other.pk, server.pk]}))
    assert [row["server_id"] for row in answer["data"]] == [other.pk, server.pk]
    assert [job["id"] for job in answer["jobs"]] == [row["job_id"] for row in answer["data"]]
    assert answer["job"] is None


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("servers", {"servers": []}),
        ("servers", {"servers": "all"}),
        ("servers.0", {"servers": [7]}),
        ("servers.1", {"servers": ["SERVER", "01JAZ5QHVW3K9T6R8M2N4P7XYC"]}),
        ("servers.1", {"servers": ["SERVER", "FOREIGN"]}),
        ("servers.1", {"servers": ["SERVER", "FRESH"]}),
        ("parameters", {"parameters": ["GREETING"]}),
        ("parameters.GREETING", {"parameters": {"GREETING": "\0"}}),
        ("parameters.OTHER", {"parameters": {"OTHER": "x"}}),
    ],
)
def test_bad_input_runs_nothing(
    api: ApiClient,
    owner: Actor,
    outsider: Actor,
    script: AutomationScript,
    server: Server,
    field: str,
    sent: dict[str, Any],
) -> None:
    foreign = factories.server(outsider.organization, provisioned_at=timezone.now())
    fresh = factories.server(owner.organization)
    names = {"SERVER": server.pk, "FOREIGN": foreign.pk, "FRESH": fresh.pk}
    body = {"servers": [server.pk]} | sent
    if isinstance(body["servers"], list):
        body["servers"] = [names.get(one, one) for one in body["servers"]]
    response = api.post(f"/scripts/{script.pk}/run", body)
    assert (response.status_code, list(read(response)["errors"])) == (422, [field])
    assert not Job.objects.exists()
    assert not ScriptRun.objects.exists()
    assert not AuditEvent.objects.filter(event="script.run").exists()


def test_values_that_are_not_texts_are_refused(api: ApiClient, script: AutomationScript, server: Server) -> None:
    response = api.post(f"/scripts/{script.pk}/run", {"servers": [server.pk], "parameters": {"GREETING": {"a": 1}}})
    assert (response.status_code, list(read(response)["errors"])) == (422, ["parameters.GREETING"])


def test_the_history_and_one_run(api: ApiClient, owner: Actor, script: AutomationScript, server: Server) -> None:
    for number in range(3):
        given = {"GREETING": str(number)}
        (run,) = actions.run_script(owner, script=script, servers=[server.pk], parameters=given)
    answer = read(api.get(f"/scripts/{script.pk}/runs?per_page=2"))
    assert (answer["meta"]["total"], [row["parameters"]["GREETING"] for row in answer["data"]]) == (3, ["2", "1"])
    shown = read(api.get(f"/script-runs/{run.pk}"))["data"]
    assert shown == answer["data"][0] | {"body": BODY["body"]}
    assert api.delete(f"/scripts/{script.pk}").status_code == 204
    kept = read(api.get(f"/script-runs/{run.pk}"))["data"]
    assert (kept["script_id"], kept["script_name"]) == (None, "Greet")
    assert api.get(f"/scripts/{script.pk}/runs").status_code == 404


def test_a_secret_is_in_no_answer(api: ApiClient, script: AutomationScript, server: Server) -> None:
    body = {"servers": [server.pk], "parameters": {"API_TOKEN": SECRET}}
    answers = [api.post(f"/scripts/{script.pk}/run", body, idempotency_key="once") for _ in range(2)]
    run = ScriptRun.objects.get()
    paths = (f"/script-runs/{run.pk}", f"/scripts/{script.pk}/runs", f"/jobs/{run.job_id}", "/jobs")
    answers += [api.get(path) for path in paths]
    for response in answers:
        assert response.status_code in (200, 202)
        assert SECRET.encode() not in response.content


def test_a_token_for_running_scripts_does_just_that(owner: Actor, script: AutomationScript, server: Server) -> None:
    api = ApiClient.signed_in(owner, ["script:read", "script:run"])
    assert api.get("/scripts").status_code == 200
    assert api.post(f"/scripts/{script.pk}/run", {"servers": [server.pk]}).status_code == 202
    for refused in (api.post("/scripts", BODY), api.delete(f"/scripts/{script.pk}"), api.get("/servers")):
        assert refused.status_code == 403


def test_a_viewer_reads_and_no_more(member_api: ApiClient, script: AutomationScript, server: Server) -> None:
    assert member_api.get(f"/scripts/{script.pk}").status_code == 200
    response = member_api.post(f"/scripts/{script.pk}/run", {"servers": [server.pk]})
    assert response.status_code == 403
    assert "script:run" in read(response)["message"]


def test_other_organizations_see_nothing(
    outsider_api: ApiClient, owner: Actor, script: AutomationScript, server: Server
) -> None:
    (run,) = actions.run_script(owner, script=script, servers=[server.pk])
    address = f"/scripts/{script.pk}"
    assert read(outsider_api.get("/scripts"))["data"] == []
    calls = [outsider_api.get(address), outsider_api.put(address, {"name": "x"}), outsider_api.delete(address)]
    calls += [outsider_api.post(f"{address}/run", {"servers": [server.pk]}), outsider_api.get(f"{address}/runs")]
    calls += [outsider_api.get(f"/script-runs/{run.pk}")]
    assert [response.status_code for response in calls] == [404] * len(calls)
