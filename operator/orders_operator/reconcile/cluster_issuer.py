"""The issuer of the cluster's ServiceAccount tokens: the API server, which publishes its keys.

It publishes them as OpenID Connect does (KEP-1393), and every ServiceAccount may read them, the
operator's included. They are read when the first OrderService needs them, and again by `refresh`.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, json

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.resources.auth import ClusterKeys

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

CHECK_SECONDS: Final = 60.0
"""How often the operator checks whether the keys were rotated."""

_CONFIGURATION: Final = "/.well-known/openid-configuration"
_KEYS: Final = "/openid/v1/jwks"
_JWKS: Final = "application/jwk-set+json"  # the only type in which the API server has it
_SECONDS: Final = 5.0


class _Configuration(Struct, frozen=True):
    issuer: str


class _Keys(Struct, frozen=True):
    keys: list[dict[str, Any]]


class ClusterIssuer:
    """The issuer of one cluster."""

    def __init__(self, kube: "Kube") -> None:
        """Read nothing until `keys` is called."""
        self._kube = kube
        self._known: ClusterKeys | None = None

    async def keys(self) -> ClusterKeys:
        """Return the issuer and its keys as they were read last.

        Raises:
            KubeError: they were never read, and cannot be read now.

        """
        if self._known is None:
            self._known = await self._ask()
        return self._known

    async def refresh(self) -> bool:
        """Read the keys again, and return whether they changed; read nothing if nobody needs them.

        Raises:
            KubeError: they cannot be read.

        """
        if self._known is None:
            return False
        before, self._known = self._known, await self._ask()
        return before != self._known

    async def _ask(self) -> ClusterKeys:
        told = await self._read(_CONFIGURATION, "application/json", _Configuration)
        answer = await self._read(_KEYS, _JWKS, _Keys)
        if not (told.issuer and answer.keys):
            raise KubeError(ErrorReason.REFUSED, f"GET {_KEYS}: it has no issuer, or no key")
        return ClusterKeys(told.issuer, json.encode(answer, order="sorted").decode())

    async def _read(self, where: str, accept: str, form: Any) -> Any:
        answer = await self._kube.request("GET", where, accept=accept, tries=2, seconds=_SECONDS)
        try:
            return msgspec.convert(answer, form)
        except msgspec.ValidationError as error:
            raise KubeError(ErrorReason.REFUSED, f"GET {where}: {error}") from None
