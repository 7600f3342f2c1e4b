"""`orders migrate check`: finds in the SQL what would break the previous release.

`script` reads a file with PostgreSQL's own parser, `context` remembers what earlier statements
did, the rules judge one action at a time, and `check` collects the findings. It needs no database
and runs where migrations are written; no image contains it.
"""
