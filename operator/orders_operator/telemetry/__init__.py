"""Metrics, logs, traces and the port that serves them; nothing here calls the API server."""
