"""Metrics, logs, traces and the port that shows them: a leaf that knows nothing of Kubernetes."""
