"""Metrics, logs and traces: a leaf that imports nothing but the settings and the set of errors."""
