"""Test keys: every request is answered as a live one is, and undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from kombu.transport.memory import Channel
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from audit.models import AuditEvent
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.celery import app
from deploynix.dry_run import is_dry_run, undone
from deploynix.ids import new_id
from deploynix.mail import SMTP
from jobs.models import Job
from jobs.tasks import run
from servers import ssh
from servers.models import LogReading, Server
from tests import factories
from tests.apiclient import ApiClient, Response
from tests.everything import PREPARE, QUERIES, Call, Everything, calls
from tokens.actions import create_api_key
from tokens.models import RateType
from tools.ports import free_port

CALLS = [call for call in calls() if not call.is_public]
# What no API key may do; its abilities make no difference.
REFUSED = {"Create a token": 403}
# Reading that leaves a row in the audit log.
AUDITED = {"Download a backup", "Show an environment variable"}
NEW_SERVER = {"provider": "custom", "name": "web-9", "ip_address": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _every_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """No permission of test keys opens everything, and everything is called here."""
    monkeypatch.setattr("tokens.authentication.opened", lambda prefix, words, role: ROLES[role])


def key(owner: Actor, environment: str, **fields: Any) -> ApiClient:
    fields = {"permissions": ["servers:*"], "rate_limit": RateType.UNLIMITED} | fields
    return ApiClient(create_api_key(owner, name=f"a {environment} key", environment=environment, **fields)[1])


@pytest.fixture
def dry(owner: Actor) -> ApiClient:
    return key(owner, "test")


@pytest.fixture
def live(owner: Actor) -> ApiClient:
    return key(owner, "live")


def rows() -> dict[str, list[Any]]:
    """Every row of every table, but the audit log's rows about dry runs."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.django_table_names(only_existing=True)):
            condition = " WHERE event <> 'token.dry-run'" if table == AuditEvent._meta.db_table else ""
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}{condition}")  # noqa: S608
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


def messages() -> int:
    return sum(queue.qsize() for queue in Channel.queues.values())


@contextmanager
def nothing_stays() -> Iterator[None]:
    before, sent = rows(), messages()
    yield
    after = rows()
    assert [table for table in before if before[table] != after[table]] == []
    assert messages() == sent
    assert mail.outbox == []


def shape(value: Any) -> Any:
    """The names and types of an answer; a job has an address or none."""
    if isinstance(value, dict):
        return {name: "address" if value.keys() == {"id", "url"} else shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def body_of(response: Response) -> Any:
    return response.json() if response.content else None


def dry_runs() -> list[dict[str, Any]]:
    found = AuditEvent.objects.filter(event="token.dry-run").order_by("id").values_list("changes", flat=True)
    return [{name: after for name, (_, after) in changes.items()} for changes in found]


@pytest.mark.django_db
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_operation_answers_as_live_and_nothing_stays(
    call: Call,
    owner: Actor,
    dry: ApiClient,
    live: ApiClient,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.RATE_LIMIT_TOKENS = 1000
    everything = Everything(owner)
    everything.prepare(call)
    address = call.address(everything.ids)
    query = QUERIES.get(call.operation.summary, "")
    body = everything.body(call)

    with nothing_stays(), django_capture_on_commit_callbacks() as callbacks:
        tried = dry.call(call.method, address + query, body)
    assert callbacks == []
    assert tried["X-Dry-Run"] == "true"
    is_logged = call.method != "GET" or call.operation.summary in AUDITED
    logged = [(row["request"], row["status"]) for row in dry_runs()]
    assert logged == ([(f"{call.method} /api/v1{address}", tried.status_code)] if is_logged else [])

    done = live.call(call.method, address + query, body)
    assert "X-Dry-Run" not in done
    assert tried.status_code == done.status_code == REFUSED.get(call.operation.summary, call.operation.status)
    assert shape(body_of(tried)) == shape(body_of(done))
    assert_jobs(body_of(tried), None)
    assert_jobs(body_of(done), str)


def assert_jobs(body: Any, kind: type[str] | None) -> None:
    """Every job that the answer names has an address of this kind."""
    named = [body["job"]] if body and body.get("job") else []
    for job in named:
        assert job["url"] is None if kind is None else isinstance(job["url"], kind)
        assert kind is None or Job.objects.filter(pk=job["id"]).exists()


def test_what_changes_something_is_among_them() -> None:
    summaries = {call.operation.summary for call in CALLS}
    assert summaries >= set(QUERIES) | set(PREPARE)
    assert sum(call.method != "GET" for call in CALLS) > 40


@pytest.mark.django_db
def test_the_audit_log_says_what_would_have_been_done(owner: Actor, dry: ApiClient) -> None:
    assert dry.post("/servers", NEW_SERVER).status_code == 201
    row = AuditEvent.objects.get(event="token.dry-run")
    assert (row.target_type, row.target_id) == ("token", row.token_id)
    assert row.user == owner.user
    assert row.ip == factories.ADDRESS
    assert dry_runs() == [{"request": "POST /api/v1/servers", "status": 201, "events": ["server.created"]}]
    assert not AuditEvent.objects.filter(event="server.created").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "status"), [({"name": "x"}, 422), ({**NEW_SERVER, "name": "taken"}, 422)])
def test_what_is_refused_is_refused_as_live(
    body: dict[str, Any], status: int, owner: Actor, dry: ApiClient, live: ApiClient
) -> None:
    factories.server(owner.organization, name="taken")
    with nothing_stays():
        tried = dry.post("/servers", body)
        done = live.post("/servers", body)
    assert (tried.status_code, tried.content) == (status, done.content)
    assert tried["X-Dry-Run"] == "true"
    assert dry_runs() == [{"request": "POST /api/v1/servers", "status": status, "events": []}]


@pytest.mark.django_db
def test_a_test_key_needs_its_permissions(
    owner: Actor, monkeypatch: pytest.MonkeyPatch, dry: ApiClient, live: ApiClient
) -> None:
    monkeypatch.setattr("tokens.authentication.opened", lambda prefix, words, role: frozenset({"server:read"}))
    tried, done = dry.post("/servers", NEW_SERVER), live.post("/servers", NEW_SERVER)
    assert (tried.status_code, tried.content) == (403, done.content)
    assert tried["X-Dry-Run"] == "true"


@pytest.mark.django_db
def test_a_failure_half_way_leaves_nothing(dry: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    dry._client.raise_request_exception = False
    monkeypatch.setattr("servers.api.views.Servers.answer_of", lambda *_: 1 / 0)
    with nothing_stays():
        assert dry.post("/servers", NEW_SERVER).status_code == 500
    assert dry_runs() == [{"request": "POST /api/v1/servers", "status": 500, "events": ["server.created"]}]
    assert not is_dry_run()


@pytest.mark.django_db
def test_a_secret_of_a_dry_run_opens_nothing(dry: ApiClient) -> None:
    made = dry.post("/api-keys", {"name": "made by a test key", "permissions": ["servers:read"]})
    assert made.status_code == 201
    assert ApiClient(made.json()["data"]["value"]).get("/servers").status_code == 401


@pytest.mark.django_db
def test_an_idempotency_key_is_free_again(dry: ApiClient, live: ApiClient) -> None:
    for client in (dry, dry, live):
        response = client.post("/servers", NEW_SERVER, idempotency_key="once")
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response
    assert Server.objects.filter(name="web-9").count() == 1


@pytest.mark.django_db
def test_its_requests_are_counted(owner: Actor) -> None:
    standard = key(owner, "test", rate_limit=RateType.STANDARD)
    left = [int(standard.post("/servers", NEW_SERVER)["X-RateLimit-Remaining"]) for _ in range(2)]
    assert left[1] == left[0] - 1


@pytest.mark.django_db(transaction=True)
def test_where_transactions_are_committed_nothing_stays_either(settings: Settings) -> None:
    owner = factories.actor(factories.organization(), "owner")
    everything = Everything(owner)
    dry, live = key(owner, "test"), key(owner, "live")
    deploy = f"/servers/{everything.server.pk}/sites/{everything.site.pk}/deploy"
    with nothing_stays():
        assert dry.post("/servers", NEW_SERVER).status_code == 201
        assert dry.post(deploy).status_code == 202
        assert dry.delete(f"/jobs/{everything.job.pk}").status_code == 405
        assert dry.post(f"/jobs/{everything.job.pk}/cancel").status_code == 202
    sent = messages()
    assert live.post(deploy).status_code == 202
    assert messages() == sent + 1


@pytest.mark.django_db(transaction=True)
def test_a_constraint_that_waits_for_the_commit_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = factories.actor(factories.organization(), "owner")

    def add_orphan(actor: Actor, **_: Any) -> Server:
        LogReading.objects.create(server_id=new_id(), name="nginx-error", read_at=timezone.now())
        return factories.server(actor.organization)

    monkeypatch.setattr("servers.actions.create_server", add_orphan)
    for client in (key(owner, "test"), key(owner, "live")):
        client._client.raise_request_exception = False
        with nothing_stays():
            assert client.post("/servers", NEW_SERVER).status_code == 500


@pytest.mark.django_db
def test_no_mail_leaves(settings: Settings) -> None:
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with undone([]):
        assert mail.send_mail("subject", "text", None, ["x@acme.test"]) == 1
    with pytest.raises(OSError, match="refused"):
        mail.send_mail("subject", "text", None, ["x@acme.test"])


@pytest.mark.django_db
def test_no_message_leaves() -> None:
    before = messages()
    with undone([]):
        app.send_task("jobs.run", args=["x"])
        run.delay("x")
    assert messages() == before
    run.delay("x")
    assert messages() == before + 1


@pytest.mark.django_db
def test_no_server_is_reached() -> None:
    with undone([]), pytest.raises(RuntimeError, match="SSH"):
        ssh.fetch_host_key("127.0.0.1", free_port())
