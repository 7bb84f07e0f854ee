"""Puts what was loaded into a scratch database in the place of a PostgreSQL database, or changes nothing.

Both are renamed, and the new one gets its owner, grants and settings, in one transaction. Renaming takes a lock that
keeps new connections waiting, while those that are there are ended: at no time must anything be undone.
"""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

import journal
import postgresql_client as server
from said import first_error
from talk import Failed

POLL_SECONDS = 0.2
SWAP_SECONDS = 60
# Their values are lists, which must be taken apart before they are stored: as pg_dump's `variable_is_guc_list_quote`.
LISTS = ["local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces"]
# What ties a database to its name, or keeps it from being dropped.
TIES = """
SELECT format('the replication slot %s', slot_name) FROM pg_replication_slots WHERE database = :'live'
UNION ALL SELECT format('the subscription %s', s.subname) FROM pg_subscription s JOIN pg_database d
    ON d.oid = s.subdbid WHERE d.datname = :'live'
UNION ALL SELECT format('the prepared transaction %s', gid) FROM pg_prepared_xacts WHERE database = :'live'
"""
MISSING_ROLES = """
SELECT r.name FROM json_array_elements_text(:'roles') AS r (name)
WHERE r.name NOT IN (SELECT rolname FROM pg_roles) AND r.name NOT LIKE 'pg\\_%'
"""
CREATE_ROLES = "SELECT format('CREATE ROLE %I NOLOGIN', r) FROM json_array_elements_text(:'roles') AS r \\gexec\n"
DROP_ROLES = "SELECT format('DROP ROLE IF EXISTS %I', r) FROM json_array_elements_text(:'roles') AS r \\gexec\n"
CREATE = """
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
              :'scratch', f.encoding, f.collate, f.ctype)
    || CASE f.provider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', f.locale)
                       WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', f.locale) ELSE '' END
FROM json_to_record(:'facts') AS f (encoding text, "collate" text, ctype text, provider text, locale text) \\gexec
REVOKE ALL ON DATABASE :"scratch" FROM PUBLIC;
"""
RENAME = 'ALTER DATABASE :"live" RENAME TO :"old";\n'
TAKE_PLACE = """
ALTER DATABASE :"scratch" RENAME TO :"live";
SELECT format('ALTER DATABASE %I OWNER TO %I', :'live', f.owner) FROM json_to_record(:'facts') AS f (owner text) \\gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'live', f.connection_limit)
FROM json_to_record(:'facts') AS f (connection_limit int) \\gexec
SELECT format('COMMENT ON DATABASE %I IS %L', :'live', f.comment)
FROM json_to_record(:'facts') AS f (comment text) WHERE f.comment IS NOT NULL \\gexec
REVOKE ALL ON DATABASE :"live" FROM PUBLIC;
SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :'live',
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM json_to_record(:'facts') AS f (owner text, acl text[]), pg_roles o,
     aclexplode(COALESCE(f.acl::aclitem[], acldefault('d', o.oid))) AS a WHERE o.rolname = f.owner \\gexec
SELECT CASE WHEN s.name = ANY (string_to_array(:'lists', ','))
            THEN format('SELECT set_config(%L, %L, true)', s.name, s.value) ELSE 'SELECT' END,
       CASE WHEN f.role IS NULL THEN format('ALTER DATABASE %I', :'live')
            ELSE format('ALTER ROLE %I IN DATABASE %I', f.role, :'live') END
       || CASE WHEN s.name = ANY (string_to_array(:'lists', ',')) THEN format(' SET %I FROM CURRENT', s.name)
               ELSE format(' SET %I TO %L', s.name, s.value) END
FROM json_to_recordset(:'facts'::json -> 'settings') AS f (role text, settings text[]),
     LATERAL (SELECT split_part(one, '=', 1), substr(one, strpos(one, '=') + 1) FROM unnest(f.settings) AS u (one))
     AS s (name, value) \\gexec
"""
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'live';"


def check(live: str) -> None:
    """Raises Failed where the database cannot be renamed and dropped."""
    if ties := server.rows(TIES, live=live):
        raise Failed(
            "check",
            f"The database {live} is held by {', '.join(ties[:5])}.",
            "Remove that first, or restore into another database.",
        )


def roles_of(facts: dict[str, Any]) -> list[str]:
    """Those that have to be there: owners, and who was granted something."""
    settings = [one["role"] for one in facts.get("settings") or () if one["role"]]
    return sorted({*(facts.get("roles") or ()), *settings, facts["owner"]})


def make_roles(scratch: str, facts: dict[str, Any]) -> None:
    """Those that are missing, who cannot sign in. They are written down first."""
    missing = server.rows(MISSING_ROLES, roles=json.dumps(roles_of(facts)))
    before = journal.read(scratch) or {}
    journal.write(scratch, {**before, "roles": sorted({*before.get("roles", ()), *missing})})
    server.ask(CREATE_ROLES, roles=json.dumps(missing))


def drop_roles(scratch: str) -> None:
    """Those that were made for a restore that came to nothing. One that somebody uses by now stays."""
    before = journal.read(scratch) or {}
    for role in before.get("roles", ()):
        try:
            server.ask(DROP_ROLES, roles=json.dumps([role]))
        except Failed as failure:
            print(f"The role {role} stays: {failure}", flush=True)


def create(scratch: str, facts: dict[str, Any]) -> None:
    """Empty, with the encoding and collation of the one that was backed up; only superusers can connect."""
    wanted = {name: facts.get(name) for name in ("encoding", "collate", "ctype", "provider", "locale")}
    server.ask(CREATE, scratch=scratch, facts=json.dumps(wanted))


def swap(live: str, scratch: str, facts: dict[str, Any]) -> None:
    """Raises Failed, with nothing changed."""
    if not is_swapped(live, scratch):
        check(live)
        # With this number it is known after a crash, whatever it is called by then.
        journal.write(scratch, {**(journal.read(scratch) or {}), "oid": oid(scratch)})
        rename(live, scratch, facts)
    server.drop(old_name(scratch))


def is_swapped(live: str, scratch: str) -> bool:
    """Whether what was loaded is what is there."""
    wanted = (journal.read(scratch) or {}).get("oid")
    return wanted is not None and oid(live) == wanted


def rename(live: str, scratch: str, facts: dict[str, Any]) -> None:
    is_there = server.exists(live)
    server.drop(old_name(scratch))
    statements = "BEGIN;\n" + RENAME * is_there + TAKE_PLACE + "COMMIT;\n"
    variables = {"live": live, "scratch": scratch, "old": old_name(scratch), "lists": ",".join(LISTS)}
    process = server.start(statements, **variables, facts=json.dumps(facts))
    said = follow(process, live, is_there)
    if process.returncode:
        raise Failed("swap", f"PostgreSQL says: {first_error(said)}", "Nothing was changed. Try again.")


def follow(process: subprocess.Popen[bytes], live: str, is_there: bool) -> bytes:
    """Ends everybody's connections until nobody is in the way."""
    done = threading.Event()

    def end_connections() -> None:
        while is_there and not done.wait(POLL_SECONDS):
            try:
                server.ask(OTHERS, live=live)
            except Failed:
                return

    thread = threading.Thread(target=end_connections, daemon=True)
    thread.start()
    try:
        return process.communicate(timeout=SWAP_SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1] or b"it did not end in time"
    finally:
        done.set()
        thread.join()


def oid(database: str) -> int:
    """0 where there is none."""
    found = server.rows("SELECT oid::bigint FROM pg_database WHERE datname = :'name'", name=database)
    return int(found[0]) if found else 0


def undo(scratch: str) -> None:
    """Drops what a restore that came to nothing has made. The database itself was not touched."""
    for database in (old_name(scratch), scratch):
        server.drop(database)
    drop_roles(scratch)
    journal.remove(scratch)


def old_name(scratch: str) -> str:
    """What is replaced is called this until it is dropped."""
    return f"{scratch}_old"
