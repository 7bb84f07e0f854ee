"""What may be done with databases and their users, by whom, and what the rows say afterwards."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor, Resources
from deploynix.errors import Conflict, Denied, Error, Invalid
from deploynix.redact import secrets_of
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import claim, run_job
from servers import actions, engines
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus, Server, Status
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse 4711"


def ready(actor: Actor, **fields: Any) -> Server:
    defaults = {"provisioned_at": timezone.now(), "database_type": "mariadb"}
    return factories.server(actor.organization, **defaults | fields)


@pytest.fixture
def server(owner: Actor) -> Server:
    return ready(owner)


@pytest.fixture
def database(owner: Actor, server: Server) -> Database:
    """With the user shop; the server knows both."""
    database, _ = actions.create_database(owner, server=server, name="shop", user="shop")
    Job.objects.about(database).update(status=JobStatus.SUCCEEDED)
    Database.objects.update(status=DatabaseStatus.ACTIVE, is_claimed=True)
    DatabaseUser.objects.update(password=None, is_claimed=True)
    Grant.objects.update(status=GrantStatus.ACTIVE)
    database.refresh_from_db()
    return database


def grant_of(database: Database, name: str = "shop") -> Grant:
    return Grant.objects.select_related("database__server", "user").get(database=database, user__name=name)


def job_of(database: Database) -> Job:
    return Job.objects.about(database).latest("id")


class Answers:
    """A server that does what it is asked, and notes it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.databases: dict[str, int] = {}
        self.logins: set[str] = set()
        self.error: Error | None = None

    def __call__(self, run: object, server: Server, do: str, **values: Any) -> dict[str, Any]:
        self.asked.append((do, values))
        if self.error and do != "find":
            raise self.error
        if do == "create":
            self.databases[values["name"]] = 0
        if do == "drop":
            self.databases.pop(values["name"], None)
        return {
            "databases": [{"name": name, "size": size} for name, size in self.databases.items()],
            "names": sorted(self.databases.keys() & set(values.get("names", ()))),
            "logins": sorted(self.logins & set(values.get("logins", ()))),
            "has_rights": False,
            "has_login": False,
        }

    def given(self, do: str) -> dict[str, Any]:
        """What was sent with the latest such question."""
        return next(values for done, values in reversed(self.asked) if done == do)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()
    monkeypatch.setattr(engines, "ask", answers)
    return answers


def test_a_database_is_made_with_a_user_and_a_password_that_is_kept_until_the_server_knows_it(
    owner: Actor, server: Server, answers: Answers
) -> None:
    database, password = actions.create_database(owner, server=server, name="Shop-1", user="shop")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{31}", password)
    assert DatabaseUser.objects.get().password == password
    assert password in secrets_of(owner.organization.pk)
    job = job_of(database)
    assert (job.kind, job.lane, job.label) == (
        "create_database",
        f"database:{database.pk}",
        f"Create the database Shop-1 on {server}",
    )
    assert password not in str(job.params)

    run_job(job.pk)
    database.refresh_from_db()
    assert (database.status, database.size, database.is_claimed) == (DatabaseStatus.ACTIVE, 0, True)
    assert grant_of(database).status == GrantStatus.ACTIVE
    assert DatabaseUser.objects.get().password is None
    assert answers.given("grant") == {
        "name": "Shop-1",
        "owner": "",
        "user": "shop",
        "privileges": "all",
        "password": password,
        "others": [],
    }
    events = list(AuditEvent.objects.order_by("id").values_list("event", "target"))
    assert events == [("database.created", "Shop-1"), ("database.user-created", "Shop-1")]
    assert password not in str(list(AuditEvent.objects.values_list("changes", flat=True)))


def test_postgresql_gets_an_owner_unless_the_database_was_found(owner: Actor) -> None:
    server = ready(owner, database_type="postgresql")
    database, _ = actions.create_database(owner, server=server, name="shop")
    assert database.owner_role == f"dnx_owner_{database.pk.lower()}"
    database.is_found = True
    assert database.owner_role == ""


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "1shop"}),
        ("name", {"name": "sh op"}),
        ("name", {"name": "shop\n"}),
        ("name", {"name": "shöp"}),
        ("name", {"name": "x" * 64}),
        ("name", {"name": "mysql"}),
        ("name", {"name": "Postgres"}),
        ("name", {"name": "template1"}),
        ("name", {"name": "dnx_scratch_1"}),
        ("user", {"user": "Shop"}),
        ("user", {"user": "sh-op"}),
        ("user", {"user": "root"}),
        ("user", {"user": "pg_shop"}),
        ("user", {"user": "dnx_owner_1"}),
        ("user", {"user": "x" * 33}),
        ("privileges", {"user": "shop", "privileges": "some"}),
        ("password", {"user": "shop", "password": "short"}),
        ("password", {"user": "shop", "password": "x" * 129}),
        ("password", {"user": "shop", "password": "two\nlines of it"}),
    ],
)
def test_bad_values_change_nothing(owner: Actor, server: Server, field: str, values: dict[str, str]) -> None:
    with pytest.raises((Invalid, ValidationError)) as caught:
        actions.create_database(owner, server=server, **{"name": "shop", **values})
    error = caught.value
    errors = error.message_dict if isinstance(error, ValidationError) else getattr(error, "errors", {})
    assert list(errors) == [field]
    assert not Database.objects.exists()
    assert not DatabaseUser.objects.exists()
    assert not Job.objects.exists()


def test_names_are_taken_once_on_a_server(owner: Actor, database: Database) -> None:
    with pytest.raises(Invalid, match="invalid") as caught:
        actions.create_database(owner, server=database.server, name="shop")
    assert caught.value.errors == {"name": ["The name has already been taken."]}
    actions.create_database(owner, server=ready(owner), name="shop", user="shop")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"database_type": "none"}, "has no database engine"),
        ({"provisioned_at": None, "status": Status.PENDING}, "not provisioned yet"),
        ({"status": Status.DELETING}, "being removed"),
    ],
)
def test_a_server_that_cannot_have_databases_says_so(owner: Actor, fields: dict[str, Any], text: str) -> None:
    server = ready(owner, **fields)
    with pytest.raises(Conflict, match=text):
        actions.create_database(owner, server=server, name="shop")
    with pytest.raises(Conflict, match=text):
        actions.sync_databases(owner, server=server)


def test_a_viewer_may_only_look(member: Actor, database: Database) -> None:
    grant = grant_of(database)
    for ability, work in (
        ("database:create", lambda: actions.create_database(member, server=database.server, name="mine")),
        ("database:delete", lambda: actions.delete_database(member, database=database)),
        ("database:update", lambda: actions.create_database_user(member, database=database, name="me")),
        ("database:update", lambda: actions.update_database_user(member, grant=grant, privileges="read_only")),
        ("database:update", lambda: actions.change_database_password(member, grant=grant)),
        ("database:update", lambda: actions.delete_database_user(member, grant=grant)),
    ):
        with pytest.raises(Denied, match=ability):
            work()
    assert not Job.objects.open().exists()
    actions.sync_databases(member, server=database.server)


def test_a_user_of_the_server_keeps_the_password(owner: Actor, database: Database, answers: Answers) -> None:
    other, password = actions.create_database(owner, server=database.server, name="blog", user="shop")
    assert password == ""
    run_job(job_of(other).pk)
    assert answers.given("grant")["password"] is None
    assert grant_of(other).status == GrantStatus.ACTIVE
    for name, given in (("name", {}), ("password", {"password": PASSWORD})):
        target = other if name == "name" else actions.create_database(owner, server=database.server, name="third")[0]
        with pytest.raises(Invalid) as caught:
            actions.create_database_user(owner, database=target, name="shop", **given)
        assert list(caught.value.errors) == [name]


def test_a_user_is_changed_by_one_job_at_a_time(owner: Actor, database: Database) -> None:
    grant = grant_of(database)
    job, password = actions.change_database_password(owner, grant=grant, password=PASSWORD)
    assert password == PASSWORD
    other, _ = actions.create_database(owner, server=database.server, name="blog")
    for work in (
        lambda: actions.change_database_password(owner, grant=grant),
        lambda: actions.update_database_user(owner, grant=grant, privileges="read_only"),
        lambda: actions.delete_database_user(owner, grant=grant),
        lambda: actions.create_database_user(owner, database=other, name="shop"),
    ):
        with pytest.raises(Conflict, match="Change the password of shop"):
            work()
    # Somebody new, and the end of the whole database, wait in the same lane.
    actions.create_database_user(owner, database=database, name="second")
    actions.delete_database(owner, database=database)
    assert claim(job.pk)
    assert claim(job_of(database).pk) is None


def test_a_database_is_not_deleted_while_its_user_is_changed_in_another(owner: Actor, database: Database) -> None:
    other, _ = actions.create_database(owner, server=database.server, name="blog", user="shop")
    with pytest.raises(Conflict, match="Create the database blog"):
        actions.delete_database(owner, database=database)
    cancel_job(owner, job=job_of(other))
    actions.delete_database(owner, database=database)


def test_changing_what_a_user_may_do(owner: Actor, database: Database, answers: Answers) -> None:
    answers.databases = {"shop": 1}
    with pytest.raises(Invalid):
        actions.update_database_user(owner, grant=grant_of(database), privileges="some")
    job = actions.update_database_user(owner, grant=grant_of(database), privileges="read_only")
    assert grant_of(database).status == GrantStatus.PENDING
    run_job(job.pk)
    assert (grant_of(database).status, answers.given("grant")["privileges"]) == (GrantStatus.ACTIVE, "read_only")
    changes = AuditEvent.objects.get(event="database.user-updated").changes
    assert changes == {"user": [None, "shop"], "privileges": ["all", "read_only"]}


def test_a_user_leaves_the_server_with_the_last_database(owner: Actor, database: Database, answers: Answers) -> None:
    answers.databases = {"shop": 1}
    other, _ = actions.create_database(owner, server=database.server, name="blog", user="shop")
    run_job(job_of(other).pk)
    for target, is_last in ((database, False), (other, True)):
        run_job(actions.delete_database_user(owner, grant=grant_of(target)).pk)
        assert answers.given("revoke")["forget"] is is_last
        assert DatabaseUser.objects.exists() is not is_last


def test_deleting_takes_along_who_has_nothing_else(owner: Actor, database: Database, answers: Answers) -> None:
    answers.databases = {"shop": 1}
    other, _ = actions.create_database(owner, server=database.server, name="blog", user="shop")
    run_job(job_of(other).pk)
    run_job(actions.create_database_user(owner, database=database, name="second")[0].pk)
    job = actions.delete_database(owner, database=database)
    with pytest.raises(Conflict, match="deleted already"):
        actions.delete_database(owner, database=database)
    with pytest.raises(Conflict, match="being deleted"):
        actions.create_database_user(owner, database=database, name="third")
    run_job(job.pk)
    sent = answers.given("drop")
    assert (sorted(sent["users"]), sent["logins"]) == (["second", "shop"], ["second"])
    assert list(Database.objects.values_list("name", flat=True)) == ["blog"]
    assert list(DatabaseUser.objects.values_list("name", flat=True)) == ["shop"]


def test_a_failure_is_told_and_can_be_retried(owner: Actor, server: Server, answers: Answers) -> None:
    answers.error = Error("The database refuses.", "Mend it.")
    database, password = actions.create_database(owner, server=server, name="shop", user="shop")
    job = job_of(database)
    run_job(job.pk)
    database.refresh_from_db()
    assert (database.status, database.status_reason) == (DatabaseStatus.FAILED, "The database refuses. Mend it.")
    assert grant_of(database).status == GrantStatus.FAILED
    assert DatabaseUser.objects.get().password == password
    answers.error = None
    run_job(retry_job(owner, job=job).pk)
    database.refresh_from_db()
    assert (database.status, database.status_reason) == (DatabaseStatus.ACTIVE, "")


def test_what_somebody_else_has_under_the_name_is_left_alone(owner: Actor, server: Server, answers: Answers) -> None:
    answers.databases, answers.logins = {"shop": 7}, {"alice"}
    database, _ = actions.create_database(owner, server=server, name="shop")
    run_job(job_of(database).pk)
    assert job_of(database).error == f"{server} has a database shop already."
    run_job(actions.delete_database(owner, database=database).pk)
    assert (answers.databases, Database.objects.count()) == ({"shop": 7}, 0)

    database, _ = actions.create_database(owner, server=server, name="blog", user="alice")
    run_job(job_of(database).pk)
    assert job_of(database).error == f"The database of {server} has a user alice already."
    job, _ = actions.change_database_password(owner, grant=grant_of(database, "alice"))
    run_job(job.pk)
    run_job(actions.delete_database(owner, database=database).pk)
    assert {do for do, _ in answers.asked} == {"find"}


def test_cancelling_keeps_what_can_be_retried(owner: Actor, server: Server) -> None:
    database, password = actions.create_database(owner, server=server, name="shop", user="shop")
    cancel_job(owner, job=job_of(database))
    database.refresh_from_db()
    assert database.status == DatabaseStatus.FAILED
    assert DatabaseUser.objects.get().password == password


def test_a_user_who_was_let_in_again_is_not_taken_out_by_an_old_job(
    owner: Actor, database: Database, answers: Answers
) -> None:
    answers.databases = {"shop": 1}
    answers.error = Error("The database refuses.")
    old = actions.delete_database_user(owner, grant=grant_of(database))
    run_job(old.pk)
    answers.error = None
    run_job(actions.update_database_user(owner, grant=grant_of(database), privileges="all").pk)
    old.refresh_from_db()
    run_job(retry_job(owner, job=old).pk)
    old.refresh_from_db()
    assert old.error == "The user was let in again in the meantime."
    assert Grant.objects.filter(database=database).exists()


def test_a_sync_finds_what_is_there_and_what_is_gone(owner: Actor, database: Database, answers: Answers) -> None:
    server = database.server
    answers.databases = {"by hand": 4096, "dnx_scratch_1": 1}
    job = actions.sync_databases(owner, server=server)
    assert actions.sync_databases(owner, server=server) == job
    run_job(job.pk)
    found = Database.objects.get(name="by hand")
    assert (found.is_found, found.is_claimed, found.size, found.status) == (True, True, 4096, DatabaseStatus.ACTIVE)
    database.refresh_from_db()
    assert database.status == DatabaseStatus.MISSING
    assert Database.objects.count() == 2
    with pytest.raises(Conflict, match="not on the server"):
        actions.create_database_user(owner, database=database, name="second")
    answers.databases["shop"] = 10
    run_job(actions.sync_databases(owner, server=server).pk)
    database.refresh_from_db()
    assert (database.status, database.size) == (DatabaseStatus.ACTIVE, 10)


def test_a_sync_does_not_overtake_what_happens_meanwhile(
    owner: Actor, database: Database, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = database.server
    going = Database.objects.create(server=server, name="going", status=DatabaseStatus.DELETING)

    def meanwhile(run: object, server: Server) -> dict[str, int]:
        going.delete()
        Database.objects.create(server=server, name="fresh", status=DatabaseStatus.ACTIVE)
        return {"going": 1, "shop": 1}

    monkeypatch.setattr(engines, "sizes_on", meanwhile)
    run_job(actions.sync_databases(owner, server=server).pk)
    states = dict(Database.objects.values_list("name", "status"))
    assert states == {"shop": DatabaseStatus.ACTIVE, "fresh": DatabaseStatus.ACTIVE}


def test_servers_are_read_once_a_day(owner: Actor, server: Server) -> None:
    ready(owner, database_type="none")
    factories.server(owner.organization, status=Status.PENDING, database_type="mariadb")
    assert actions.sync_due_servers() == 1
    job = Job.objects.get()
    assert (job.subject_id, job.kind, job.actor) == (server.pk, "sync_databases", "system")
    Job.objects.update(status=JobStatus.FAILED)
    assert actions.sync_due_servers() == 0
    Job.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert actions.sync_due_servers() == 1


def test_a_limited_token_sees_the_databases_and_their_jobs_of_its_servers(owner: Actor, database: Database) -> None:
    hidden, _ = actions.create_database(owner, server=ready(owner), name="hidden")
    limited = replace(owner, resources=Resources(frozenset({database.server_id}), frozenset()))
    assert list(Database.objects.visible_to(limited)) == [database]
    seen = set(Job.objects.visible_to(limited).values_list("subject_id", flat=True))
    assert seen == {database.pk}
    assert hidden.pk not in seen
