"""Filters of OpenTelemetry's loggers, which outlive what added them."""

import logging


def remove_log_filters() -> None:
    """Let OpenTelemetry's loggers say everything again: a filter passes one warning a minute."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("opentelemetry"):
            logging.getLogger(name).filters.clear()
