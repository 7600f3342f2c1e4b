"""Sends spans to a collector over HTTP, with urllib3 alone if that is enough.

The exporter's usual way is Requests, which adds 5 MiB to the process for what a collector in the
same cluster never asks for: proxies, credentials of addresses, cookies, and guesses at the
encoding of an answer. If one of these may be needed, Requests is used.
"""

import inspect
import os
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

_PARAMETER: Final = "_transport"
"""What the exporter takes another way by; not published."""
_PROXIES: Final = "http_proxy", "all_proxy"
_PROVIDERS: Final = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)


def exporter(endpoint: str | None, headers: dict[str, str] | None) -> OTLPSpanExporter:
    """Return the SDK's exporter.

    Args:
        endpoint: of the collector; None is the default, which is on this machine.
        headers: of each request; None leaves them to the SDK's own variables.

    """
    more: dict[str, Any] = {}
    if _is_plain(endpoint) and _PARAMETER in inspect.signature(OTLPSpanExporter).parameters:
        from opentelemetry.exporter.http.transport._urllib3 import (  # noqa: PLC0415  if needed
            Urllib3HTTPTransport,
        )

        more = {_PARAMETER: Urllib3HTTPTransport()}
    return OTLPSpanExporter(endpoint=endpoint, headers=headers, **more)


def _is_plain(endpoint: str | None) -> bool:
    """Whether a collector is asked without TLS, a proxy, or credentials but those of headers."""
    parts = urlsplit(endpoint or "http://localhost")
    names = {name if name in _PROVIDERS else name.lower() for name, v in os.environ.items() if v}
    return (
        parts.scheme == "http"
        and parts.username is None
        and names.isdisjoint(_PROXIES + _PROVIDERS)
    )
