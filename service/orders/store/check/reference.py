"""The page docs/migration-rules.md, made from the rules."""

from typing import Final

from orders.store.check.check import GROUPS
from orders.store.check.overrides import FORM
from orders.store.check.rule import Rule

_HEAD: Final = f"""\
# Rules of migrations

<!-- Made by `orders migrate check --rules`; do not edit. -->

`orders migrate check` refuses what the release before could not live with, so that a rollback
never needs a way down: that release has to run on the schema of the one after it. And it refuses
what keeps requests waiting for as long as a table is read. [migrations.md](migrations.md) says how
to write and to run one. The example of each rule is refused by it, what stands below passes; the
tests run both on PostgreSQL.

What a file does to a table, index, view, sequence or type that the same file creates is allowed,
unless `IF NOT EXISTS` leaves open who created it.

A file may allow what a rule refuses, with a reason, in a comment before its first statement:

```sql
{FORM}
```

An override without a reason, of a rule that is not there, or that no statement needs is refused
itself.

The check reads files, not a database. It does not know what a trigger, the body of a function or
the default of a domain does, which columns are a key, or what a running release writes: where a
rule says "once no running release ...", that is for its reader to know.
"""


def page() -> str:
    """Return docs/migration-rules.md."""
    parts = [_HEAD]
    for title, rules in GROUPS.items():
        parts.append(f"\n## {title}\n\n| rule | refuses |\n|---|---|\n")
        parts += [f"| [{rule.name}](#{rule.name}) | {rule.refuses} |\n" for rule in rules]
        parts += map(_section, rules)
    return "".join(parts)


def _section(rule: Rule) -> str:
    instead = "\n\nand in the next file\n\n".join(map(_sql, rule.steps))
    return f"\n### {rule.name}\n\n{rule.why}\n\n{_sql(rule.refused)}\n\n{rule.safe}\n\n{instead}\n"


def _sql(text: str) -> str:
    return f"```sql\n{text}\n```"
