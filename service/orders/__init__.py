"""The order service: a REST API over PostgreSQL whose requests share durable group commits."""

__version__ = "0.1.0"
