"""The operator: keeps every OrderService of a cluster as it is declared."""

__version__ = "0.1.0"
