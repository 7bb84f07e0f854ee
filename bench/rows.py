"""Rows by the million: copies of one row, made by the database itself."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from accounts.models import User
from deploynix.abilities import ROLES
from deploynix.ids import new_id
from organizations.models import Membership, Organization, Role
from tests import factories
from tokens.models import Token
from tokens.wire import PERSONAL_PREFIX, digest, new_token, newest_pepper, parse

ADDRESS = "'10.0.0.0'::inet + n"


def identifier(prefix: str) -> str:
    """SQL for an id of 26 characters, in the order of `n`."""
    return f"'{prefix}' || lpad(n::text, {26 - len(prefix)}, '0')"


def multiply(row: Model, count: int, **changed: str) -> None:
    """Adds `count` copies of a row, numbered n = 1, 2, ...; `changed` is SQL for the columns that must differ."""
    columns = [str(field.column) for field in row._meta.concrete_fields]
    values = [sql.SQL(changed[name]) if name in changed else sql.Identifier("row", name) for name in columns]
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS row, generate_series(1, %s) n"
        " WHERE row.{key} = %s"
    ).format(
        table=sql.Identifier(row._meta.db_table),
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        values=sql.SQL(", ").join(values),
        key=sql.Identifier(str(row._meta.pk.column)),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # The copies belong to rows that exist: a check of each foreign key would take most of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, [count, row.pk])


def add_servers(organization: Organization, count: int, prefix: str) -> None:
    row = factories.server(organization, operating_system="Debian GNU/Linux 12 (bookworm)", php_version="8.2")
    multiply(row, count - 1, id=identifier(prefix), name="'web-' || n", ip_address=ADDRESS)


def add_people(organization: Organization, count: int) -> list[str]:
    """Developers of the organization, each with a token for everything the role allows: the tokens' texts."""
    users = User.objects.bulk_create(User(email=f"{new_id()}@bench.test") for _ in range(count))
    Membership.objects.bulk_create(
        Membership(organization=organization, user=user, role=Role.DEVELOPER) for user in users
    )
    texts = [new_token(PERSONAL_PREFIX) for _ in users]
    pepper = newest_pepper()
    Token.objects.bulk_create(
        Token(
            organization=organization,
            user=user,
            name="bench",
            prefix=wire.prefix,
            public_id=wire.public_id,
            digest=digest(wire, pepper),
            pepper=pepper,
            grants=sorted(ROLES[Role.DEVELOPER]),
        )
        for user, wire in zip(users, texts, strict=True)
    )
    return [wire.text for wire in texts]


def add_crowd(organization: Organization, count: int) -> None:
    """So many more members, each with a token that nobody uses."""
    token = Token.objects.filter(organization=organization).select_related("user")[0]
    member = Membership.objects.get(organization=organization, user=token.user)
    user = identifier("U")
    multiply(token.user, count, id=user, email="n || '@crowd.test'")
    multiply(member, count, id=identifier("M"), user_id=user)
    public_id, secret = "substr(md5(n::text), 1, 16)", "md5('a' || n) || md5('b' || n)"
    multiply(token, count, id=identifier("T"), user_id=user, public_id=public_id, digest=secret)


def add_stock_tokens(owners_of: Sequence[str]) -> list[str]:
    """One of the framework's own tokens for every user; the keys of those to whom the given tokens belong."""
    public_ids = [wire.public_id for wire in map(parse, owners_of) if wire]
    users = Token.objects.filter(public_id__in=public_ids).values_list("user_id", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO authtoken_token (key, created, user_id)"
            " SELECT md5(id) || left(md5('k' || id), 8), now(), id FROM accounts_user"
        )
        cursor.execute("SELECT key FROM authtoken_token WHERE user_id = ANY(%s)", [list(users)])
        return [key for (key,) in cursor.fetchall()]


def settle() -> None:
    """What autovacuum would have done by the time that anybody has so many rows."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
