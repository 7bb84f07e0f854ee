"""Servers under /api/v1, as the reference says."""

from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from servers import ssh
from servers.models import Comparison, LogReading, Server, Status
from tests import factories
from tests.apiclient import ApiClient, Response

KEY = ssh.generate_key("someone")
REFERENCE = {
    *("id", "name", "provider", "ip_address", "ssh_user", "region", "size", "php_version", "database_type"),
    *("webserver", "status", "monitoring_enabled", "provisioned_at", "created_at", "updated_at", "sites_count"),
}
BODY = {"provider": "custom", "name": "web-1", "ip_address": "203.0.113.10"}


def read(response: Response) -> Any:
    return orjson.loads(response.content)


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, provisioned_at=timezone.now(), php_version="8.2")


def test_create_with_a_key(api: ApiClient) -> None:
    body = BODY | {"php_version": "8.3", "database_type": "mysql", "private_key": KEY.private, "host_key": KEY.public}
    response = api.post("/servers", body)
    assert response.status_code == 201
    answer = read(response)
    data = answer["data"]
    assert set(data) >= REFERENCE
    assert data | {"ssh_user": "deploynix", "status": "provisioning", "sites_count": 0, "region": None} == data
    assert data["host_key_fingerprint"] == ssh.fingerprint(KEY.public)
    assert answer["authorize_command"] is None
    job = Job.objects.get()
    assert answer["job"] == {"id": job.pk, "url": f"http://testserver/api/v1/jobs/{job.pk}"}
    assert b"PRIVATE" not in response.content


def test_create_without_a_key_answers_the_line_to_paste(api: ApiClient) -> None:
    answer = read(api.post("/servers", BODY))
    assert answer["data"]["status"] == "pending"
    assert answer["data"]["public_key"] in answer["authorize_command"]
    assert answer["job"] is None
    response = api.post(f"/servers/{answer['data']['id']}/provision")
    assert response.status_code == 202
    assert read(response)["message"] == "Provisioning started."
    assert read(response)["data"]["status"] == "provisioning"


def test_bad_input_names_the_fields(api: ApiClient) -> None:
    response = api.post("/servers", {"provider": "aws"})
    assert response.status_code == 422
    answer = read(response)
    assert answer["message"] == "The given data was invalid."
    assert answer["errors"]["name"] == ["The name field is required."]
    assert answer["errors"]["provider"] == ["The selected provider is invalid."]
    refused = {
        "ip_address": "127.0.0.1",
        "ssh_port": "22",
        "php_version": "5.6",
        "database_type": "oracle",
        "private_key": "x",
        "host_key": "x",
        "name": "not a name",
        "login_user": "Root!",
        "colour": "red",
        "status": "active",
    }
    for field, value in refused.items():
        response = api.post("/servers", BODY | {field: value})
        assert (response.status_code, list(read(response)["errors"])) == (422, [field])
    assert not Server.objects.exists()


def test_the_plan_s_cap_is_named(api: ApiClient, owner: Actor) -> None:
    owner.organization.plan = "professional"
    owner.organization.save()
    for _ in range(25):
        factories.server(owner.organization)
    response = api.post("/servers", BODY)
    assert response.status_code == 422
    assert "max_servers" in read(response)["errors"]


def test_one_server_of_many_equal_posts(api: ApiClient) -> None:
    answers = [read(api.post("/servers", BODY, idempotency_key="once")) for _ in range(3)]
    assert len({answer["data"]["id"] for answer in answers}) == 1
    assert Server.objects.count() == 1


def test_the_list_takes_two_queries(
    api: ApiClient, owner: Actor, outsider: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        factories.site(factories.server(owner.organization))
    factories.server(outsider.organization)
    api.get("/servers")
    with django_assert_num_queries(2):
        answer = read(api.get("/servers"))
    assert answer["meta"]["total"] == 20
    assert len(answer["data"]) == 15
    assert {row["sites_count"] for row in answer["data"]} == {1}


def test_show_in_the_reference_s_shape(api: ApiClient, server: Server) -> None:
    factories.site(server)
    data = read(api.get(f"/servers/{server.pk}"))["data"]
    assert list(data)[: len(REFERENCE)] == [name for name in data if name in REFERENCE]
    assert (data["id"], data["status"], data["sites_count"]) == (server.pk, "active", 1)
    assert data["provisioned_at"].endswith("Z")
    assert not {"private_key", "login_key", "host_key"} & set(data)


def test_update_takes_the_answer_back(api: ApiClient, server: Server) -> None:
    data = read(api.get(f"/servers/{server.pk}"))["data"]
    response = api.put(f"/servers/{server.pk}", data | {"name": "renamed", "monitoring_enabled": False})
    assert response.status_code == 200
    assert (read(response)["data"]["name"], read(response)["data"]["monitoring_enabled"]) == ("renamed", False)
    response = api.put(f"/servers/{server.pk}", {"database_type": "mysql"})
    assert (response.status_code, list(read(response)["errors"])) == (422, ["database_type"])
    assert api.put(f"/servers/{server.pk}", {"private_key": "x"}).status_code == 422


def test_other_organizations_see_nothing(outsider_api: ApiClient, server: Server) -> None:
    address = f"/servers/{server.pk}"
    assert read(outsider_api.get("/servers"))["data"] == []
    calls = [outsider_api.get(address), outsider_api.put(address, {"name": "x"}), outsider_api.delete(address)]
    calls += [outsider_api.get(f"{address}/{name}") for name in ("drift", "logs")]
    calls += [outsider_api.post(f"{address}/{name}") for name in ("provision", "apply")]
    calls += [outsider_api.post(f"{address}/restart", {"what": "nginx"})]
    calls += [outsider_api.post(f"{address}/accept-host-key", {"fingerprint": ssh.fingerprint(KEY.public)})]
    assert [call.status_code for call in calls] == [404] * len(calls)
    assert not Job.objects.exists()


def test_a_viewer_reads_and_changes_nothing(member_api: ApiClient, server: Server) -> None:
    address = f"/servers/{server.pk}"
    for call, ability in (
        (member_api.post("/servers", BODY), "server:create"),
        (member_api.put(address, {"name": "x"}), "server:update"),
        (member_api.post(f"{address}/restart", {"what": "nginx"}), "server:update"),
        (member_api.post(f"{address}/provision"), "server:update"),
        (member_api.post(f"{address}/apply"), "server:update"),
        (member_api.delete(address), "server:delete"),
    ):
        assert call.status_code == 403
        assert ability in read(call)["message"]
    assert member_api.get(address).status_code == 200
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("restart", {"what": "reboot"}, "Restart started."),
        ("provision", None, "Provisioning started."),
        ("apply", None, "Applying the configuration started."),
        ("accept-host-key", {"fingerprint": ssh.fingerprint(KEY.public)}, "The host key is being pinned."),
    ],
)
def test_work_is_queued_as_a_job(api: ApiClient, server: Server, path: str, body: Any, message: str) -> None:
    response = api.post(f"/servers/{server.pk}/{path}", body)
    assert response.status_code == 202
    answer = read(response)
    assert answer["message"] == message
    assert answer["data"]["id"] == server.pk
    assert answer["job"]["id"] == Job.objects.get().pk


def test_restart_needs_to_know_what(api: ApiClient, server: Server) -> None:
    assert read(api.post(f"/servers/{server.pk}/restart"))["errors"] == {"what": ["The what field is required."]}
    assert read(api.post(f"/servers/{server.pk}/restart", {"what": "sshd"}))["errors"] == {
        "what": ["The selected what is invalid."]
    }


def test_delete_is_a_job_too(api: ApiClient, server: Server) -> None:
    response = api.delete(f"/servers/{server.pk}")
    assert (response.status_code, read(response)["data"]["status"]) == (202, Status.DELETING)
    assert api.delete(f"/servers/{server.pk}").status_code == 409


def test_drift_answers_what_is_known_and_compares_again(api: ApiClient, server: Server) -> None:
    first = read(api.get(f"/servers/{server.pk}/drift"))
    assert first["data"] == {"status": "unknown", "compared_at": None, "differences": []}
    job = Job.objects.get()
    assert first["job"]["id"] == job.pk
    difference = {"path": "/etc/x", "action": "update", "diff": "-a\n+b\n", "secret": False}
    Comparison.objects.create(server=server, differences=[difference], compared_at=timezone.now())
    job.delete()
    second = read(api.get(f"/servers/{server.pk}/drift"))
    assert (second["data"]["status"], second["data"]["differences"], second["job"]) == ("drifted", [difference], None)
    assert read(api.get(f"/servers/{server.pk}/drift?fresh=true"))["job"]["id"] == Job.objects.get().pk


def test_logs_answer_the_last_reading(api: ApiClient, server: Server) -> None:
    first = read(api.get(f"/servers/{server.pk}/logs?name=syslog&lines=50"))
    assert first["data"] == {"name": "syslog", "text": "", "read_at": None}
    job = Job.objects.get()
    assert (first["job"]["id"], job.params) == (job.pk, {"name": "syslog", "lines": 50})
    LogReading.objects.create(server=server, name="syslog", text="one\n", read_at=timezone.now())
    job.delete()
    second = read(api.get(f"/servers/{server.pk}/logs?name=syslog"))
    assert (second["data"]["text"], second["job"]) == ("one\n", None)
    assert api.get(f"/servers/{server.pk}/logs?name=passwd").status_code == 422
    assert api.get(f"/servers/{server.pk}/logs?lines=100000").status_code == 422


def test_logs_need_an_ability_of_their_own(owner: Actor, member_api: ApiClient, server: Server) -> None:
    path = f"/servers/{server.pk}/logs"
    response = ApiClient.signed_in(owner, ["server:read"]).get(path)
    assert (response.status_code, "log:read" in read(response)["message"]) == (403, True)
    assert not Job.objects.exists()
    assert ApiClient.signed_in(owner, ["log:read"]).get(path).status_code == 200
    assert member_api.get(path).status_code == 200


def test_patch_changes_what_is_sent(
    api: ApiClient, member_api: ApiClient, outsider_api: ApiClient, server: Server
) -> None:
    path = f"/servers/{server.pk}"
    response = api.call("PATCH", path, {"name": "web-9"})
    assert (response.status_code, read(response)["data"]["name"]) == (200, "web-9")
    assert api.call("PATCH", path, {"name": "a b"}).status_code == 422
    assert member_api.call("PATCH", path, {"name": "mine"}).status_code == 403
    assert outsider_api.call("PATCH", path, {"name": "mine"}).status_code == 404
    server.refresh_from_db()
    assert server.name == "web-9"


def test_an_unprovisioned_server_is_not_asked(api: ApiClient, owner: Actor) -> None:
    server = factories.server(owner.organization, status=Status.PENDING)
    assert read(api.get(f"/servers/{server.pk}/drift"))["job"] is None
    assert read(api.get(f"/servers/{server.pk}/logs"))["job"] is None
    assert api.post(f"/servers/{server.pk}/restart", {"what": "nginx"}).status_code == 409
