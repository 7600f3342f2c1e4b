"""Metrics, logs, traces and the port that shows them: a leaf that never asks the API server."""
