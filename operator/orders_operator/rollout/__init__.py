"""Decides the course of a rollout; the decisions are pure.

Only three modules do I/O: `reading` asks pods for their metrics, `readiness` asks them why they
are not ready, and `prometheus` queries Prometheus.
"""
