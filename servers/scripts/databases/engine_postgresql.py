"""PostgreSQL, through psql. Values are variables of psql, from its environment, and quoted by psql and by format().

A database that was made here belongs to a role that nobody signs in as. Users with all privileges act as that role in
it, so that what one of them creates belongs to all; whoever only reads gets each right by itself, for what there is
and for what its creators will make. In a database that was found, all privileges are given in that way, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from passwords import scram_verifier
from talk import Refused, ask, unhex

PSQL = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
OPTIONS = ["--set=ON_ERROR_STOP=1", "--file=-"]
SYSTEM = "postgres"

READ = r"""
SELECT encode(convert_to(datname, 'UTF8'), 'hex') || ' ' || pg_database_size(oid)
FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres';
"""
LOGINS = r"SELECT encode(convert_to(rolname, 'UTF8'), 'hex') FROM pg_roles;"
CREATE = r"""
SELECT format('CREATE ROLE %I NOLOGIN', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner') || CASE
    WHEN (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1') = 'UTF8' THEN ''
    ELSE ' TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''' END
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
"""
CLOSE = r"""
BEGIN;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SELECT format('GRANT ALL ON SCHEMA public TO %I', :'owner') \gexec
COMMIT;
"""
LOGIN = r"""
SELECT format('CREATE ROLE %I', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', :'user', :'verifier') \gexec
"""
# Of what the user has in this database, all; what the user owns there goes to whom the database belongs to.
TAKE = r"""
SELECT format('ALTER ROLE %I IN DATABASE %I RESET ALL', :'user', current_database()) \gexec
SELECT format('REVOKE %I FROM %I', role.rolname, member.rolname) FROM pg_auth_members
JOIN pg_roles AS role ON role.oid = roleid JOIN pg_roles AS member ON member.oid = pg_auth_members.member
WHERE role.rolname = :'owner' AND member.rolname = :'user' \gexec
SELECT format('REASSIGN OWNED BY %I TO %I', :'user', pg_get_userbyid(datdba)) FROM pg_database
WHERE datname = current_database() AND EXISTS (
    SELECT FROM pg_shdepend
    WHERE dbid = pg_database.oid AND refobjid = to_regrole(:'user') AND deptype = 'o'
) \gexec
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON %s FROM %I', pg_get_userbyid(defaclrole),
    (SELECT format(' IN SCHEMA %I', nspname) FROM pg_namespace WHERE oid = defaclnamespace), kind, :'user')
FROM pg_default_acl
JOIN (
    VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'ROUTINES'), ('n', 'SCHEMAS'), ('T', 'TYPES')
) AS kinds (type, kind)
ON type = defaclobjtype::text
WHERE EXISTS (SELECT FROM aclexplode(defaclacl) WHERE grantee = to_regrole(:'user')) \gexec
SELECT format('REVOKE ALL ON ALL %s IN SCHEMA %I FROM %I', kind, nspname, :'user')
FROM pg_namespace, (VALUES ('TABLES'), ('SEQUENCES'), ('ROUTINES')) AS kinds (kind)
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
SELECT format('REVOKE ALL ON SCHEMA %I FROM %I', nspname, :'user') FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), :'user') \gexec
"""
ACT_AS_OWNER = r"""
SELECT format('GRANT %I TO %I', :'owner', :'user') \gexec
SELECT format('ALTER ROLE %I IN DATABASE %I SET role TO %L', :'user', current_database(), :'owner') \gexec
"""
GIVE = r"""
SELECT format('GRANT %s ON DATABASE %I TO %I', :'on_database', current_database(), :'user') \gexec
SELECT format('GRANT %s ON SCHEMA %I TO %I', :'on_schemas', nspname, :'user') FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
SELECT format('GRANT %s ON ALL %s IN SCHEMA %I TO %I', rights, kind, nspname, :'user')
FROM pg_namespace, (VALUES (:'on_tables', 'TABLES'), (:'on_tables', 'SEQUENCES')) AS kinds (rights, kind)
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
"""
# Of those who can create something: whom the database and its schemas belong to, and who may create in one of them.
GIVE_LATER = r"""
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %s TO %I',
    pg_get_userbyid(creator), rights, kind, :'user')
FROM (
    SELECT datdba FROM pg_database WHERE datname = current_database()
    UNION SELECT relowner FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION SELECT grantee FROM pg_namespace, aclexplode(nspacl)
    WHERE nspname !~ '^pg_' AND privilege_type = 'CREATE' AND grantee <> 0
) AS creators (creator),
(VALUES (:'on_tables', 'TABLES'), (:'on_tables', 'SEQUENCES'), (:'on_schemas', 'SCHEMAS')) AS kinds (rights, kind)
WHERE pg_get_userbyid(creator) !~ '^pg_' AND pg_get_userbyid(creator) <> :'user' \gexec
"""
RIGHTS = {
    "all": {"on_database": "ALL", "on_schemas": "ALL", "on_tables": "ALL"},
    "read_only": {"on_database": "CONNECT", "on_schemas": "USAGE", "on_tables": "SELECT"},
}
END_SESSIONS = r"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = :'user' AND (datname = :'name' OR :'everywhere' = 'yes');
"""
DROP = r"SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', :'name') \gexec"
DISOWN = r"SELECT format('DROP OWNED BY %I', :'user') \gexec"
FORGET = r"SELECT format('DROP ROLE IF EXISTS %I', :'user') \gexec"
# A right by itself, or by being a member of the owner; what everybody may do is none.
MEMBER = r"""
SELECT 'all' FROM pg_auth_members
JOIN pg_roles AS role ON role.oid = roleid JOIN pg_roles AS member ON member.oid = pg_auth_members.member
WHERE role.rolname = :'owner' AND member.rolname = :'user';
"""
GRANTED = r"""
SELECT CASE WHEN bool_or(privilege_type = 'CREATE') THEN 'all' ELSE 'read_only' END
FROM pg_database, aclexplode(datacl) JOIN pg_roles ON pg_roles.oid = grantee
WHERE datname = :'name' AND rolname = :'user' HAVING count(*) > 0;
"""


def read(asked: Mapping[str, Any]) -> dict[str, Any]:
    found = (line.split(" ") for line in sql(READ))
    sizes = [(unhex(name), int(size)) for name, size in found]
    return {"databases": [{"name": name, "size": size} for name, size in sizes if name]}


def find(asked: Mapping[str, Any]) -> dict[str, Any]:
    names = {database["name"] for database in read(asked)["databases"]}
    logins = {unhex(login) for login in sql(LOGINS)}
    return {"names": sorted(names & {*asked["names"]}), "logins": sorted(logins & {*asked["logins"]})}


def create(asked: Mapping[str, Any]) -> None:
    sql(CREATE, name=asked["name"], owner=asked["owner"])
    sql(CLOSE, asked["name"], owner=asked["owner"])


def grant(asked: Mapping[str, Any]) -> None:
    values = {"user": asked["user"], "owner": asked["owner"], **RIGHTS[asked["privileges"]]}
    statements = TAKE + (ACT_AS_OWNER if acts_as_owner(asked) else GIVE + GIVE_LATER)
    if asked["password"]:
        statements = LOGIN + statements
        values["verifier"] = scram_verifier(asked["password"])
    sql(f"BEGIN;\n{statements}\nCOMMIT;\n", asked["name"], **values)
    give_to_others(asked)
    end_sessions(asked)


def give_to_others(asked: Mapping[str, Any]) -> None:
    """What the user will create is theirs, too, where all do not act as one owner."""
    for other in asked["others"]:
        if not acts_as_owner({**asked, **other}):
            sql(GIVE_LATER, asked["name"], user=other["user"], **RIGHTS[other["privileges"]])


def acts_as_owner(asked: Mapping[str, Any]) -> bool:
    return bool(asked["owner"]) and asked["privileges"] == "all"


def revoke(asked: Mapping[str, Any]) -> None:
    known = find({"names": [asked["name"]], "logins": [asked["user"]]})
    if known["names"] and known["logins"]:
        # Owning nothing there any more, a user who leaves loses what was granted by hand, too.
        statements = TAKE + DISOWN if asked["forget"] else TAKE
        sql(f"BEGIN;\n{statements}\nCOMMIT;\n", asked["name"], user=asked["user"], owner=asked["owner"])
    end_sessions(asked)
    if asked["forget"]:
        sql(FORGET, user=asked["user"])


def password(asked: Mapping[str, Any]) -> None:
    sql(f"BEGIN;\n{LOGIN}\nCOMMIT;\n", user=asked["user"], verifier=scram_verifier(asked["password"]))


def prove(asked: Mapping[str, Any]) -> None:
    if granted(asked) != [asked["privileges"]]:
        raise Refused(f"{asked['user']} has not got the rights in {asked['name']} after all.", "Try again.")
    if asked["password"]:
        sign_in(asked)


def sign_in(asked: Mapping[str, Any]) -> None:
    environment = {
        "PGHOST": "127.0.0.1",
        "PGPORT": sql("SHOW port;")[0],
        "PGDATABASE": asked["name"],
        "PGUSER": asked["user"],
        "PGPASSWORD": asked["password"],
        "PGCLIENTENCODING": "UTF8",
    }
    acting = ask([*PSQL, *OPTIONS], "SELECT current_user;", environment).strip()
    expected = asked["owner"] if acts_as_owner(asked) else asked["user"]
    if acting != expected:
        raise Refused(f"{asked['user']} acts as {acting} in {asked['name']}, not as {expected}.", "Try again.")


def granted(asked: Mapping[str, Any]) -> list[str]:
    """What privileges the user has in the database; empty for none."""
    return [
        *sql(MEMBER, user=asked["user"], owner=asked["owner"]),
        *sql(GRANTED, user=asked["user"], name=asked["name"]),
    ]


def rights(asked: Mapping[str, Any]) -> dict[str, Any]:
    logins = {unhex(login) for login in sql(LOGINS)}
    return {"has_rights": bool(granted(asked)), "has_login": asked["user"] in logins}


def drop(asked: Mapping[str, Any]) -> None:
    sql(DROP, name=asked["name"])
    for user in asked["logins"]:
        end_sessions({**asked, "user": user}, everywhere="yes")
        sql(FORGET, user=user)
    if asked["owner"]:
        sql(FORGET, user=asked["owner"])


def end_sessions(asked: Mapping[str, Any], everywhere: str = "no") -> None:
    """Ends those that go on with the rights that they began with."""
    sql(END_SESSIONS, user=asked["user"], name=asked["name"], everywhere=everywhere)


def sql(statements: str, database: str = SYSTEM, **values: str) -> list[str]:
    """The lines that psql answers."""
    environment = {f"DNX_{name.upper()}": value for name, value in values.items()}
    # psql asks a shell for each value, which prints it from its environment: there is no \getenv before psql 15.
    variables = "".join(f'\\set {name} `printf %s "$DNX_{name.upper()}"`\n' for name in values)
    # As an option the name would be taken for a connection string where it looks like one.
    environment |= {"PGDATABASE": database, "PGCLIENTENCODING": "UTF8"}
    return ask([*PSQL, *OPTIONS], f"{variables}{statements}\n", environment).splitlines()


WORK: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    work.__name__: work for work in (read, find, create, grant, revoke, password, prove, rights, drop)
}
