"""The API of backups: each operation as a program uses it, what it costs, and how often it may be asked."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from audit.models import AuditEvent
from backups.actions import create_schedule
from backups.models import Backup, Restore, Schedule, Status
from deploynix.actor import Actor
from deploynix.ids import new_id
from jobs.models import Job
from providers.models import Credential
from servers.models import Database, Server
from sites.models import Site
from tests import factories
from tests.apiclient import ApiClient
from tests.backups.test_keys import AGE, AGE_PRIVATE
from tokens.actions import create_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def backup(database: Database, storage: Credential) -> Backup:
    return factories.backup(storage, database=database)


def ids_of(api: ApiClient, path: str) -> list[str]:
    response = api.get(path)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


def test_a_backup_of_a_database_is_made(api: ApiClient, database: Database, storage: Credential) -> None:
    response = api.post("/backups", {"database_id": database.pk, "credential_id": storage.pk})
    assert response.status_code == 202
    body = response.json()
    assert body["message"] == "The backup is queued."
    assert (body["data"]["status"], body["data"]["type"]) == ("pending", "database")
    assert (body["data"]["database_id"], body["data"]["credential_id"]) == (database.pk, storage.pk)
    assert Job.objects.get(pk=body["job"]["id"]).subject_id == body["data"]["id"]


def test_a_backup_of_an_application_is_made(api: ApiClient, site: Site, storage: Credential) -> None:
    response = api.post("/backups/application", {"site_id": site.pk, "credential_id": storage.pk})
    assert response.status_code == 202
    assert (response.json()["data"]["type"], response.json()["data"]["site_id"]) == ("application", site.pk)


def test_the_backups_of_one_database(api: ApiClient, database: Database, backup: Backup) -> None:
    factories.backup(backup.credential, database=factories.database(database.server))
    path = f"/servers/{database.server_id}/databases/{database.pk}/backups"
    made = api.post(path, {"credential_id": backup.credential_id, "encryption": "age", "recipient": AGE})
    assert made.status_code == 202
    assert ids_of(api, path) == [made.json()["data"]["id"], backup.pk]
    assert ids_of(api, f"{path}?status=completed") == [backup.pk]


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"database_id": new_id()}, "database_id", "The selected database id is invalid."),
        ({"credential_id": new_id()}, "credential_id", "The selected credential id is invalid."),
        ({"database_id": None}, "database_id", "The database id field is required."),
        ({"encryption": "zip"}, "encryption", "The selected encryption is invalid."),
        ({"encryption": "age"}, "recipient", "Give the public key that it is encrypted for."),
        ({"encryption": "age", "recipient": AGE_PRIVATE}, "recipient", "This is a private key."),
        ({"kind": "full"}, "kind", "kind"),
    ],
)
def test_what_is_wrong_is_named(
    values: dict[str, Any], field: str, said: str, api: ApiClient, database: Database, storage: Credential
) -> None:
    response = api.post("/backups", {"database_id": database.pk, "credential_id": storage.pk, **values})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert said in response.json()["errors"][field][0]
    assert not Backup.objects.exists()


def test_the_list_is_filtered_and_newest_first(api: ApiClient, backup: Backup, site: Site, storage: Credential) -> None:
    files = factories.backup(storage, site=site, status=Status.RESTORED)
    failed = factories.backup(storage, database=backup.database, status=Status.FAILED)
    removed = factories.backup(storage, database=backup.database, removed_at=timezone.now())
    assert ids_of(api, "/backups") == [failed.pk, files.pk, backup.pk]
    assert ids_of(api, "/backups?status=completed") == [backup.pk]
    assert ids_of(api, "/backups?status=restored&type=application") == [files.pk]
    assert ids_of(api, "/backups?type=database") == [failed.pk, backup.pk]
    assert api.get(f"/backups/{removed.pk}").json()["data"]["removed_at"] is not None
    assert api.get("/backups?status=lost").status_code == api.get("/backups?type=disk").status_code == 422


def test_a_download_is_an_address_and_its_end(api: ApiClient, backup: Backup) -> None:
    response = api.get(f"/backups/{backup.pk}/download")
    assert response.status_code == 200
    assert response.json().keys() == {"url", "expires_at"}
    assert backup.key in response.json()["url"]
    assert response.json()["expires_at"].endswith("Z")


def test_ten_downloads_an_hour_for_each_user(api: ApiClient, owner: Actor, backup: Backup) -> None:
    answers = [api.get(f"/backups/{backup.pk}/download") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 3500 < int(answers[-1]["Retry-After"]) <= 3600
    assert ApiClient.signed_in(owner).get(f"/backups/{backup.pk}/download").status_code == 429
    other = ApiClient.signed_in(factories.actor(owner.organization, "viewer"))
    assert other.get(f"/backups/{backup.pk}/download").status_code == 200
    assert AuditEvent.objects.filter(event="backup.downloaded").count() == 11
    assert api.get(f"/backups/{backup.pk}").status_code == 200


def test_the_number_of_downloads_is_a_setting(api: ApiClient, backup: Backup, settings: Settings) -> None:
    settings.RATE_LIMIT_DOWNLOADS = 1
    assert [api.get(f"/backups/{backup.pk}/download").status_code for _ in range(2)] == [200, 429]


def test_the_address_for_a_test_key_opens_nothing(
    backup: Backup, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.actions.backups.is_dry_run", lambda: True)
    assert "?" not in api.get(f"/backups/{backup.pk}/download").json()["url"]


def test_verify_restore_remove(api: ApiClient, backup: Backup) -> None:
    for method, path, body, kind in (
        ("POST", "/verify", None, "verify_backup"),
        ("POST", "/restore", {"name": "shop_copy"}, "restore_backup"),
        ("DELETE", "", None, "remove_backup"),
    ):
        response = api.call(method, f"/backups/{backup.pk}{path}", body)
        assert response.status_code == 202, response.content
        assert Job.objects.get(pk=response.json()["job"]["id"]).kind == kind
        Job.objects.update(status="succeeded")


def test_a_restore_is_followed(api: ApiClient, backup: Backup) -> None:
    made = api.post(f"/backups/{backup.pk}/restore").json()["data"]
    assert (made["backup_id"], made["name"], made["status"]) == (backup.pk, "shop", "queued")
    assert api.get(f"/backups/restores/{made['id']}").json()["data"] == made
    assert ids_of(api, f"/backups/restores?backup={backup.pk}") == [made["id"]]
    assert ids_of(api, f"/backups/restores?backup={new_id()}") == []
    assert api.get(f"/backups/drills/{made['id']}").status_code == 404


def test_a_private_key_does_not_come_back(api: ApiClient, backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(encryption="age", recipient=AGE)
    response = api.post(f"/backups/{backup.pk}/restore", {"identity": AGE_PRIVATE})
    assert response.status_code == 202
    assert AGE_PRIVATE.encode() not in response.content
    assert Restore.objects.get().identity is not None


def test_a_drill_of_a_backup_or_of_what_a_schedule_has_stored(
    api: ApiClient, schedule: Schedule, database: Database
) -> None:
    stored = factories.backup(schedule.credential, database=database, schedule=schedule)
    one = api.post("/backups/drills", {"backup_id": stored.pk, "query": "SELECT 1"})
    other = api.post("/backups/drills", {"schedule_id": schedule.pk})
    assert (one.status_code, other.status_code) == (202, 202)
    assert (one.json()["data"]["query"], one.json()["data"]["schedule_id"]) == ("SELECT 1", None)
    assert other.json()["data"]["backup_id"] == stored.pk
    assert ids_of(api, f"/backups/drills?schedule={schedule.pk}") == [other.json()["data"]["id"]]
    assert ids_of(api, "/backups/restores") == []
    for body, field in (({}, "backup_id"), ({"backup_id": stored.pk, "schedule_id": schedule.pk}, "schedule_id")):
        refused = api.post("/backups/drills", body)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


def test_a_schedule_from_its_making_to_its_end(api: ApiClient, database: Database, storage: Credential) -> None:
    body = {"database_id": database.pk, "credential_id": storage.pk, "cron": "0 2 * * *", "timezone": "Europe/Berlin"}
    made = api.post("/backups/schedules", body)
    assert made.status_code == 201
    data = made.json()["data"]
    assert (data["name"], data["keep_last"], data["max_age_hours"], data["alarm"]) == ("shop", 7, 27, "")
    assert data["next_run_at"] > data["created_at"]
    path = f"/backups/schedules/{data['id']}"
    changed = api.put(path, {**data, "keep_weekly": 4, "drill_cron": "0 5 * * 0", "alarm": "x"})
    assert changed.status_code == 200
    assert (changed.json()["data"]["keep_weekly"], changed.json()["data"]["alarm"]) == (4, "")
    assert changed.json()["data"]["next_drill_at"] is not None
    assert ids_of(api, "/backups/schedules") == [data["id"]]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_a_schedule_says_when_it_was_last_good_and_proven(api: ApiClient, schedule: Schedule) -> None:
    stored = factories.backup(schedule.credential, database=schedule.database, schedule=schedule)
    shown = api.get(f"/backups/schedules/{schedule.pk}").json()["data"]
    assert shown["last_good_at"] is not None
    assert shown["last_proven_at"] is None
    assert stored.server is not None
    Restore.objects.create(
        organization=stored.organization,
        backup=stored,
        kind="drill",
        schedule=schedule,
        server=stored.server,
        finished_at=timezone.now(),
    )
    assert api.get(f"/backups/schedules/{schedule.pk}").json()["data"]["last_proven_at"] is not None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cron": "0 25 * * *"}, "cron"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"max_age_hours": 3}, "max_age_hours"),
        ({"keep_last": 0}, "keep_last"),
        ({"drill_query": "DROP TABLE orders"}, "drill_query"),
        ({"credential_id": new_id()}, "credential_id"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_named(
    values: dict[str, Any], field: str, api: ApiClient, schedule: Schedule
) -> None:
    response = api.put(f"/backups/schedules/{schedule.pk}", values)
    assert (response.status_code, list(response.json()["errors"])) == (422, [field])


def test_a_token_that_sees_one_site_sees_its_backups_alone(
    owner: Actor, server: Server, site: Site, backup: Backup, storage: Credential
) -> None:
    other = factories.site(server, installed_at=timezone.now())
    files, others = factories.backup(storage, site=site), factories.backup(storage, site=other)
    schedule = create_schedule(owner, site=site, credential=storage, cron="0 2 * * *")
    create_schedule(owner, site=other, credential=storage, cron="0 2 * * *")
    api = ApiClient(create_token(owner, name="limited", sites=[site.pk])[1])
    assert ids_of(api, "/backups") == [files.pk]
    assert ids_of(api, "/backups/schedules") == [schedule.pk]
    for hidden in (backup, others):
        assert api.get(f"/backups/{hidden.pk}").status_code == 404
    refused = api.post("/backups/application", {"site_id": other.pk, "credential_id": storage.pk})
    assert refused.json()["errors"] == {"site_id": ["The selected site id is invalid."]}
    assert api.post(f"/backups/{files.pk}/restore", {"site_id": other.pk}).status_code == 422
    job = api.post(f"/backups/{files.pk}/restore").json()["job"]["id"]
    assert api.get(f"/jobs/{job}").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/backups", "/backups/schedules", "/backups/restores", "/backups/drills", "/servers/{}/databases/{}/backups"],
)
def test_a_list_costs_the_same_however_long_it_is(
    path: str,
    api: ApiClient,
    owner: Actor,
    schedule: Schedule,
    database: Database,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(4):
        other = create_schedule(owner, database=database, credential=schedule.credential, cron="0 3 * * *")
        stored = factories.backup(schedule.credential, database=database, schedule=other)
        for kind in ("restore", "drill"):
            Restore.objects.create(
                organization=owner.organization, backup=stored, kind=kind, server=database.server, name="shop"
            )
    address = path.format(database.server_id, database.pk)
    # The token, and one page with the number of all; for one database also the server and the database.
    with django_assert_num_queries(2 + 2 * ("servers" in path)):
        assert len(ids_of(api, address)) >= 4
