"""Where a rollout stands and where it goes: decisions are pure.

Only `reading` asks pods for their metrics, `readiness` why they are not ready, and `prometheus` a
Prometheus.
"""
