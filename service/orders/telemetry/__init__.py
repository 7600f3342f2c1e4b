"""Metrics, logs and traces: a leaf that knows nothing of orders, HTTP or the database."""
