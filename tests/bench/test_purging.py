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


def older(database: Database) -> int:
    """Count the older orders that are left."""
    return database.count_before(ROWS, older_than(OLDER))


def watch(purge: Purge) -> NoReturn:
    """Ask again and again how much is left."""
    while True:
        purge.left()


def test_a_table_has_older_orders_for_the_purge(database: Database) -> None:
    """They have the keys, and a load reads the newer ones alone."""
    ids = database.prepare(ROWS, older=OLDER).read_text().split()

    assert (ROWS, OLDER) == (database.count(ROWS), older(database))
    assert OLDER == int(database.sql(ROWS, KEYS))
    assert database.sql(ROWS, "SELECT id FROM orders ORDER BY id").split()[OLDER:] == sorted(ids)


def test_a_purge_goes_on_beside_a_load_until_it_has_ended(database: Database) -> None:
    """Figures without a purge would be wrong, so its end is an error. Newer orders stay."""
    database.prepare(ROWS, older=OLDER)
    database.written(ROWS)

    with Purge(database, BY_NAME["orders"], ROWS, OLDER) as purge:
        assert 0 < purge.left() < OLDER
        with pytest.raises(
            ServerError, match="`orders purge` ended before the load, with 0 older"
        ):
            watch(purge)
    assert (ROWS - OLDER, 0) == (database.count(ROWS), int(database.sql(ROWS, KEYS)))


def test_a_purge_ends_with_its_load(database: Database) -> None:
    """Whatever is left stays for no one."""
    database.prepare(ROWS, older=OLDER)
    database.written(ROWS)

    with Purge(database, BY_NAME["orders"], ROWS, OLDER):
        pass
    assert 0 < older(database) < OLDER


def test_a_purge_with_nothing_to_delete_is_told(database: Database) -> None:
    """It ends at once, and the message says where its output is."""
    database.prepare(ROWS, older=OLDER)
    purge = Purge(database, BY_NAME["orders"], ROWS, 0)

    with pytest.raises(ServerError, match=r"see \.cache/bench/logs/purge\.log"), purge:
        pass
