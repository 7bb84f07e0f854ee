"""MariaDB and MySQL. Values are sent as hex and put into statements by the server itself, which quotes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from passwords import native_hash
from talk import Refused, ask, unhex

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
HOST = "localhost"
# MariaDB reads what is in /*M! */, MySQL from 8.0.16 on what is in /*!80016 */. Logs would show what is sent; quoting
# has to follow one set of rules; and without the mode, MariaDB lets users whom nobody made in without a password.
SESSION = """
SET SESSION sql_log_off = 1;
SET SESSION sql_mode = CONCAT('STRICT_ALL_TABLES' /*M! , ',NO_AUTO_CREATE_USER' */);
"""
# A database in GRANT is a pattern, unless MySQL was told to take it as it is.
ESCAPED = r"REPLACE(REPLACE(REPLACE(@name, '\\', '\\\\'), '_', '\\_'), '%', '\\%')"
PATTERN = f"SET @pattern = /*!80016 IF(@@partial_revokes, @name, */ {ESCAPED} /*!80016 ) */;\n"
DATABASE = "CONCAT('`', REPLACE(@name, '`', '``'), '`')"
SCOPE = "CONCAT('`', REPLACE(@pattern, '`', '``'), '`.*')"
ACCOUNT = "CONCAT(QUOTE(@user), '@', QUOTE(@host))"
RIGHTS = {"all": "ALL PRIVILEGES", "read_only": "SELECT, SHOW VIEW"}
SIZES = """
SELECT HEX(CONVERT(s.schema_name USING utf8mb4)), COALESCE(SUM(t.data_length + t.index_length), 0)
FROM information_schema.schemata s LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
GROUP BY s.schema_name;
"""
LOGINS = "SELECT HEX(CONVERT(User USING utf8mb4)) FROM mysql.user WHERE Host = 'localhost';"
# Names are compared as they are, whatever the collation.
GRANTED = "SELECT Insert_priv FROM mysql.db WHERE BINARY User = @user AND Host = @host AND BINARY Db = @pattern;"
SESSIONS = """
SELECT id FROM information_schema.processlist
WHERE BINARY user = @user AND (@everywhere = 'yes' OR BINARY COALESCE(db, '') = @name);
"""
DEFINED = """
SELECT COUNT(*) FROM (
    SELECT definer FROM information_schema.views UNION ALL SELECT definer FROM information_schema.triggers
    UNION ALL SELECT definer FROM information_schema.routines UNION ALL SELECT definer FROM information_schema.events
) AS known WHERE BINARY definer = CONCAT(@user, '@', @host);
"""


def read(asked: Mapping[str, Any]) -> dict[str, Any]:
    found = ((unhex(name), int(size)) for name, size in rows(asked, SIZES))
    return {"databases": [{"name": name, "size": size} for name, size in found if name and name not in SYSTEM]}


def find(asked: Mapping[str, Any]) -> dict[str, Any]:
    names = {unhex(name) for name, _ in rows(asked, SIZES)}
    logins = {unhex(login) for (login,) in rows(asked, LOGINS)}
    return {"names": sorted(names & {*asked["names"]}), "logins": sorted(logins & {*asked["logins"]})}


def create(asked: Mapping[str, Any]) -> None:
    run(asked, f"CONCAT('CREATE DATABASE IF NOT EXISTS ', {DATABASE}, ' CHARACTER SET utf8mb4')", name=asked["name"])


def grant(asked: Mapping[str, Any]) -> None:
    if asked["password"]:
        password(asked)
    has_other = granted(asked) not in ("", asked["privileges"])
    if has_other:
        revoke_here(asked)
    run(asked, f"CONCAT('GRANT {RIGHTS[asked['privileges']]} ON ', {SCOPE}, ' TO ', {ACCOUNT})", **place(asked))
    if has_other:
        end_sessions(asked)


def revoke(asked: Mapping[str, Any]) -> None:
    if granted(asked):
        revoke_here(asked)
    if asked["forget"]:
        forget(asked, asked["user"])
    end_sessions(asked)


def password(asked: Mapping[str, Any]) -> None:
    """MariaDB gets a hash; MySQL refuses one in a form that can be made here."""
    is_mariadb = "mariadb" in rows(asked, "SELECT VERSION();")[0][0].lower()
    word, proof = ("BY PASSWORD", native_hash(asked["password"])) if is_mariadb else ("BY", asked["password"])
    for verb in ("CREATE USER IF NOT EXISTS", "ALTER USER"):
        run(
            asked,
            f"CONCAT('{verb} ', {ACCOUNT}, ' IDENTIFIED {word} ', QUOTE(@password))",
            **place(asked),
            password=proof,
        )


def prove(asked: Mapping[str, Any]) -> None:
    if granted(asked) != asked["privileges"]:
        raise Refused(f"{asked['user']} has not got the rights in {asked['name']} after all.", "Try again.")
    if asked["password"]:
        login = [f"--user={asked['user']}", f"--database={asked['name']}"]
        ask([*client(asked), *login], "SELECT 1;", {"MYSQL_PWD": asked["password"]})


def rights(asked: Mapping[str, Any]) -> dict[str, Any]:
    logins = {unhex(login) for (login,) in rows(asked, LOGINS)}
    return {"has_rights": bool(granted(asked)), "has_login": asked["user"] in logins}


def drop(asked: Mapping[str, Any]) -> None:
    run(asked, f"CONCAT('DROP DATABASE IF EXISTS ', {DATABASE})", name=asked["name"])
    for user in asked["logins"]:
        forget(asked, user)
    # Rights outlive their database here, and would hold for the next one of that name.
    for user in asked["users"]:
        if granted({**asked, "user": user}):
            revoke_here({**asked, "user": user})


def forget(asked: Mapping[str, Any], user: str) -> None:
    (defined,) = rows(asked, DEFINED, user=user, host=HOST)[0]
    if int(defined):
        print(f"note: {defined} views, triggers, routines or events run as {user}, and will fail from now on.")
    run(asked, f"CONCAT('DROP USER IF EXISTS ', {ACCOUNT})", user=user, host=HOST)
    end_sessions({**asked, "user": user}, everywhere="yes")


def revoke_here(asked: Mapping[str, Any]) -> None:
    run(asked, f"CONCAT('REVOKE ALL PRIVILEGES ON ', {SCOPE}, ' FROM ', {ACCOUNT})", **place(asked))


def end_sessions(asked: Mapping[str, Any], everywhere: str = "no") -> None:
    """Ends those that go on with the rights that they began with."""
    for (number,) in rows(asked, SESSIONS, **place(asked), everywhere=everywhere):
        try:
            rows(asked, f"KILL {int(number)};")
        except Refused:
            # It has ended by itself.
            continue


def granted(asked: Mapping[str, Any]) -> str:
    """What privileges the user has in the database; empty for none."""
    found = rows(asked, GRANTED, **place(asked))
    return {"Y": "all", "N": "read_only"}[found[0][0]] if found else ""


def place(asked: Mapping[str, Any]) -> dict[str, str]:
    return {"name": asked["name"], "user": asked["user"], "host": HOST}


def run(asked: Mapping[str, Any], statement: str, **values: str) -> None:
    """Runs the statement that the server makes of an expression."""
    rows(asked, f"SET @statement = {statement};\nPREPARE made FROM @statement;\nEXECUTE made;\n", **values)


def client(asked: Mapping[str, Any]) -> list[str]:
    return [asked["engine"], "--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]


def rows(asked: Mapping[str, Any], statements: str, **values: str) -> list[list[str]]:
    sent = "".join(
        f"SET @{name} = CONVERT(X'{value.encode().hex()}' USING utf8mb4);\n" for name, value in values.items()
    )
    output = ask(client(asked), SESSION + sent + PATTERN + statements, {})
    return [line.split("\t") for line in output.splitlines()]


WORK: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    work.__name__: work for work in (read, find, create, grant, revoke, password, prove, rights, drop)
}
