"""Makes sure that the database lets root in through its socket only, and nobody in without a name or password."""

from __future__ import annotations

from report import Refused, ask, changed, fine

# The server quotes the names itself: none passes through here.
OPEN_ACCOUNTS = (
    "SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host), ';') FROM mysql.user"
    " WHERE User = '' OR (User = 'root' AND Host <> 'localhost')"
)
TRUSTED_ADDRESSES = "SELECT line_number FROM pg_hba_file_rules WHERE auth_method = 'trust'"
PSQL = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]


def main(database_type: str) -> None:
    if database_type in ("mysql", "mariadb"):
        close_accounts(database_type)
    elif database_type == "postgresql":
        check_postgresql()
    else:
        fine("the server has no database")


def close_accounts(client: str) -> None:
    statements = sql(client, OPEN_ACCOUNTS)
    if statements:
        sql(client, statements)
        changed("removed accounts that let anybody in, or root from elsewhere")
    else:
        fine("root signs in on this machine only")


def sql(client: str, statements: str) -> str:
    status, output = ask(client, "--no-defaults", "--batch", "--skip-column-names", "--raw", stdin=statements)
    if status:
        raise Refused(
            f"The database refuses root: {output}.",
            "Let root@localhost sign in through the socket (unix_socket or auth_socket), and try again.",
        )
    return output


def check_postgresql() -> None:
    status, output = ask(*PSQL, "--command", TRUSTED_ADDRESSES)
    if status:
        raise Refused(f"PostgreSQL refuses its own user: {output}.", "Let postgres sign in by peer in pg_hba.conf.")
    if output:
        lines = ", ".join(output.split())
        raise Refused(
            f"PostgreSQL lets users in without a password (pg_hba.conf, line {lines}).",
            "Put scram-sha-256 or peer in the place of trust.",
        )
    fine("PostgreSQL asks everybody for a proof")
