"""The order service: a REST API over PostgreSQL whose requests share durable group commits.

`model` declares an order, `http` takes requests, `service` has the rules, `coalesce` makes
batches of calls, and `store` runs them. docs/architecture.md follows an order through them.
"""

__version__ = "0.1.0"
