"""Which OrderServices name which Secrets and ConfigMaps, in their specs, revisions and pods."""

from collections.abc import Iterable

from orders_operator.objects import Key
from orders_operator.resources.references import Reference


class Index:
    """Finds the OrderServices that a change of a Secret or ConfigMap concerns.

    Any thread may read it; only one changes it.
    """

    def __init__(self) -> None:
        self._named: dict[Key, frozenset[Reference]] = {}
        self._namers: dict[tuple[str, Reference], frozenset[Key]] = {}

    def set(self, key: Key, references: Iterable[Reference]) -> None:
        """Replace the references of an OrderService."""
        new = frozenset(references)
        old = self._named.get(key, frozenset())
        for gone in old - new:
            left = self._namers[key[0], gone] - {key}
            if left:
                self._namers[key[0], gone] = left
            else:
                del self._namers[key[0], gone]
        for added in new - old:
            self._namers[key[0], added] = self.namers(key[0], added) | {key}
        if new:
            self._named[key] = new
        else:
            self._named.pop(key, None)

    def drop(self, key: Key) -> None:
        """Forget an OrderService."""
        self.set(key, ())

    def namers(self, namespace: str, reference: Reference) -> frozenset[Key]:
        """Return the OrderServices that name an object."""
        return self._namers.get((namespace, reference), frozenset())
