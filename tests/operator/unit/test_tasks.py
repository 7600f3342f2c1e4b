"""Work that is done at the same time leaves nothing behind."""

import asyncio

import pytest

from orders_operator.tasks import together


async def test_all_is_returned_in_order() -> None:
    """Whichever ends first."""

    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert [3, 0, 1] == await together(after(3), after(0), after(1))


async def test_nothing_goes_on_once_one_has_failed() -> None:
    """What the others use may be closed at once: they have ended, whatever they do at that."""
    ended = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await together(endless(), fails(), endless())
    assert [True, True] == ended
