"""Asking a server's database engine, through scripts/databases on the server."""

import json
from typing import Any

from django.utils import timezone

from jobs.run import Run
from servers import ssh
from servers.models import SCRATCH_PREFIX, Database, DatabaseUser, Grant, GrantStatus, Server
from servers.steps import Refused, Report
from servers.target import target_of

# An engine may have to wait for others to let go of what it removes.
SECONDS = 600


def ask(run: Run, server: Server, do: str, **values: Any) -> dict[str, Any]:
    """The answer of scripts/databases, whose text says what there is to `do`; its notes go to the job's log.

    Raises Refused with what the engine complains about, and what `ssh.run_script` raises.
    """
    sent = {"engine": server.database_type, "do": do, **values}
    result = ssh.run_script(target_of(server), "databases", values=sent, timeout=SECONDS, check=False)
    # sudo and the login shell may have said something before.
    *said, last = result.output.strip().split(b"\n")
    report = Report()
    report.feed(result.output + b"\n")
    run.output(b"".join(line + b"\n" for line in (said if result.exit_status == 0 else [*said, last])))
    report.check("Asking the database", result.exit_status)
    answer: dict[str, Any] = json.loads(last)
    return answer


def sizes_on(run: Run, server: Server) -> dict[str, int]:
    """What databases there are, with their sizes in bytes; without the system's own and what a restore is filling."""
    found = ask(run, server, "read")["databases"]
    return {row["name"]: row["size"] for row in found if not row["name"].startswith(SCRATCH_PREFIX)}


def claim(run: Run, database: Database, user: DatabaseUser | None) -> None:
    """Makes sure that nobody else's database or login has these names. Raises Refused where that is so."""
    logins = [user.name] if user else []
    there = ask(run, database.server, "find", names=[database.name], logins=logins)
    if there["names"] and not database.is_claimed:
        hint = "Read the databases of the server to use that one, or take another name."
        raise Refused(f"{database.server} has a database {database} already.", hint)
    _check_login(user, there["logins"])
    with run.write():
        Database.objects.filter(pk=database.pk).update(is_claimed=True)
        _claim_login(user)


def claim_login(run: Run, grant: Grant) -> None:
    """As `claim`, for a user of a database that is there."""
    database, user = grant.database, grant.user
    there = ask(run, database.server, "find", names=[database.name], logins=[user.name])
    if not (there["names"] and database.is_claimed):
        raise Refused(f"{database.server} has no such database as {database}.", "See the jobs of the database for why.")
    _check_login(user, there["logins"])
    with run.write():
        _claim_login(user)


def _check_login(user: DatabaseUser | None, logins: list[str]) -> None:
    if user and logins and not user.is_claimed:
        hint = "It was made by somebody else and is left alone. Take another name."
        raise Refused(f"The database of {user.server} has a user {user} already.", hint)


def _claim_login(user: DatabaseUser | None) -> None:
    if user:
        DatabaseUser.objects.filter(pk=user.pk).update(is_claimed=True)


def let_in(run: Run, grant: Grant) -> None:
    """Tells the engine of a user, with the password where there is one that it does not know yet."""
    others = grant.database.grants.exclude(pk=grant.pk).filter(status=GrantStatus.ACTIVE).select_related("user")
    ask(
        run,
        grant.database.server,
        "grant",
        **_named(grant),
        others=[{"user": other.user.name, "privileges": other.privileges} for other in others],
    )
    run.line(f"{grant.user} may do {grant.get_privileges_display().lower()} in {grant.database}.")


def prove(run: Run, grant: Grant) -> None:
    """Raises Refused where the user may not do what it should, or cannot sign in with the password."""
    ask(run, grant.database.server, "prove", **_named(grant))
    if grant.user.password:
        run.line(f"{grant.user} can sign in.")


def take_out(run: Run, grant: Grant) -> None:
    """Takes the user's rights, and the login where it has no other use."""
    if grant.user.is_claimed:
        ask(run, grant.database.server, "revoke", **_named(grant), forget=is_last(grant))


def change_password(run: Run, grant: Grant) -> None:
    ask(run, grant.database.server, "password", **_named(grant))
    run.line(f"{grant.user} has a new password.")


def prove_absence(run: Run, grant: Grant) -> None:
    """Raises Refused where the user is still in, or still on the server without a use."""
    left = ask(run, grant.database.server, "rights", **_named(grant))
    if left["has_rights"] or (left["has_login"] and is_last(grant)):
        raise Refused(f"{grant.user} is still in {grant.database}.", "Try again.")
    run.line(f"{grant.user} is out of {grant.database}.")


def is_last(grant: Grant) -> bool:
    return not grant.user.grants.exclude(pk=grant.pk).exists()


def _named(grant: Grant) -> dict[str, Any]:
    return {
        "name": grant.database.name,
        "owner": grant.database.owner_role,
        "user": grant.user.name,
        "privileges": grant.privileges,
        "password": grant.user.password,
    }


def note_size(database: Database, size: int) -> None:
    Database.objects.filter(pk=database.pk).update(size=size, read_at=timezone.now())
