"""Provisioned servers with a database, as somebody who sits at them sees the engine."""

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from servers.models import Server
from tests.lab.provisioned import ProvisionedHost
from tools.targethost import Host


class Engine:
    """MariaDB."""

    TABLE = "CREATE TABLE {} (id INT PRIMARY KEY)"
    DATABASES = "SHOW DATABASES"
    LOGINS = "SELECT User FROM mysql.user WHERE Host = 'localhost'"

    def __init__(self, server: Server, host: Host) -> None:
        self.server = server
        self.host = host
        # It has just been switched on.
        host.run("systemctl", "is-system-running", "--wait", check=False)

    def ask(self, statement: str, database: str = "") -> list[str]:
        """As the engine's own administrator: the first column of the rows."""
        into = [f"--database={database}"] if database else []
        command = ["mariadb", "--batch", "--skip-column-names", "--raw", "--default-character-set=utf8mb4", *into]
        return self.host.run(*command, stdin=statement).stdout.splitlines()

    def as_user(self, user: str, password: str, database: str, statement: str) -> CompletedProcess[str]:
        options = ["--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
        command = ["mariadb", *options, f"--user={user}", f"--database={database}"]
        return self.host.run("env", f"MYSQL_PWD={password}", *command, stdin=statement, check=False)

    def quoted(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def log_everything(self) -> None:
        self.ask(
            "SET GLOBAL general_log_file = '/var/lib/mysql/all.log';\n"
            "SET GLOBAL general_log = 1;\nSET GLOBAL long_query_time = 0;\nSET GLOBAL slow_query_log = 1;\n"
        )

    def logs(self) -> str:
        return text_of(self.host, "cat /var/lib/mysql/*.log; journalctl --no-pager --output=cat")

    def hold_back(self) -> None:
        """Lets nothing be made until `let_go`."""
        self.keep_running("FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600);")

    def let_go(self) -> None:
        self.host.run("systemctl", "stop", "running.service")

    def is_held_back(self) -> bool:
        waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for%lock%'"
        return self.ask(waiting) != ["0"]

    def create_login(self, name: str) -> None:
        self.ask(f"CREATE USER {name}@localhost IDENTIFIED BY 'by hand'")

    def sleep_in(self, database: str) -> None:
        """Somebody is signed in to the database."""
        self.keep_running("SELECT SLEEP(600);", f"--database={database}")

    def keep_running(self, statement: str, *options: str) -> None:
        self._run_as_unit(statement, "mariadb", *options)

    def _run_as_unit(self, statement: str, *command: str) -> None:
        self.host.run("tee", "/run/statement", stdin=statement)
        self.host.run("systemd-run", "--unit=running", "-p", "StandardInput=file:/run/statement", "--", *command)


class PostgreSQL(Engine):
    """PostgreSQL."""

    DATABASES = "SELECT datname FROM pg_database"
    LOGINS = "SELECT rolname FROM pg_roles WHERE rolcanlogin"

    def ask(self, statement: str, database: str = "postgres") -> list[str]:
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
        inside = ["env", "--chdir=/", f"PGDATABASE={database}", *command]
        return self.host.run("runuser", "-u", "postgres", "--", *inside, stdin=statement).stdout.splitlines()

    def as_user(self, user: str, password: str, database: str, statement: str) -> CompletedProcess[str]:
        login = [f"PGPASSWORD={password}", f"PGUSER={user}", f"PGDATABASE={database}", "PGHOST=127.0.0.1"]
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
        return self.host.run("env", *login, *command, stdin=statement, check=False)

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def log_everything(self) -> None:
        self.ask("ALTER SYSTEM SET log_statement = 'all';\nSELECT pg_reload_conf();")

    def logs(self) -> str:
        return text_of(self.host, "cat /var/log/postgresql/*; journalctl --no-pager --output=cat")

    def hold_back(self) -> None:
        self.keep_running("BEGIN;\nCREATE ROLE shop;\nSELECT pg_sleep(600);\n")

    def let_go(self) -> None:
        # The server goes on sleeping where its client is gone.
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")
        super().let_go()

    def create_login(self, name: str) -> None:
        self.ask(f"CREATE ROLE {name} LOGIN PASSWORD 'by hand'")

    def sleep_in(self, database: str) -> None:
        self.keep_running("SELECT pg_sleep(600);", f"--dbname={database}")

    def keep_running(self, statement: str, *options: str) -> None:
        self._run_as_unit(statement, "runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", *options)

    def is_held_back(self) -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'CREATE ROLE'"
        return self.ask(waiting) != ["0"]


def text_of(host: Host, command: str) -> str:
    """What the shell command prints, without what is no text."""
    return host.run("sh", "-c", f"({command}) | iconv -c -f utf-8 -t utf-8 || true").stdout


@pytest.fixture(params=["mariadb", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "mariadb":
        mariadb: ProvisionedHost = request.getfixturevalue("provisioned_host")
        yield Engine(*mariadb)
    else:
        postgresql: ProvisionedHost = request.getfixturevalue("provisioned_postgresql")
        yield PostgreSQL(*postgresql)
