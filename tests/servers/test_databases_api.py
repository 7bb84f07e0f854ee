"""Databases and their users over the API."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers import actions
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus, Server
from tests import factories
from tests.apiclient import ApiClient, Response
from tokens.actions import create_api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, provisioned_at=timezone.now(), database_type="postgresql")


@pytest.fixture
def database(owner: Actor, server: Server) -> Database:
    database, _ = actions.create_database(owner, server=server, name="shop", user="shop")
    Job.objects.update(status=JobStatus.SUCCEEDED)
    Database.objects.update(status=DatabaseStatus.ACTIVE, is_claimed=True, size=4096)
    DatabaseUser.objects.update(password=None, is_claimed=True)
    Grant.objects.update(status=GrantStatus.ACTIVE)
    return database


@pytest.fixture
def user(database: Database) -> DatabaseUser:
    return DatabaseUser.objects.get()


def read(response: Response) -> Any:
    return response.json()


def test_creating_one_with_a_user_shows_the_password_once(api: ApiClient, server: Server) -> None:
    body = {"name": "shop", "user": "shop", "privileges": "read_only"}
    response = api.post(f"/servers/{server.pk}/databases", body, idempotency_key="once")
    answer = read(response)
    assert response.status_code == 202
    database = Database.objects.get()
    assert answer["data"] == {
        "id": database.pk,
        "server_id": server.pk,
        "name": "shop",
        "status": "creating",
        "status_reason": "",
        "is_found": False,
        "size": None,
        "read_at": None,
        "users_count": 1,
        "created_at": answer["data"]["created_at"],
        "updated_at": answer["data"]["updated_at"],
    }
    assert answer["job"]["id"] == Job.objects.get().pk
    assert answer["password"] == DatabaseUser.objects.get().password
    again = api.post(f"/servers/{server.pk}/databases", body, idempotency_key="once")
    assert read(again) == answer | {"password": None}
    assert Database.objects.count() == 1


def test_without_a_user_there_is_no_password(api: ApiClient, server: Server) -> None:
    answer = read(api.post(f"/servers/{server.pk}/databases", {"name": "shop"}))
    assert (answer["password"], answer["data"]["users_count"]) == (None, 0)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("name", {}),
        ("name", {"name": "no spaces"}),
        ("name", {"name": "postgres"}),
        ("name", {"name": 7}),
        ("user", {"name": "shop", "user": "UPPER"}),
        ("privileges", {"name": "shop", "user": "shop", "privileges": "some"}),
        ("password", {"name": "shop", "user": "shop", "password": "short"}),
        ("size", {"name": "shop", "size": 1}),
    ],
)
def test_bad_bodies_change_nothing(api: ApiClient, server: Server, field: str, body: dict[str, Any]) -> None:
    response = api.post(f"/servers/{server.pk}/databases", body)
    assert (response.status_code, list(read(response)["errors"])) == (422, [field])
    assert not Database.objects.exists()
    assert not DatabaseUser.objects.exists()


def test_a_server_without_an_engine_refuses(api: ApiClient, owner: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at=timezone.now(), database_type="none")
    response = api.post(f"/servers/{server.pk}/databases", {"name": "shop"})
    assert response.status_code == 409
    assert "no database engine" in read(response)["message"]
    assert read(api.get(f"/servers/{server.pk}/databases"))["data"] == []


def test_the_list_costs_the_same_however_long(
    api: ApiClient, owner: Actor, database: Database, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    path = f"/servers/{database.server_id}/databases"
    api.get(path)
    with django_assert_num_queries(3):
        assert len(read(api.get(path))["data"]) == 1
    for number in range(10):
        actions.create_database(owner, server=database.server, name=f"blog{number}", user=f"blog{number}")
    with django_assert_num_queries(3):
        rows = read(api.get(path))["data"]
    assert [row["name"] for row in rows] == [*(f"blog{number}" for number in reversed(range(10))), "shop"]
    assert {row["users_count"] for row in rows} == {1}
    users = f"{path}/{database.pk}/users"
    with django_assert_num_queries(4):
        assert [row["name"] for row in read(api.get(users))["data"]] == ["shop"]


def test_one_is_read_and_deleted(api: ApiClient, database: Database) -> None:
    path = f"/servers/{database.server_id}/databases/{database.pk}"
    assert read(api.get(path))["data"]["size"] == 4096
    answer = read(api.delete(path))
    assert (answer["message"], answer["data"]["status"]) == ("The database is being deleted.", "deleting")
    assert Job.objects.get(pk=answer["job"]["id"]).kind == "delete_database"
    assert api.delete(path).status_code == 409


def test_users_are_let_in_changed_and_taken_out(api: ApiClient, database: Database, user: DatabaseUser) -> None:
    path = f"/servers/{database.server_id}/databases/{database.pk}/users"
    response = api.post(path, {"name": "reports", "privileges": "read_only"})
    answer = read(response)
    assert response.status_code == 202
    assert {name: answer["data"][name] for name in ("name", "privileges", "status")} == {
        "name": "reports",
        "privileges": "read_only",
        "status": "pending",
    }
    assert answer["password"] == DatabaseUser.objects.get(name="reports").password
    assert read(api.get(f"{path}/{answer['data']['id']}"))["data"] == answer["data"]
    again = api.post(path, {"name": "reports"})
    assert read(again)["errors"] == {"name": ["reports may use this database already."]}
    Job.objects.update(status=JobStatus.SUCCEEDED)

    answer = read(api.put(f"{path}/{user.pk}", {"privileges": "read_only"}))
    assert (answer["data"]["privileges"], answer["data"]["status"]) == ("read_only", "pending")
    busy = api.delete(f"{path}/{user.pk}")
    assert (busy.status_code, "Wait for that job" in read(busy)["hint"]) == (409, True)
    Job.objects.update(status=JobStatus.SUCCEEDED)
    assert read(api.delete(f"{path}/{user.pk}"))["data"]["status"] == "removing"


def test_a_new_password_is_shown_once(api: ApiClient, database: Database, user: DatabaseUser) -> None:
    path = f"/servers/{database.server_id}/databases/{database.pk}/users/{user.pk}/password"
    answer = read(api.post(path, {}, idempotency_key="once"))
    assert len(answer["password"]) == 32
    assert "password" not in read(api.post(path, {}, idempotency_key="once"))
    Job.objects.update(status=JobStatus.SUCCEEDED)
    assert read(api.post(path, {"password": 'it\'s "so" \\ pässwörd'}))["password"] == 'it\'s "so" \\ pässwörd'
    Job.objects.update(status=JobStatus.SUCCEEDED)
    assert read(api.post(path, {"password": "short"}))["errors"].keys() == {"password"}
    log = str(list(AuditEvent.objects.values()))
    assert answer["password"] not in log
    assert answer["password"] not in str([job.params for job in Job.objects.all()])


def test_a_sync_is_queued(api: ApiClient, server: Server) -> None:
    answer = read(api.post(f"/servers/{server.pk}/databases/sync"))
    assert (answer["data"]["id"], Job.objects.get().kind) == (server.pk, "sync_databases")


def test_a_viewer_reads_and_no_more(member_api: ApiClient, database: Database, user: DatabaseUser) -> None:
    path = f"/servers/{database.server_id}/databases"
    for allowed in (path, f"{path}/{database.pk}", f"{path}/{database.pk}/users"):
        assert member_api.get(allowed).status_code == 200
    for response, ability in (
        (member_api.post(path, {"name": "mine"}), "database:create"),
        (member_api.delete(f"{path}/{database.pk}"), "database:delete"),
        (member_api.post(f"{path}/{database.pk}/users", {"name": "me"}), "database:update"),
        (member_api.put(f"{path}/{database.pk}/users/{user.pk}", {"privileges": "all"}), "database:update"),
        (member_api.delete(f"{path}/{database.pk}/users/{user.pk}"), "database:update"),
        (member_api.post(f"{path}/{database.pk}/users/{user.pk}/password"), "database:update"),
    ):
        assert response.status_code == 403
        assert ability in read(response)["message"]


def test_other_organizations_see_nothing(outsider_api: ApiClient, database: Database, user: DatabaseUser) -> None:
    path = f"/servers/{database.server_id}/databases"
    one = f"{path}/{database.pk}"
    calls = [outsider_api.get(address) for address in (path, one, f"{one}/users", f"{one}/users/{user.pk}")]
    calls += [outsider_api.post(path, {"name": "mine"}), outsider_api.delete(one), outsider_api.post(f"{path}/sync")]
    calls += [outsider_api.post(f"{one}/users", {"name": "me"}), outsider_api.delete(f"{one}/users/{user.pk}")]
    calls += [outsider_api.put(f"{one}/users/{user.pk}", {"privileges": "all"})]
    calls += [outsider_api.post(f"{one}/users/{user.pk}/password")]
    assert {response.status_code for response in calls} == {404}
    assert not Job.objects.open().exists()


def test_an_id_below_another_server_is_not_found(api: ApiClient, owner: Actor, database: Database) -> None:
    other = factories.server(owner.organization, provisioned_at=timezone.now(), database_type="mariadb")
    assert api.get(f"/servers/{other.pk}/databases/{database.pk}").status_code == 404
    elsewhere, _ = actions.create_database(owner, server=database.server, name="blog", user="blog")
    user = DatabaseUser.objects.get(name="blog")
    path = f"/servers/{database.server_id}/databases"
    assert api.get(f"{path}/{database.pk}/users/{user.pk}").status_code == 404
    assert api.delete(f"{path}/{database.pk}/users/{user.pk}").status_code == 404
    assert api.get(f"{path}/{elsewhere.pk}/users/{user.pk}").status_code == 200


def test_a_test_key_changes_nothing(owner: Actor, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # No permission of test keys opens databases.
    monkeypatch.setattr("tokens.authentication.opened", lambda prefix, words, role: ROLES[role])
    _, text = create_api_key(owner, name="dry", permissions=["servers:*"], environment="test")
    response = ApiClient(text).post(f"/servers/{server.pk}/databases", {"name": "shop", "user": "shop"})
    assert (response.status_code, response["X-Dry-Run"]) == (202, "true")
    assert not Database.objects.exists()
    assert not DatabaseUser.objects.exists()
    assert not Job.objects.exists()
