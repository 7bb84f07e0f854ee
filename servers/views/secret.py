"""The password of a database's user who was just made: kept for the next page, which shows it, and for no other."""

import json

from django.http import HttpRequest

from deploynix.dotenv import render_dotenv
from deploynix.fields import fernet
from servers.models import Database, DatabaseType

# Holds the password, encrypted.
NEW_PASSWORD = "new_database_password"  # noqa: S105 -- the name of a session key
# Users sign in from the server itself: to MySQL by its socket, which is what `localhost` means to its clients.
CONNECTIONS = {
    DatabaseType.MYSQL: ("mysql", "localhost", "3306"),
    DatabaseType.MARIADB: ("mysql", "localhost", "3306"),
    DatabaseType.POSTGRESQL: ("pgsql", "127.0.0.1", "5432"),
}


def keep_password(request: HttpRequest, database: Database, user: str, password: str) -> None:
    """Does nothing without a password: the server's users keep theirs."""
    if password:
        kept = json.dumps({"database": database.pk, "user": user, "password": password})
        request.session[NEW_PASSWORD] = fernet().encrypt(kept.encode()).decode()


def take_password(request: HttpRequest, database: Database) -> dict[str, str]:
    """What `components/secret.html` shows of it; nothing where there is none."""
    kept = request.session.pop(NEW_PASSWORD, "")
    values = json.loads(fernet().decrypt(kept)) if kept else {}
    if values.get("database") != database.pk:
        return {}
    lines = connection_lines(database, values["user"], values["password"])
    return {"title": f"The password of {values['user']}", "value": values["password"], "lines": lines}


def connection_lines(database: Database, user: str, password: str) -> str:
    """For the `.env` file of an application on the server."""
    connection, host, port = CONNECTIONS[DatabaseType(database.server.database_type)]
    return render_dotenv(
        {
            "DB_CONNECTION": connection,
            "DB_HOST": host,
            "DB_PORT": port,
            "DB_DATABASE": database.name,
            "DB_USERNAME": user,
            "DB_PASSWORD": password,
        }
    )
