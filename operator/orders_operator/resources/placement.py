"""Which revision runs where: what a rollout decides, and the children are made of."""

from collections.abc import Sequence

from msgspec import Struct

from orders_operator.resources.revision import Revision


class Running(Struct, frozen=True):
    """A revision with what its pods read.

    Args:
        revision: what the pods are made of.
        content: a hash of all that they read of Secrets and ConfigMaps.
        copied: the data of the revision's copy of ConfigMaps; None to leave it as it is.

    """

    revision: Revision
    content: str = ""
    copied: dict[str, str] | None = None


class Placement(Struct, frozen=True):
    """The revision of the stable pods, and that of the canary's if there are any.

    Args:
        stable: what all pods run but the canary's.
        canary: what the canary pods run; None when there are none.
        canary_pods: how many they are.
        history: the revisions that are kept with their numbers, these two among them.

    """

    stable: Running
    canary: Running | None = None
    canary_pods: int = 0
    history: Sequence[tuple[Revision, int]] = ()

    @property
    def tracks(self) -> tuple[Running, ...]:
        """Return what runs."""
        return (self.stable,) if self.canary is None else (self.stable, self.canary)
