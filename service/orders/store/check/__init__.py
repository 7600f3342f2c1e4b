"""`orders migrate check`: finds what would break the release before, in the SQL itself.

`script` reads a file with PostgreSQL's own parser, `context` remembers what the statements before
did, the rules judge one action at a time, and `check` puts the verdicts together. It needs no
database and runs where migrations are written; no image contains it.
"""
