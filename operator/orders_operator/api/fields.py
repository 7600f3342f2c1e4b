"""Types of values that many fields share, each with the bounds that the API server checks.

Texts and lists have upper bounds: the API server estimates the cost of a CEL rule from them, and
refuses a rule over an unbounded value.
"""

from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

SUBDOMAIN = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"

Name = Annotated[str, Meta(pattern=SUBDOMAIN, max_length=253)]
"""The name of an object in the namespace (RFC 1123 subdomain)."""

Key = Annotated[str, Meta(pattern=r"^[-._a-zA-Z0-9]+$", min_length=1, max_length=253)]
"""A key in the data of a Secret or ConfigMap."""

Duration = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(s|m|h)$", max_length=7)]
"""Whole seconds, minutes or hours: 30s, 5m, 1h."""

Image = Annotated[str, Meta(pattern=r"^[^\s]+$", min_length=1, max_length=512)]
"""An image with a tag or a digest."""

Text = Annotated[str, Meta(max_length=1024)]

IntOrString = Annotated[
    int | str,
    Meta(extra_json_schema={"x-kubernetes-int-or-string": True}),
]
"""A number, or a share such as 25%."""

PodsOrShare = Annotated[
    int | str,
    Meta(
        extra_json_schema={
            "x-kubernetes-int-or-string": True,
            "minimum": 0,
            "maxLength": 4,
            "pattern": r"^([0-9]|[1-9][0-9]|100)%$",
        }
    ),
]
"""A number of pods, or a share of them: 0% to 100%."""

_SUFFIX = r"([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,3})?"

Quantity = Annotated[
    int | str,
    Meta(
        extra_json_schema={
            "x-kubernetes-int-or-string": True,
            "pattern": rf"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+){_SUFFIX}$",
        }
    ),
]
"""A quantity of a resource: 500m, 128Mi, 2. The pattern is that of Kubernetes' own schemas."""

Size = Annotated[
    int | str,
    Meta(
        extra_json_schema={
            "x-kubernetes-int-or-string": True,
            "minimum": 1,
            "pattern": rf"^\+?(0*[1-9][0-9]*(\.[0-9]*)?|0*\.0*[1-9][0-9]*){_SUFFIX}$",
        }
    ),
]
"""A Quantity of bytes above zero: 10Gi."""

_LABEL = {"pattern": r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"}

Labels = dict[str, Annotated[str, Meta(max_length=63, extra_json_schema=_LABEL)]]
Annotations = dict[str, str]

Raw = Annotated[
    dict[str, Any], Meta(extra_json_schema={"x-kubernetes-preserve-unknown-fields": True})
]
"""An object of Kubernetes' own, which the API server checks where it is used."""

Enabled = Annotated[bool, Meta(description="Whether it is created.")]

_UNITS = {"s": 1, "m": 60, "h": 3600}


def has_host(url: str) -> bool:
    """Return whether a URL has a host and a valid port, which no pattern can check.

    It also has no invisible character, as a copied URL may have: pods would not accept it.
    """
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def seconds(duration: str) -> int:
    """Return a Duration in seconds."""
    return int(duration[:-1]) * _UNITS[duration[-1]]
