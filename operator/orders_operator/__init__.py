"""The operator: keeps every OrderService of a cluster as it is declared.

`handlers` gets the events of watches, `reconcile` makes a pass over one OrderService, `rollout`
decides what runs next, and `resources` has the objects to apply. docs/architecture.md follows a
reconcile through them.
"""

__version__ = "0.1.0"
