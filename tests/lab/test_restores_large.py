"""A large database comes back row by row: 50 MiB in the suites, 1 GiB in `make soak`."""

import pytest

from tests.examples import share
from tests.lab.restores import backed_up, mariadb, psql, restored
from tests.lab.test_restores import NAME, World, world

__all__ = ["world"]

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.soak, pytest.mark.django_db(transaction=True)]
MARIADB_FILL = """
CREATE TABLE bulk (id INT PRIMARY KEY, at DATETIME(6), words TEXT CHARACTER SET utf8mb4, data LONGBLOB);
INSERT INTO bulk SELECT seq, NOW(6), CONCAT('😀 ', seq, ' \\'', HEX(RANDOM_BYTES(200))), RANDOM_BYTES(768)
    FROM seq_1_to_{rows};
"""
MARIADB_SUM = "SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', id, at, words, HEX(data)))) FROM bulk"
POSTGRESQL_FILL = """
CREATE TABLE bulk (id integer PRIMARY KEY, at timestamptz, words text, data bytea);
INSERT INTO bulk SELECT n, clock_timestamp(), '😀 ' || n || encode(gen_random_bytes(200), 'hex'), gen_random_bytes(768)
    FROM generate_series(1, {rows}) AS n;
"""
POSTGRESQL_SUM = "SELECT count(*), md5(string_agg(md5(b::text), '' ORDER BY id)) FROM bulk AS b"
KIB = 1024


def test_it_comes_back_row_by_row(world: World) -> None:
    is_mariadb = world.engine == "mariadb"
    sql, fill = (mariadb, MARIADB_FILL) if is_mariadb else (psql, POSTGRESQL_FILL)
    question = MARIADB_SUM if is_mariadb else POSTGRESQL_SUM
    sql(world.host, fill.format(rows=share(2) * KIB), NAME)
    before = sql(world.host, question, NAME)
    backup = backed_up(world.owner, world.store, database=world.database)
    assert (backup.raw_size or 0) > share(2) * KIB * KIB
    sql(world.host, "DROP TABLE bulk", NAME)
    restored(world.owner, backup)
    assert sql(world.host, question, NAME) == before
