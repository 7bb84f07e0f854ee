"""Databases and their users, on real engines."""

from collections.abc import Callable
from typing import Any

import pytest

from deploynix.actor import Actor
from jobs.actions import retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from servers.actions import (
    change_database_password,
    create_database,
    create_database_user,
    delete_database,
    delete_database_user,
    sync_databases,
    update_database_user,
)
from servers.actions.databases import SYNC
from servers.models import Database, DatabaseStatus, DatabaseUser, Grant, GrantStatus
from tests.lab.engines import Engine, PostgreSQL, text_of
from tests.lab.workers import Workers
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
AWKWARD = [
    "it's \"so\" \\ and `so` \\' \\\\",
    "  spaces around  ",
    "$HOME ${x} $(id) %s #; -- /*",
    "pässwörd ñ 漢字 \N{GRINNING FACE}",
    # What SASLprep makes something else of: ligatures, Roman numerals, wide letters; and Hebrew, which it leaves.
    "oﬃce Ⅸ \uff46\uff55\uff4c\uff4c שלום",
    "x" * 100,
    "=@:/?&[]{}<>|~^,.",
]
ODD = ["Web Shop", "o'clock", 'say "so"', "back`quote", "back\\slash", "ünïcode", "100%", "tab\there", "-dash", "a=b"]


def done(job: Job) -> Job:
    """Runs the job to its end."""
    run_job(job.pk)
    job.refresh_from_db()
    print(log_of(job))
    return job


def succeeded(job: Job) -> Job:
    job = done(job)
    assert (job.status, job.error) == (JobStatus.SUCCEEDED, "")
    return job


def log_of(job: Job) -> str:
    return "".join(job.log.values_list("text", flat=True))


def created(actor: Actor, engine: Engine, name: str, **values: Any) -> tuple[Database, str]:
    database, password = create_database(actor, server=engine.server, name=name, **values)
    succeeded(Job.objects.about(database).get())
    database.refresh_from_db()
    assert database.status == DatabaseStatus.ACTIVE
    return database, password


def let_in(actor: Actor, database: Database, name: str, privileges: str = "all", password: str = "") -> str:
    job, text = create_database_user(actor, database=database, name=name, privileges=privileges, password=password)
    succeeded(job)
    assert grant(database, name).status == GrantStatus.ACTIVE
    return text


def grant(database: Database, user: str) -> Grant:
    return Grant.objects.select_related("database__server", "user").get(database=database, user__name=user)


def synced(actor: Actor, engine: Engine) -> dict[str, Database]:
    succeeded(sync_databases(actor, server=engine.server))
    return {database.name: database for database in Database.objects.filter(server=engine.server)}


def may(engine: Engine, user: str, password: str, database: str) -> Callable[[str], bool]:
    return lambda statement: engine.as_user(user, password, database, statement).returncode == 0


def test_each_user_may_do_what_was_chosen_and_no_more(owner: Actor, engine: Engine) -> None:
    shop, password = created(owner, engine, "shop", user="shop")
    assert shop.size is not None
    assert DatabaseUser.objects.get(name="shop").password is None
    passwords = {"shop": password, "second": let_in(owner, shop, "second")}
    shop_may, second_may = (may(engine, user, passwords[user], "shop") for user in ("shop", "second"))
    assert shop_may("CREATE TABLE before_reader (id INT PRIMARY KEY); INSERT INTO before_reader VALUES (1)")

    reader_may = may(engine, "reader", let_in(owner, shop, "reader", "read_only"), "shop")
    assert shop_may("CREATE TABLE after_reader (id INT PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM before_reader")
    for allowed in ("SELECT * FROM before_reader", "SELECT * FROM after_reader", "SELECT * FROM seen"):
        assert reader_may(allowed)
    for refused in (
        "INSERT INTO before_reader VALUES (2)",
        "UPDATE after_reader SET id = 3",
        "DELETE FROM before_reader",
        "DROP TABLE after_reader",
        "ALTER TABLE before_reader ADD COLUMN x INT",
        "CREATE TABLE mine (id INT)",
        "DROP DATABASE shop",
        "CREATE DATABASE mine",
        "CREATE USER mine",
    ):
        assert not reader_may(refused), refused

    # What one of them creates belongs to all of them.
    assert second_may("INSERT INTO after_reader VALUES (4); ALTER TABLE after_reader ADD COLUMN x INT")
    assert second_may("DROP VIEW seen; DROP TABLE before_reader; CREATE TABLE of_second (id INT)")
    assert shop_may("DROP TABLE of_second")
    assert not second_may("CREATE DATABASE mine")
    assert not second_may("CREATE USER mine")

    # Names that only look alike are other databases.
    other, _ = created(owner, engine, "shop_1")
    created(owner, engine, "shopx1")
    other_password = let_in(owner, other, "other")
    assert may(engine, "other", other_password, "shop_1")("SELECT 1")
    for stranger, text in (("other", other_password), ("shop", passwords["shop"])):
        assert not may(engine, stranger, text, "shopx1")("SELECT 1")
    assert not may(engine, "other", other_password, "shop")("SELECT 1")


def test_privileges_change_both_ways_and_a_user_goes_with_the_last_database(owner: Actor, engine: Engine) -> None:
    shop, password = created(owner, engine, "shop", user="shop")
    shop_may = may(engine, "shop", password, "shop")
    assert shop_may(engine.TABLE.format("one"))
    succeeded(update_database_user(owner, grant=grant(shop, "shop"), privileges="read_only"))
    assert shop_may("SELECT * FROM one")
    assert not shop_may("INSERT INTO one VALUES (1)")
    assert not shop_may(engine.TABLE.format("two"))
    succeeded(update_database_user(owner, grant=grant(shop, "shop"), privileges="all"))
    assert shop_may("INSERT INTO one VALUES (1)")
    assert shop_may(engine.TABLE.format("two"))

    blog, shown = created(owner, engine, "blog", user="shop")
    # The server's user keeps the password.
    assert shown == ""
    assert may(engine, "shop", password, "blog")(engine.TABLE.format("one"))
    succeeded(delete_database_user(owner, grant=grant(shop, "shop")))
    assert not may(engine, "shop", password, "shop")("SELECT 1")
    assert may(engine, "shop", password, "blog")("SELECT * FROM one")
    succeeded(delete_database_user(owner, grant=grant(blog, "shop")))
    assert "shop" not in engine.ask(engine.LOGINS)
    assert not DatabaseUser.objects.exists()
    # What the user made is still there.
    assert engine.ask("SELECT COUNT(*) FROM one", "blog") == ["0"]


def test_awkward_passwords_work_and_a_changed_one_ends_the_old(owner: Actor, engine: Engine) -> None:
    shop, _ = created(owner, engine, "shop")
    for number, password in enumerate(AWKWARD):
        assert let_in(owner, shop, f"user{number}", "read_only", password) == password
        assert may(engine, f"user{number}", password, "shop")("SELECT 1"), password
        assert not may(engine, f"user{number}", password + "x", "shop")("SELECT 1")
    old = AWKWARD[0]
    for password in (AWKWARD[1], ""):
        job, new = change_database_password(owner, grant=grant(shop, "user0"), password=password)
        succeeded(job)
        assert may(engine, "user0", new, "shop")("SELECT 1")
        assert not may(engine, "user0", old, "shop")("SELECT 1")
        old = new


def test_deleting_takes_users_along_who_have_nothing_else(owner: Actor, engine: Engine) -> None:
    shop, _ = created(owner, engine, "shop", user="shop")
    blog, shared = created(owner, engine, "blog", user="shared")
    let_in(owner, shop, "shared")
    # Somebody who is signed in does not stand in the way.
    engine.sleep_in("shop")
    succeeded(delete_database(owner, database=shop))
    assert not Database.objects.filter(pk=shop.pk).exists()
    assert "shop" not in engine.ask(engine.DATABASES)
    logins = set(engine.ask(engine.LOGINS))
    assert (logins & {"shop", "shared"}) == {"shared"}
    assert list(DatabaseUser.objects.values_list("name", flat=True)) == ["shared"]
    assert may(engine, "shared", shared, "blog")("SELECT 1")
    if isinstance(engine, PostgreSQL):
        assert engine.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dnx%'") == ["1"]
    # Rights of before do not hold for another database of the name.
    created(owner, engine, "shop")
    assert not may(engine, "shared", shared, "shop")("SELECT 1")
    succeeded(delete_database(owner, database=blog))
    assert "shared" not in engine.ask(engine.LOGINS)


def test_what_was_made_by_hand_is_found_whatever_its_name(owner: Actor, engine: Engine) -> None:
    for name in ODD:
        engine.ask(f"CREATE DATABASE {engine.quoted(name)}")
    engine.ask("CREATE DATABASE dnx_scratch_01abc")
    engine.ask(engine.TABLE.format("big"), ODD[0])
    engine.ask("INSERT INTO big VALUES (1)", ODD[0])
    found = synced(owner, engine)
    assert sorted(found) == sorted(ODD)
    for database in found.values():
        assert (database.is_found, database.status) == (True, DatabaseStatus.ACTIVE)
        assert database.read_at is not None
    assert (found[ODD[0]].size or 0) > 0

    for number, name in enumerate(ODD):
        password = let_in(owner, found[name], f"user{number}")
        assert may(engine, f"user{number}", password, name)(engine.TABLE.format("mine")), name
        reader = let_in(owner, found[name], f"reader{number}", "read_only")
        assert may(engine, f"user{number}", password, name)(engine.TABLE.format("later")), name
        reader_may = may(engine, f"reader{number}", reader, name)
        assert reader_may("SELECT * FROM mine; SELECT * FROM later"), name
        assert not reader_may("INSERT INTO later VALUES (1)"), name
    assert may(engine, "reader0", "", ODD[1])("SELECT * FROM mine") is False

    gone = found[ODD[1]]
    succeeded(delete_database_user(owner, grant=grant(gone, "user1")))
    succeeded(delete_database_user(owner, grant=grant(gone, "reader1")))
    engine.ask(f"DROP DATABASE {engine.quoted(gone.name)}")
    assert synced(owner, engine)[gone.name].status == DatabaseStatus.MISSING
    engine.ask(f"CREATE DATABASE {engine.quoted(gone.name)}")
    assert synced(owner, engine)[gone.name].status == DatabaseStatus.ACTIVE
    for name in ODD:
        succeeded(delete_database(owner, database=Database.objects.get(name=name)))
    assert set(engine.ask(engine.DATABASES)) & set(ODD) == set()
    assert "dnx_scratch_01abc" in engine.ask(engine.DATABASES)
    assert not any(login.startswith(("user", "reader")) for login in engine.ask(engine.LOGINS))


def test_what_is_somebody_elses_is_left_alone(owner: Actor, engine: Engine) -> None:
    engine.ask("CREATE DATABASE theirs")
    engine.ask(engine.TABLE.format("precious"), "theirs")
    engine.create_login("alice")

    database, _ = create_database(owner, server=engine.server, name="theirs", user="bob")
    job = done(Job.objects.about(database).get())
    assert (job.status, job.error) == (JobStatus.FAILED, f"{engine.server} has a database theirs already.")
    succeeded(delete_database(owner, database=database))
    assert engine.ask("SELECT COUNT(*) FROM precious", "theirs") == ["0"]

    database, _ = create_database(owner, server=engine.server, name="mine", user="alice")
    job = done(Job.objects.about(database).get())
    assert (job.status, job.error) == (JobStatus.FAILED, f"The database of {engine.server} has a user alice already.")
    job, _ = change_database_password(owner, grant=grant(database, "alice"))
    assert done(job).status == JobStatus.FAILED
    succeeded(delete_database(owner, database=database))
    assert "alice" in engine.ask(engine.LOGINS)
    assert "mine" not in engine.ask(engine.DATABASES)

    # Who wanted the name can have the database that bears it.
    database, _ = create_database(owner, server=engine.server, name="theirs")
    done(Job.objects.about(database).get())
    found = synced(owner, engine)["theirs"]
    assert (found.pk, found.is_found, found.status) == (database.pk, True, DatabaseStatus.ACTIVE)


def test_no_password_is_seen_on_the_way(owner: Actor, engine: Engine) -> None:
    engine.log_everything()
    watch = "while sleep 0.02; do cat /proc/[0-9]*/cmdline; echo; done >/run/seen 2>/dev/null"
    engine.host.run("systemd-run", "--unit=watching", "--", "bash", "-c", watch)
    awkward = 'it\'s "so" \\ pässwörd'
    shop, first = created(owner, engine, "shop", user="shop")
    let_in(owner, shop, "second", "read_only", awkward)
    job, changed = change_database_password(owner, grant=grant(shop, "shop"))
    succeeded(job)
    engine.host.run("systemctl", "stop", "watching")
    seen = text_of(engine.host, "tr '\\0' ' ' </run/seen")
    program = "psql" if isinstance(engine, PostgreSQL) else "mariadb --no-defaults"
    assert program in seen
    logs = engine.logs()
    assert ("CREATE ROLE" if isinstance(engine, PostgreSQL) else "Connect") in logs
    stored = [text for job in Job.objects.all() for text in (log_of(job), str(job.params), str(job.result), job.label)]
    for password in (first, awkward, changed):
        for form in (password, password.encode().hex(), password.encode().hex().upper(), password.replace("'", "''")):
            assert form not in seen
            assert form not in logs
            assert form not in "".join(stored)


def test_a_killed_worker_leaves_nothing_half_done(owner: Actor, engine: Engine, workers: Workers) -> None:
    engine.hold_back()
    worker = workers.start_worker()
    database, password = create_database(owner, server=engine.server, name="shop", user="shop")
    wait_until(engine.is_held_back, 60, "the script")
    workers.kill(worker.pid)
    engine.let_go()
    workers.start_worker()
    job = Job.objects.about(database).get()
    wait_until(lambda: not Job.objects.open().filter(pk=job.pk).exists(), 90, "the end of the job")
    job.refresh_from_db()
    assert (job.status, job.attempt, job.error) == (JobStatus.SUCCEEDED, 2, "")
    assert may(engine, "shop", password, "shop")(engine.TABLE.format("one"))
    assert DatabaseUser.objects.get().password is None


def test_a_failure_can_be_retried_and_keeps_the_password_that_was_shown(owner: Actor, engine: Engine) -> None:
    unit = engine.server.database_type
    engine.host.run("systemctl", "stop", unit)
    database, password = create_database(owner, server=engine.server, name="shop", user="shop")
    job = done(Job.objects.about(database).get())
    assert job.status == JobStatus.FAILED
    assert "The database refuses" in job.error
    database.refresh_from_db()
    assert database.status == DatabaseStatus.FAILED
    assert grant(database, "shop").status == GrantStatus.FAILED
    engine.host.run("systemctl", "start", unit)
    succeeded(retry_job(owner, job=job))
    assert may(engine, "shop", password, "shop")("SELECT 1")
    assert Job.objects.filter(kind=SYNC).count() == 0
