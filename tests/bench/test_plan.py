"""What is measured, in which order, on which servers."""

import pytest
from msgspec import structs

from bench.crowd import IDLE, MANY
from bench.database import AGED, LARGE
from bench.load import QUESTIONS
from bench.plan import Part, Plan, Round
from bench.servers import BASELINE, BY_NAME, SERVERS, Server
from bench.variants import VARIANTS

WHOLE = Plan(QUESTIONS, (64, 256, 1, 512), 3.0, 3, frozenset(Part))


def count(rounds: list[Round], question: str, connections: int) -> int:
    """Count the turns of a case on the small table."""
    return sum(
        (each.cases[0].question, each.cases[0].connections) == (question, connections)
        for each in rounds
    )


def test_the_main_cases_have_every_round() -> None:
    """Creating, with keys too, and reading at 64 and 256; everything else has one less."""
    rounds = list(WHOLE.rounds())

    for question in ("create", "read"):
        assert [3, 3, 2, 2] == [count(rounds, question, number) for number in (64, 256, 1, 512)]
    assert [3, 3, 0, 0] == [count(rounds, "keyed", number) for number in (64, 256, 1, 512)]
    for question in ("mix", "livez"):
        assert [2, 0, 0, 0] == [count(rounds, question, number) for number in (64, 256, 1, 512)]


def test_keys_are_for_the_service_and_its_baseline() -> None:
    """No peer knows what a key is, and would only be measured without one."""
    baseline = Server(BASELINE, "before", "orders", "python")
    variants = [structs.replace(BY_NAME["orders"], name=name) for name in VARIANTS]
    keyed = [each for each in WHOLE.rounds() if each.cases[0].keyed]

    assert [{"orders", "baseline"}] * 6 == [
        {server.name for server in (*SERVERS, baseline, *variants) if each.takes(server)}
        for each in keyed
    ]


def test_the_large_table_is_read_right_after_the_small_one() -> None:
    """In the same turn of a server, so that their ratio is of the same minute."""
    large = [each.cases for each in WHOLE.rounds() if len(each.cases) > 1]

    assert [[("read", 64, 100_000), ("read", 64, LARGE)]] * 2 == [
        [(case.question, case.connections, case.rows) for case in cases] for cases in large
    ]


def test_a_load_beside_a_purge_comes_right_after_the_same_one_without() -> None:
    """On the same table, for this service alone: no peer has a purge, nor every revision."""
    purges = list(WHOLE.purges())
    baseline = Server(BASELINE, "before", "orders", "python")

    assert [
        [(question, AGED, False), (question, AGED, True)]
        for question in ("create", "read")
        for _ in range(2)
    ] == [[(case.question, case.rows, case.purging) for case in each.cases] for each in purges]
    assert {"orders"} == {
        server.name for server in (*SERVERS, baseline) if purges[0].takes(server)
    }


def test_many_connections_are_for_few_servers() -> None:
    """This service, its baseline and bare Fiber; with 2,000 that ask, and 10,000 that do not."""
    crowds = list(WHOLE.crowds())
    baseline = Server(BASELINE, "before", "orders", "python")

    assert {(MANY, 0), (64, IDLE)} == {
        (case.connections, case.idle) for each in crowds for case in each.cases
    }
    assert {"orders", "baseline", "fiber"} == {
        server.name for server in (*SERVERS, baseline) if crowds[0].takes(server)
    }


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_what_costs_is_measured_beside_the_service_without(name: str) -> None:
    """At 64 connections, where orders are created or read."""
    server = structs.replace(BY_NAME["orders"], name=name)
    measured = {
        (each.cases[0].question, each.cases[0].connections)
        for each in WHOLE.rounds()
        if each.takes(server)
    }

    assert {("create", 64), ("read", 64)} == measured


def test_a_part_can_be_left_out() -> None:
    """Without crowds, purges, large tables or loads there are no turns of them."""
    only = Plan(QUESTIONS, (64,), 3.0, 3, frozenset({Part.LOADS}))

    assert [] == list(only.crowds())
    assert [] == list(only.purges())
    assert all(len(each.cases) == 1 for each in only.rounds())
    assert [] == list(Plan(QUESTIONS, (64,), 3.0, 3, frozenset({Part.STARTS})).rounds())
