"""Chooses the format of a scrape: the available one that its Accept header prefers.

prometheus_client picks the encoder for a media range, but takes the first one that it knows and
ignores weights (RFC 9110, 12.4.2). So it is asked about a single range, the one of most weight.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

Encoder = Callable[[Collector], bytes]

_TEXT: Final = "text/plain"
_OPEN_METRICS: Final = "application/openmetrics-text"
_MEANT: Final = {
    _TEXT: (_TEXT,),
    _OPEN_METRICS: (_OPEN_METRICS,),
    "text/*": (_TEXT,),
    "application/*": (_OPEN_METRICS,),
    "*/*": (_TEXT, _OPEN_METRICS),
}
_VERSIONS: Final = {_TEXT: ("", "0.0.4", "1.0.0"), _OPEN_METRICS: ("", "1.0.0")}
"""Those that there are, by format; without one it is the library's choice."""
_QVALUE: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?").fullmatch


class _Range(NamedTuple):
    media: str
    parameters: dict[str, str]

    @property
    def version(self) -> str:
        """Return the version that is asked for; any if it is empty."""
        return self.parameters.get("version", "")

    @property
    def weight(self) -> float:
        """Return `q`; one that is missing or malformed counts as 1."""
        q = self.parameters.get("q", "1")
        return float(q) if _QVALUE(q) else 1.0


def chosen(accept: str) -> tuple[Encoder, str]:
    """Return the encoder and the content type; Prometheus' text where nothing else is wanted.

    A header that admits neither format gets the text too: it says more than an error.
    """
    ranges = [_range(text) for text in accept.lower().split(",") if text.strip()]
    refused = {(found.media, found.version) for found in ranges if not found.weight}
    for found in sorted(ranges, key=lambda found: -found.weight):
        for media in _MEANT.get(found.media, ()) if found.weight else ():
            if found.version in _VERSIONS[media] and refused.isdisjoint(
                {(media, ""), (media, found.version)}
            ):
                escaping = found.parameters.get("escaping", "")
                return choose_encoder(f"{media};version={found.version};escaping={escaping}")
    return choose_encoder("")


def _range(text: str) -> _Range:
    media, *parameters = text.split(";")
    split = (parameter.partition("=") for parameter in parameters)
    return _Range(media.strip(), {n.strip(): v.strip().strip('"') for n, _, v in split})
