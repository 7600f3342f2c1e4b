"""A purge that runs while the bench measures, on a real table."""

from collections.abc import Iterator
from typing import NoReturn

import pytest

from bench import paths
from bench.database import Database, older_than
from bench.process import ServerError
from bench.purging import Purge
from bench.servers import BY_NAME
from tests.helpers.postgres import QUICK, PostgresServer

ROWS, OLDER = 4_000, 3_000
KEYS = "SELECT count(*) FROM order_keys"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Make a server whose databases have no other user."""
    server = PostgresServer(QUICK)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", tmp_path_factory.mktemp("bench"))
        yield Database(server.url("postgres"), None, migrate=True)
    server.remove()


def watch(purge: Purge) -> NoReturn:
    """Ask again and again how much is left."""
    while True:
        purge.left()


def test_a_table_has_older_orders_for_the_purge(database: Database) -> None:
    """They have the keys, and a load reads the newer ones alone."""
    ids = database.prepare(ROWS, older=OLDER).read_text().split()

    assert OLDER == database.count_before(ROWS, older_than(OLDER))
    assert (ROWS, OLDER) == (database.count(ROWS), int(database.sql(ROWS, KEYS)))
    assert database.sql(ROWS, "SELECT id FROM orders ORDER BY id").split()[OLDER:] == sorted(ids)


def test_a_purge_that_ends_before_its_load_is_an_error(database: Database) -> None:
    """Figures without a purge beside them would be wrong. The newer orders stay."""
    database.prepare(ROWS, older=OLDER)
    database.written(ROWS)
    purge = Purge(database, BY_NAME["orders"], ROWS, OLDER)

    with pytest.raises(ServerError, match="ended before the load, with 0 older"), purge:
        watch(purge)
    assert (ROWS - OLDER, 0) == (database.count(ROWS), int(database.sql(ROWS, KEYS)))


def test_a_purge_goes_on_until_its_load_ends(database: Database) -> None:
    """It has deleted some by then, and not all."""
    rows, older = 10 * ROWS, 10 * OLDER
    database.prepare(rows, older=older)

    with Purge(database, BY_NAME["orders"], rows, older) as purge:
        assert 0 < purge.left() < older
    assert 0 < database.count_before(rows, older_than(older)) < older


def test_a_purge_with_nothing_to_delete_is_told(database: Database) -> None:
    """It ends at once, and the message says where its output is."""
    database.prepare(ROWS, older=OLDER)
    purge = Purge(database, BY_NAME["orders"], ROWS, 0)

    with pytest.raises(ServerError, match=r"see \.cache/bench/logs/purge\.log"), purge:
        pass
