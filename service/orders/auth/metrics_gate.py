"""The gate of the metrics: it requires `metrics:read`, and has keys that open nothing else.

Prometheus sends every credential as a bearer token, so an API key may come as one here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from orders.auth import api_keys
from orders.auth.caller import API_KEY, BEARER, METRICS, Caller
from orders.auth.gate import bearer
from orders.auth.outcomes import ACCEPTED, Refused

if TYPE_CHECKING:
    from orders.auth.gate import Gate

_SCHEMES: Final = (BEARER, API_KEY)


class MetricsGate:
    """Requires a credential of the API, or a key of its own, from readers of metrics."""

    def __init__(self, gate: "Gate") -> None:
        """Admit callers that the API's gate knows, if they have the scope."""
        self._gate = gate
        self.keys: Mapping[bytes, Caller] = {}
        """Those that open the metrics alone, by digest."""

    def admit(self, headers: Mapping[str, str]) -> None:
        """Admit a caller who may read metrics, and count that.

        Args:
            headers: of the request; names are in lower case, repeated fields are joined.

        Raises:
            Problem: the answer to one who may not.

        """
        try:
            caller = self._of_key(headers) or self._gate.judge(headers)
        except Refused as refused:
            raise self._gate.refusal(refused.outcome, _SCHEMES) from None
        self._gate.check(caller, METRICS)
        self._gate.count(ACCEPTED)

    def _of_key(self, headers: Mapping[str, str]) -> Caller | None:
        """Return whose API key has come, either way; None for everything else."""
        authorization, key = headers.get("authorization"), headers.get("x-api-key")
        if key is None and authorization is not None:
            key = bearer(authorization)
        elif authorization is not None:  # two credentials
            return None
        if key is None:
            return None
        digest = api_keys.digest(key)
        return self.keys.get(digest) or self._gate.api_keys.get(digest)
