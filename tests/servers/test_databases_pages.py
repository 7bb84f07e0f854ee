"""The pages of databases, for an owner, a viewer and a stranger."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from servers import actions
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus, Server
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, name="web-7", provisioned_at=timezone.now(), database_type="mariadb")


@pytest.fixture
def database(owner: Actor, server: Server) -> Database:
    database, _ = actions.create_database(owner, server=server, name="shop", user="shop")
    Job.objects.update(status=JobStatus.SUCCEEDED)
    Database.objects.update(status=DatabaseStatus.ACTIVE, size=4096, read_at=timezone.now(), is_claimed=True)
    DatabaseUser.objects.update(password=None, is_claimed=True)
    Grant.objects.update(status=GrantStatus.ACTIVE)
    database.refresh_from_db()
    return database


def text_of(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    page = response.content.decode()
    assert "style=" not in page
    assert "<script>" not in page
    return page


def test_an_empty_list_offers_the_next_step(owner_client: Client, member_client: Client, server: Server) -> None:
    page = text_of(owner_client, f"/servers/{server.pk}/databases")
    assert "No databases yet" in page
    assert f'href="/servers/{server.pk}/databases/new"' in page
    page = text_of(member_client, f"/servers/{server.pk}/databases")
    assert "needs the ability database:create" in page
    assert f'href="/servers/{server.pk}/databases"' in text_of(owner_client, f"/servers/{server.pk}")


def test_a_server_that_has_none_says_why(owner: Actor, owner_client: Client) -> None:
    without = factories.server(owner.organization, provisioned_at=timezone.now(), database_type="none")
    assert "No database engine" in text_of(owner_client, f"/servers/{without.pk}/databases")
    fresh = factories.server(owner.organization, database_type="mariadb")
    assert "Not ready yet" in text_of(owner_client, f"/servers/{fresh.pk}/databases")
    response = owner_client.post(f"/servers/{without.pk}/databases/new", {"name": "x", "privileges": "all"})
    assert response.status_code == 422
    assert "has no database engine" in response.content.decode()


def test_the_list_searches_and_stays_cheap(
    owner: Actor,
    owner_client: Client,
    server: Server,
    database: Database,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        actions.create_database(owner, server=server, name=f"blog{number}", user=f"blog{number}")
    with django_assert_max_num_queries(14):
        page = text_of(owner_client, f"/servers/{server.pk}/databases")
    assert "blog19" in page
    assert "every 2s" in page
    assert "4.0\xa0KB" in page
    found = text_of(owner_client, f"/servers/{server.pk}/databases?q=shop", HX_Request="true")
    assert "blog1" not in found
    assert "shop" in found
    assert "<html" not in found
    assert "every 2s" not in found
    assert "No database matches" in text_of(owner_client, f"/servers/{server.pk}/databases?q=nothing")


def test_creating_one_leads_to_its_password_which_is_shown_once(owner_client: Client, server: Server) -> None:
    text_of(owner_client, f"/servers/{server.pk}/databases/new")
    form = {"name": "shop", "user": "shop", "privileges": "all"}
    response = owner_client.post(f"/servers/{server.pk}/databases/new", form)
    database = Database.objects.get()
    assert response["Location"] == f"/servers/{server.pk}/databases/{database.pk}"
    password = DatabaseUser.objects.get().password or ""
    session = str(dict(owner_client.session))
    assert password not in session
    page = text_of(owner_client, response["Location"], HX_Request="true")
    assert password not in page
    page = text_of(owner_client, response["Location"])
    lines = (
        *("DB_CONNECTION=mysql", "DB_HOST=localhost", "DB_PORT=3306", "DB_DATABASE=shop"),
        *("DB_USERNAME=shop", f"DB_PASSWORD={password}"),
    )
    for line in lines:
        assert line in page
    assert password not in text_of(owner_client, response["Location"])
    job = Job.objects.get()
    assert password not in text_of(owner_client, f"/jobs/{job.pk}")


def test_what_the_action_refuses_stands_at_its_field(owner_client: Client, server: Server) -> None:
    form = {"name": "mysql", "user": "UPPER", "privileges": "all"}
    response = owner_client.post(f"/servers/{server.pk}/databases/new", form)
    assert response.status_code == 422
    assert "the system keeps for itself" in response.content.decode()
    response = owner_client.post(f"/servers/{server.pk}/databases/new", form | {"name": "shop"})
    assert 'id="id_user_error"' in response.content.decode()
    assert not Database.objects.exists()


def test_letting_in_changing_and_taking_out(owner_client: Client, database: Database) -> None:
    path = database.get_absolute_url()
    assert "these already: shop" in text_of(owner_client, path)
    response = owner_client.post(path, {"name": "reports", "privileges": "read_only"})
    assert response["Location"] == path
    page = text_of(owner_client, path)
    password = DatabaseUser.objects.get(name="reports").password or ""
    assert f"DB_PASSWORD={password}" in page
    assert "every 2s" in text_of(owner_client, path, HX_Request="true")
    assert owner_client.post(path, {"name": "shop", "privileges": "all"}).status_code == 422
    Job.objects.update(status=JobStatus.SUCCEEDED)

    user = DatabaseUser.objects.get(name="shop")
    owner_client.post(f"{path}/users/{user.pk}/privileges/read_only")
    assert Grant.objects.get(user=user).privileges == "read_only"
    owner_client.post(f"{path}/users/{user.pk}/password")
    assert "Other work on the user is under way" in text_of(owner_client, path)
    Job.objects.update(status=JobStatus.SUCCEEDED)
    owner_client.post(f"{path}/users/{user.pk}/password")
    user.refresh_from_db()
    page = text_of(owner_client, path)
    assert "The password of shop" in page
    assert (user.password or "") in page
    Job.objects.update(status=JobStatus.SUCCEEDED)
    owner_client.post(f"{path}/users/{user.pk}/delete")
    assert Grant.objects.get(user=user).status == GrantStatus.REMOVING


def test_a_password_is_shown_with_its_own_database_only(
    owner: Actor, owner_client: Client, server: Server, database: Database
) -> None:
    other, _ = actions.create_database(owner, server=server, name="blog")
    owner_client.post(database.get_absolute_url(), {"name": "reports", "privileges": "all"})
    password = DatabaseUser.objects.get(name="reports").password or ""
    assert password not in text_of(owner_client, other.get_absolute_url())


def test_deleting_asks_for_the_name(owner_client: Client, database: Database) -> None:
    page = text_of(owner_client, database.get_absolute_url())
    assert "Its backups stay" in page
    owner_client.post(f"{database.get_absolute_url()}/delete", {"confirm": "other"})
    assert not Job.objects.open().exists()
    response = owner_client.post(f"{database.get_absolute_url()}/delete", {"confirm": "shop"})
    assert response["Location"] == f"/servers/{database.server_id}/databases"
    assert "shop is being deleted" in text_of(owner_client, response["Location"])
    assert Job.objects.open().get().kind == "delete_database"


def test_a_name_that_cannot_be_typed_can_be_confirmed(owner_client: Client, database: Database) -> None:
    Database.objects.update(name=" two\tparts ", is_found=True)
    assert "<strong" in text_of(owner_client, database.get_absolute_url())
    owner_client.post(f"{database.get_absolute_url()}/delete", {"confirm": "two parts"})
    assert Job.objects.open().get().kind == "delete_database"


def test_reading_again(owner_client: Client, server: Server) -> None:
    response = owner_client.post(f"/servers/{server.pk}/databases/sync")
    assert response["Location"] == f"/servers/{server.pk}/databases"
    assert "every 2s" in text_of(owner_client, response["Location"], HX_Request="true")


def test_states_are_explained(owner_client: Client, database: Database) -> None:
    Database.objects.update(status=DatabaseStatus.FAILED, status_reason="The database refuses.")
    assert "The database refuses." in text_of(owner_client, database.get_absolute_url())
    Database.objects.update(status=DatabaseStatus.MISSING, status_reason="")
    assert "does not have it any more" in text_of(owner_client, database.get_absolute_url())


def test_a_viewer_sees_which_ability_is_missing(member_client: Client, database: Database) -> None:
    path, user = database.get_absolute_url(), DatabaseUser.objects.get()
    page = text_of(member_client, path)
    for ability in ("database:update", "database:delete"):
        assert f"needs the ability {ability}" in page
    assert member_client.get(f"/servers/{database.server_id}/databases/new").status_code == 403
    for action in ("", "/delete", f"/users/{user.pk}/delete", f"/users/{user.pk}/password"):
        assert (
            member_client.post(path + action, {"confirm": "shop", "name": "me", "privileges": "all"}).status_code == 403
        )
    assert member_client.post(f"{path}/users/{user.pk}/privileges/all").status_code == 403
    assert not Job.objects.open().exists()


def test_strangers_find_nothing(outsider_client: Client, database: Database) -> None:
    path, user = database.get_absolute_url(), DatabaseUser.objects.get()
    below = f"/servers/{database.server_id}/databases"
    for address in (below, f"{below}/new", path):
        assert outsider_client.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    posts = (f"{below}/sync", f"{path}/delete", f"{path}/users/{user.pk}/password", f"{path}/users/{user.pk}/delete")
    for address in posts:
        assert outsider_client.post(address, {"confirm": "shop"}).status_code == 404
    assert not Job.objects.open().exists()
