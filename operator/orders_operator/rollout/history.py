"""Chooses which revisions are kept, and numbers them. Pure.

As with a StatefulSet, the wanted revision has the highest number: one that is wanted again gets a
new number. Those in use are kept whatever `history` says.
"""

from collections.abc import Collection, Sequence

from orders_operator.objects import Object
from orders_operator.resources.revision import stored


def history(
    kept: Sequence[Object], wanted: str, used: Collection[str], length: int
) -> dict[str, int]:
    """Return the revisions to keep with their numbers, the oldest first.

    Args:
        kept: the ControllerRevisions that exist.
        wanted: the revision that the spec asks for.
        used: the hashes of those that must stay.
        length: how many of the others are kept, the newest first.

    """
    numbers = {
        found.hash: int(obj.get("revision") or 0)
        for obj in kept
        if (found := stored(obj)) is not None
    }
    newest = max(numbers.values(), default=0)
    if numbers.get(wanted, 0) < newest or wanted not in numbers:
        numbers[wanted] = newest + 1
    ordered = sorted(numbers.items(), key=lambda number: (number[1], number[0]))
    spare = [name for name, _ in ordered if name not in used and name != wanted]
    dropped = set(spare[: max(0, len(spare) - length)])
    return {name: number for name, number in ordered if name not in dropped}
