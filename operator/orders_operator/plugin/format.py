"""Numbers, times and names in the form that the screens show. Pure."""

import re
from datetime import datetime
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))
_SHORT: Final = 2
"""Below this number of a unit, the next smaller unit is shown: 90s, 2m, 119m, 2h."""
_DIGEST: Final = re.compile(r"@sha256:([0-9a-f]{7})[0-9a-f]+$")


def since(then: datetime | None, now: datetime) -> str:
    """Return how long ago something was; a dash if that is unknown."""
    return "-" if then is None else span((now - then).total_seconds())


def span(seconds: float) -> str:
    """Return a length of time in whole units: 42s, 5m, 3h, 12d."""
    for size, unit in _UNITS:
        if seconds >= _SHORT * size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def percent(ratio: float) -> str:
    """Return a share: 0.03 %, 10 %."""
    return f"{100 * ratio:.2f} %"


def milliseconds(value: float | None) -> str:
    """Return a latency; a dash if there is none."""
    return "-" if value is None else f"{value:,.1f} ms"


def several(number: int, what: str) -> str:
    """Return a number of things: 1 pod, 1,204 requests."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def short_pod(pod: str, service: str) -> str:
    """Return the part of a pod's name that distinguishes it within its service."""
    return pod.removeprefix(f"{service}-") or pod


def image_name(image: str) -> str:
    """Return an image with only the beginning of its digest."""
    return _DIGEST.sub(r"@\1", image)


def short_image(image: str) -> str:
    """Return an image without its registry, and with only the beginning of its digest."""
    return image_name(image).rpartition("/")[2]
