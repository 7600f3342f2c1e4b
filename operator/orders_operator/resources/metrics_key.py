"""The API key of the metrics, for Prometheus and for the operator's own analysis. Pure.

It is in a Secret of which pods mount only the hashes, and read these again while they run. What a
person writes into the Secret is kept, so that the key can be changed without a gap: first a second
line, then the key.
"""

import hashlib
import re
from base64 import b64encode
from typing import Final

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.content import text
from orders_operator.resources.labels import child
from orders_operator.resources.observing import KEY, KEYS, METRICS_SUFFIX
from orders_operator.resources.references import SECRETS, Needed, Reference

_NAME: Final = "metrics"
_SCOPE: Final = "metrics:read"
_USABLE: Final = re.compile(r"[A-Za-z0-9._~+/-]{32,255}").fullmatch
"""The characters of a bearer token (RFC 6750, 2.1), in a length that nobody can guess."""
_LINE: Final = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,63}} sha256:[0-9a-f]{{64}} {_SCOPE}"
).fullmatch


def reference(service: OrderService) -> Reference:
    """Return the reference to the Secret."""
    return Reference(SECRETS, f"{service.metadata.name}{METRICS_SUFFIX}")


def usable_key(service: OrderService, live: Object | None) -> str | None:
    """Return the key in a Secret; None if it has no usable one."""
    found = text(Needed(reference(service), KEY), {reference(service): live})
    return found if found is not None and _USABLE(found) else None


def metrics_secret(service: OrderService, fresh: str, live: Object | None) -> Object:
    """Return the Secret.

    Args:
        service: the OrderService.
        fresh: the key to use if there is none yet.
        live: the live Secret. Its key stays, and so does every further line.

    """
    own = reference(service)
    key = usable_key(service, live) or fresh
    first = f"{_NAME} sha256:{hashlib.sha256(key.encode()).hexdigest()} {_SCOPE}"
    kept = (text(Needed(own, KEYS), {own: live}) or "").splitlines()
    lines = dict.fromkeys([first, *filter(_LINE, kept)])
    data = {KEY: key, KEYS: "".join(f"{line}\n" for line in lines)}
    return child(
        service,
        "v1",
        "Secret",
        suffix=METRICS_SUFFIX,
        type="Opaque",
        data={name: b64encode(value.encode()).decode() for name, value in data.items()},
    )
