"""Everything about PostgreSQL and its driver: the only package that imports psqlpy."""
