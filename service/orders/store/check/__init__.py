"""`orders migrate check`: what the release before could not live with, found in the SQL itself.

`script` reads a file with PostgreSQL's own parser, `seen` remembers what earlier statements did,
the rules judge one action at a time, and `check` puts that together. It needs no database, and
runs where migrations are written; no image has it.
"""
