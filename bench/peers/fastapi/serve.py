"""Runs a FastAPI peer with uvicorn, uvloop and httptools: serve.py APPLICATION WORKERS.

`app` has JSON access logs, `fast` none. Several workers share their metrics by files, as
prometheus_client asks for.
"""

import logging
import os
import sys
import tempfile

import uvicorn
from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter


class TraceIds(logging.Filter):
    """Adds the current trace and span ids to every record, and leaves out the probe."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for the access lines of `/livez`."""
        context = trace.get_current_span().get_span_context()
        record.trace_id = format(context.trace_id, "032x")
        record.span_id = format(context.span_id, "016x")
        return not (record.name == "uvicorn.access" and "/livez" in str(record.args))


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": TraceIds}},
    "formatters": {
        "json": {
            "()": JsonFormatter,
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s %(trace_id)s %(span_id)s",
        }
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
            "filters": ["trace"],
        }
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {"uvicorn": {"level": "INFO"}, "uvicorn.access": {"level": "INFO"}},
}

if __name__ == "__main__":
    application, workers = sys.argv[1], int(sys.argv[2])
    observed = application == "app"
    with tempfile.TemporaryDirectory() as shared:
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        uvicorn.run(
            f"{application}:app",
            host="127.0.0.1",
            port=int(os.environ["HTTP_PORT"]),
            loop="uvloop",
            http="httptools",
            workers=workers,
            access_log=observed,
            log_config=LOGGING,
            log_level="info" if observed else "warning",
        )
