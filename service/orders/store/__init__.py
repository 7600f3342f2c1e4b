"""All that is known of PostgreSQL and of its driver: the only package that imports psqlpy."""
