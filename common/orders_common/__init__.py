"""What the order service and its operator share: how they read settings and write logs."""

__version__ = "0.1.0"
