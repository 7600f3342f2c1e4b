"""A rule: what it refuses, why, and what to write instead, with examples that the tests run."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pglast import ast

from orders.store.check.context import FileContext
from orders.store.check.script import Action

Finds = Callable[[Action, FileContext], bool]


@dataclass(frozen=True)
class Rule:
    """One rule. Its texts go into messages and into docs/migration-rules.md."""

    name: str
    """What an override calls it."""
    refuses: str
    why: str
    safe: str
    """The safe way, in words."""
    example: str
    """A file that it refuses."""
    instead: str
    """The safe way in files that pass, one after the other, with an empty line between them."""
    finds: Finds
    of_own_too: bool = False
    """Whether it also judges what is done to an object that the same file made."""

    @property
    def refused(self) -> str:
        """The example without the indentation that it has in the code."""
        return cleandoc(self.example)

    @property
    def steps(self) -> tuple[str, ...]:
        """The files of the safe way, the same."""
        return tuple(cleandoc(self.instead).split("\n\n"))

    def refuses_action(self, action: Action, context: FileContext) -> bool:
        """Tell whether it refuses an action."""
        is_judged = self.of_own_too or not context.is_new(action.on)
        return is_judged and self.finds(action, context)


def finds_commands(*subtypes: Any) -> Finds:
    """Return a function that finds these subcommands of ALTER TABLE."""

    def finds(action: Action, _: FileContext) -> bool:
        return isinstance(action.node, ast.AlterTableCmd) and action.node.subtype in subtypes

    return finds
