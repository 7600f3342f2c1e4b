"""All rules, in the order of the reference, grouped by what they have in common."""

from typing import Final

from orders.store.check import changes, constraints, drops, locks, rows, transaction, unknown

GROUPS: Final = {
    "What goes": drops.RULES,
    "What becomes something else": changes.RULES,
    "What rows may be": constraints.RULES,
    "What keeps others waiting": (*locks.RULES, *rows.RULES, *transaction.RULES),
    "What cannot be known": unknown.RULES,
}
RULES: Final = tuple(rule for group in GROUPS.values() for rule in group)
