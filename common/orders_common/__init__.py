"""What the order service and its operator share: how settings are read, and tracing is set."""

__version__ = "0.1.0"
