"""What a migration may not do while the release before it serves, each rule with the safe way.

The release before runs on the schema of this one: during a rollout, and after a rollback, which
therefore needs no way down. So nothing that it reads or writes may go or become stricter, and no
statement may keep its writes waiting (PostgreSQL manual, 13.3: a lock in conflict with ROW
EXCLUSIVE, held for as long as a table takes to read or to write).

`refused` and `instead` are complete, on a table `t (id int PRIMARY KEY, a int, b text)` with an
index `t_a`; tests run both.
"""

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """What is refused, by its name, why, and what to write instead: one file after another."""

    name: str
    why: str
    refused: str
    instead: tuple[str, ...]
    advice: str


RULES: Final = {
    rule.name: rule
    for rule in (
        Rule(
            "drop",
            "the release before may read or write it",
            "ALTER TABLE t DROP COLUMN b",
            ("ALTER TABLE t ALTER COLUMN b SET STATISTICS 0",),
            "leave it, and drop it in a release after the last one that uses it, with an override",
        ),
        Rule(
            "rename",
            "the release before knows it by the name that it has",
            "ALTER TABLE t RENAME COLUMN b TO c",
            ("ALTER TABLE t ADD COLUMN c text",),
            "add another one, write both, and drop the old one releases later",
        ),
        Rule(
            "replace",
            "the release before expects what was there",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            ("CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
            "create it under another name",
        ),
        Rule(
            "required-column",
            "the release before inserts without it",
            "ALTER TABLE t ADD COLUMN c int NOT NULL",
            ("ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0",),
            "give it a constant default, or let it be null",
        ),
        Rule(
            "not-null",
            "the release before may write null, and the table is read under a lock",
            "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
            (
                "ALTER TABLE t ADD CONSTRAINT t_b CHECK (b IS NOT NULL) NOT VALID",
                "ALTER TABLE t VALIDATE CONSTRAINT t_b",
            ),
            "once no running release writes null: a CHECK that is NOT VALID, validated in the next"
            " file",
        ),
        Rule(
            "nullable",
            "the release before does not expect null",
            "ALTER TABLE t ALTER COLUMN b DROP NOT NULL",
            ("ALTER TABLE t ADD COLUMN c text",),
            "add another column that may be null",
        ),
        Rule(
            "drop-default",
            "the release before may insert without the column",
            "ALTER TABLE t ALTER COLUMN b DROP DEFAULT",
            ("ALTER TABLE t ALTER COLUMN b SET DEFAULT ''",),
            "keep a default until no running release needs it",
        ),
        Rule(
            "type-change",
            "the release before expects the type, and the table is rewritten under a lock",
            "ALTER TABLE t ALTER COLUMN a TYPE bigint",
            ("ALTER TABLE t ADD COLUMN c bigint",),
            "add a column of the new type, write both, backfill it in batches",
        ),
        Rule(
            "rewrite",
            "the table is rewritten while nobody can use it",
            "ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()",
            (
                "ALTER TABLE t ADD COLUMN c uuid",
                "ALTER TABLE t ALTER COLUMN c SET DEFAULT gen_random_uuid()",
            ),
            "add the column first, then the default, and backfill in batches",
        ),
        Rule(
            "validated-constraint",
            "the release before may break it, and the table is read under a lock",
            "ALTER TABLE t ADD CONSTRAINT t_positive CHECK (a > 0)",
            (
                "ALTER TABLE t ADD CONSTRAINT t_positive CHECK (a > 0) NOT VALID",
                "ALTER TABLE t VALIDATE CONSTRAINT t_positive",
            ),
            "once no running release breaks it: NOT VALID, and VALIDATE CONSTRAINT in the next"
            " file",
        ),
        Rule(
            "unique",
            "the release before may write duplicates",
            "CREATE UNIQUE INDEX CONCURRENTLY t_unique ON t (b)",
            (
                "ALTER TABLE t ADD COLUMN c text",
                "CREATE INDEX CONCURRENTLY t_c ON t (c)",
            ),
            "only with an override that says why no running release writes duplicates",
        ),
        Rule(
            "index",
            "writes wait until it is built, or dropped",
            "CREATE INDEX t_b ON t (b)",
            ("CREATE INDEX CONCURRENTLY t_b ON t (b)",),
            "CONCURRENTLY, alone in a file that begins with the line `-- orders: no-transaction`",
        ),
        Rule(
            "lock",
            "it waits for, and holds up, whoever uses the table",
            "LOCK TABLE t",
            ("SELECT 1",),
            "do without: a file already runs alone",
        ),
        Rule(
            "whole-table",
            "every row is locked until the file ends",
            "UPDATE t SET b = ''",
            ("UPDATE t SET b = '' WHERE id BETWEEN 1 AND 1000",),
            "in batches, from the service or by hand",
        ),
        Rule(
            "truncate",
            "the rows of the release before are gone",
            "TRUNCATE t",
            ("DELETE FROM t WHERE id = 1",),
            "delete what is meant, in batches",
        ),
        Rule(
            "revoke",
            "the release before may need the right",
            "REVOKE SELECT ON t FROM PUBLIC",
            ("GRANT SELECT ON t TO PUBLIC",),
            "revoke it in a release after the last one that needs it, with an override",
        ),
        Rule(
            "trigger",
            "it changes what the writes of the release before do",
            "CREATE RULE quiet AS ON DELETE TO t DO INSTEAD NOTHING",
            ("CREATE TABLE t_log (id int)",),
            "do it in the service",
        ),
        Rule(
            "cannot-be-checked",
            "what it does is not known before it runs",
            "DO $$ BEGIN DROP TABLE t; END $$",
            ("ALTER TABLE t ADD COLUMN IF NOT EXISTS c int",),
            "plain statements",
        ),
    )
}
"""By name."""
