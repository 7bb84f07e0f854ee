"""Connected domains: their actions under /api/v1, which credential writes, and who is looked at when."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict
from domains import actions
from domains.actions.connections import check_due_connections, open_job
from domains.kinds.checking import CheckConnection
from domains.lookup import LookupFailed
from domains.models import Application, Connection, State, Way
from domains.places import place_of
from domains.states import move
from jobs.models import Job, Status
from providers.actions import create_credential, delete_credential
from providers.base import Kind
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import NotFound
from providers.models import Credential
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db
DOMAIN = "shop.example.com"
RECORDS = [{"type": "A", "value": "203.0.113.10"}]
BODY = {"domain": DOMAIN, "records": RECORDS}
ROUTE53 = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "0" * 40}


@pytest.fixture
def application(owner: Actor) -> Application:
    return actions.create_application(owner, name="Shop")


@pytest.fixture
def path(application: Application) -> str:
    return f"/applications/{application.pk}/connections"


@pytest.fixture
def connection(owner: Actor, application: Application) -> Connection:
    """By hand, and nobody works on it."""
    found = actions.connect_domain(owner, application=application, domain=DOMAIN, way=Way.MANUAL, records=RECORDS)
    Job.objects.all().update(status=Status.SUCCEEDED)
    return found


def credential(owner: Actor, provider: str = "route53", name: str = "Ours", **values: str) -> Credential:
    given = values or ROUTE53
    return create_credential(owner, kind=Kind.DNS, provider=provider, name=name, values=given)


def test_a_domain_is_connected_and_shown(api: ApiClient, outsider_api: ApiClient, path: str) -> None:
    made = api.post(path, {**BODY, "domain": "Shop.Example.com."})
    assert made.status_code == 201
    body = made.json()
    data = body["data"]
    assert (data["domain"], data["way"], data["state"], data["credential_id"]) == (
        DOMAIN,
        "credential",
        "pending",
        None,
    )
    assert [(row["type"], row["name"]) for row in body["records"]] == [("A", ""), ("TXT", "_deploynix")]
    assert body["conflicts"] == []
    assert Job.objects.get(pk=body["job"]["id"]).kind == "apply_connection"
    assert api.get(f"{path}?state=pending&domain={DOMAIN}").json()["data"] == [data]
    assert api.get(f"{path}?state=active").json()["data"] == []
    shown = api.get(f"{path}/{data['id']}").json()
    assert (shown["data"], shown["records"]) == (data, body["records"])
    assert outsider_api.get(f"{path}/{data['id']}").status_code == 404
    assert outsider_api.get(path).status_code == 404
    assert AuditEvent.objects.filter(event="connection.created", target=DOMAIN).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"domain": "co.uk"}, "domain"),
        ({"way": "magic"}, "way"),
        ({"way": "domain_connect"}, "way"),
        ({"records": []}, "records"),
        ({"records": [{"type": "A", "value": "here"}]}, "records.0.value"),
        ({"records": [{"type": "A", "value": "203.0.113.10", "ttl": 1}]}, "records.0.ttl"),
        ({"credential_id": "01JAZ5R0M8Q2W4E6T8Y0P2A4SD"}, "credential_id"),
        ({"way": "manual", "zone": "Z123ABC"}, "zone"),
    ],
)
def test_bad_input_changes_nothing(api: ApiClient, path: str, change: dict[str, Any], field: str) -> None:
    answer = api.post(path, {**BODY, **change})
    assert answer.status_code == 422
    assert [name for name in answer.json()["errors"] if name.startswith(field)], answer.json()
    assert not Connection.objects.exists()


def test_another_s_credential_is_none(api: ApiClient, outsider: Actor, path: str) -> None:
    assert api.post(path, {**BODY, "credential_id": credential(outsider).pk}).status_code == 422


def test_a_domain_is_connected_once(api: ApiClient, owner: Actor, path: str, connection: Connection) -> None:
    assert "is connected already" in api.post(path, BODY).json()["errors"]["domain"][0]
    actions.disconnect_connection(owner, connection=connection)
    assert api.post(path, BODY).status_code == 201


def test_conflicts_are_confirmed_by_their_ids(api: ApiClient, owner: Actor, path: str) -> None:
    pk = api.post(path, BODY).json()["data"]["id"]
    assert api.post(f"{path}/{pk}/apply").status_code == 409
    Job.objects.all().update(status=Status.SUCCEEDED)
    conflict = Connection.objects.get().conflicts.create(name=DOMAIN, type="A", value="192.0.2.1")
    assert [row["id"] for row in api.get(f"{path}/{pk}").json()["conflicts"]] == [conflict.pk]
    assert api.get(path).json()["data"][0]["conflicts_count"] == 1
    refused = api.post(f"{path}/{pk}/apply", {"conflicts": ["another"]})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["conflicts"])
    done = api.post(f"{path}/{pk}/apply", {"conflicts": [conflict.pk]})
    assert done.status_code == 202
    assert done.json()["conflicts"][0]["confirmed_at"]
    assert api.get(path).json()["data"][0]["conflicts_count"] == 0


def test_a_domain_is_checked_disconnected_and_deleted(api: ApiClient, path: str, connection: Connection) -> None:
    own = f"{path}/{connection.pk}"
    assert api.post(f"{own}/apply").status_code == 409
    checked = api.post(f"{own}/check")
    assert checked.status_code == 202
    # One look that waits is enough.
    assert api.post(f"{own}/check").json()["job"] == checked.json()["job"]
    assert api.delete(own).status_code == 409
    gone = api.post(f"{own}/disconnect")
    assert (gone.status_code, gone.json()["job"], gone.json()["data"]["state"]) == (200, None, "disconnected")
    assert api.post(f"{own}/check").status_code == 409
    assert api.delete(own).status_code == 204
    assert not Connection.objects.exists()


def test_a_viewer_changes_nothing(member_api: ApiClient, path: str, connection: Connection) -> None:
    own = f"{path}/{connection.pk}"
    assert member_api.get(own).status_code == 200
    assert member_api.post(path, BODY).status_code == 403
    for what in ("apply", "check", "disconnect"):
        assert member_api.post(f"{own}/{what}").status_code == 403
    assert member_api.delete(own).status_code == 403


def test_an_application_with_domains_and_a_credential_in_use_stay(
    api: ApiClient, owner: Actor, application: Application, path: str
) -> None:
    used = credential(owner)
    api.post(path, {**BODY, "credential_id": used.pk, "zone": "Z123ABC"})
    with pytest.raises(Conflict, match="is used by the domain shop"):
        delete_credential(owner, credential=used)
    assert api.delete(f"/applications/{application.pk}").status_code == 409
    renamed = api.put(f"/applications/{application.pk}", {"name": "Shop 2"})
    assert renamed.json()["data"]["name"] == "Shop 2"


@pytest.mark.parametrize(
    ("provider", "values", "field"),
    [
        ("route53", ROUTE53, "zone"),
        (
            "gcpdns",
            {"key_file": '{"type": "service_account", "client_email": "a", "private_key": "b", "project_id": "acme"}'},
            "managed_zone",
        ),
    ],
)
def test_the_zone_of_a_connection_is_that_of_its_provider(
    owner: Actor,
    application: Application,
    provider: str,
    values: dict[str, str],
    field: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = actions.connect_domain(
        owner,
        application=application,
        domain=DOMAIN,
        way=Way.CREDENTIAL,
        records=RECORDS,
        credential=credential(owner, provider, **values),
        zone="Z123ABC" if provider == "route53" else "shop-zone",
    )
    asked: list[DnsProvider] = []

    def find_zone(adapter: DnsProvider, name: str) -> Zone:
        asked.append(adapter)
        return Zone("1", "example.com")

    monkeypatch.setattr(DnsProvider, "find_zone", find_zone)
    place_of(connection, print)
    assert asked[0].values[field] == connection.zone


def test_the_application_s_own_credentials_come_first(
    owner: Actor, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential(owner, name="Another")
    connection = actions.connect_domain(
        owner, application=application, domain=DOMAIN, way=Way.CREDENTIAL, records=RECORDS
    )
    broken, own = (
        credential(owner, name=name, zone=zone, **ROUTE53) for name, zone in (("Broken", "Z0"), ("Own", "Z1"))
    )
    for row in (broken, own):
        actions.use_credential(owner, application=application, credential=row)

    def find_zone(adapter: DnsProvider, name: str) -> Zone:
        if adapter.values.get("zone") == "Z0":
            raise NotFound("It holds no such zone.")
        return Zone("1", "example.com")

    monkeypatch.setattr(DnsProvider, "find_zone", find_zone)
    said: list[str] = []
    assert place_of(connection, said.append).credential == own
    assert said == ["Broken: It holds no such zone."]


def test_all_are_looked_at_daily_and_what_is_put_up_by_hand_often_at_first(
    owner: Actor, connection: Connection
) -> None:
    def looked_at(ago: timedelta, state: State, **fields: Any) -> int:
        move(owner, connection, state, checked_at=timezone.now() - ago, **fields)
        Job.objects.all().delete()
        return check_due_connections()

    minutes, day = timedelta(minutes=6), timedelta(days=1, minutes=1)
    assert looked_at(minutes, State.PENDING) == 1
    job = open_job(connection)
    assert (job and job.kind, check_due_connections()) == ("check_connection", 0)
    assert looked_at(timedelta(minutes=1), State.PENDING) == 0
    assert looked_at(minutes, State.ACTIVE) == 0
    assert looked_at(day, State.ACTIVE) == 1
    assert looked_at(day, State.FAILING) == 1
    Connection.objects.update(created_at=timezone.now() - day)
    assert looked_at(minutes, State.PENDING) == 0
    assert looked_at(day, State.PENDING) == 1
    assert looked_at(day, State.DISCONNECTED) == 0


def test_that_nobody_could_look_proves_nothing_for_two_days(owner: Actor, connection: Connection) -> None:
    move(owner, connection, State.ACTIVE, active_at=timezone.now())
    job = actions.check_connection(owner, connection=connection)
    connection.records.update(seen_at=timezone.now() - timedelta(days=1))
    failure = LookupFailed("The resolver does not answer.")
    CheckConnection().on_failed(job, failure)
    connection.refresh_from_db()
    assert (connection.state, connection.reason) == (State.ACTIVE, "The resolver does not answer.")
    connection.records.update(seen_at=timezone.now() - timedelta(days=3))
    CheckConnection().on_failed(job, failure)
    connection.refresh_from_db()
    assert connection.state == State.FAILING
    moves = AuditEvent.objects.filter(event="connection.moved").order_by("id").values_list("changes", flat=True)
    assert [row["state"] for row in moves] == [["pending", "active"], ["active", "failing"]]
