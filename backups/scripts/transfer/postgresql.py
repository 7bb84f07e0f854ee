"""PostgreSQL: how a dump is made, and what is to be known of a database before it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from pipeline import Program
from talk import Failed

USER = "postgres"
# Not runuser, which would stand between the program and whoever ends it.
AS_POSTGRES = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"]
PSQL = [
    *(*AS_POSTGRES, "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"),
    *("--set", "ON_ERROR_STOP=1"),
]
# What newer versions have is null in older ones. Roles: of owners, grants, policies and defaults in the database.
FACTS = """
SELECT json_build_object(
    'version', current_setting('server_version'),
    'size', pg_database_size(d.oid),
    'encoding', pg_encoding_to_char(d.encoding),
    'collate', d.datcollate,
    'ctype', d.datctype,
    'provider', to_jsonb(d) ->> 'datlocprovider',
    'locale', COALESCE(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
    'owner', pg_get_userbyid(d.datdba),
    'acl', d.datacl::text[],
    'connection_limit', d.datconnlimit,
    'comment', shobj_description(d.oid, 'pg_database'),
    'settings', (SELECT COALESCE(json_agg(json_build_object('role', r.rolname, 'settings', s.setconfig)), '[]')
                 FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid),
    'extensions', (SELECT json_agg(json_build_object('name', e.extname, 'version', e.extversion) ORDER BY e.extname)
                   FROM pg_extension e),
    'roles', (SELECT COALESCE(json_agg(DISTINCT r.rolname), '[]') FROM pg_shdepend p
              JOIN pg_roles r ON r.oid = p.refobjid
              WHERE p.refclassid = 'pg_authid'::regclass
              AND (p.dbid = d.oid OR p.classid = 'pg_database'::regclass AND p.objid = d.oid))
) FROM pg_database d WHERE d.datname = current_database();
"""


def dump(values: dict[str, Any]) -> Program:
    """Of one moment. Its format is the one that pg_restore reads, which runs nothing but SQL."""
    command = [*AS_POSTGRES, "pg_dump", "--format=custom", "--compress=0", "--no-password"]
    return Program("dump", "pg_dump", command, {"PGDATABASE": values["database"]})


def facts(values: dict[str, Any]) -> dict[str, Any]:
    """`size` is in bytes; `roles` are those that the database speaks of, but for postgres itself."""
    if not shutil.which("pg_dump"):
        raise Failed("prepare", "The server has no pg_dump.", "Install the package postgresql-client.")
    found: dict[str, Any] = json.loads(sql(FACTS, values["database"]))
    return found


def sql(statements: str, database: str = USER, stage: str = "prepare") -> str:
    """What the server answers its own user. Raises Failed."""
    # In the environment a name stays a name: as an argument psql may read it as connection settings.
    done = subprocess.run(
        [*PSQL, "--file=-"],
        input=statements,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PGDATABASE": database},
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd="/",
    )
    if done.returncode:
        message = f"PostgreSQL does not answer as it should: {done.stderr.strip()[-500:]}"
        raise Failed(stage, message, "See on the server whether it runs: systemctl status postgresql.")
    return done.stdout.strip()
