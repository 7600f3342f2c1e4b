"""Which revision runs on which track: decided by a rollout's plan, used to make children."""

from collections.abc import Sequence

from msgspec import Struct

from orders_operator.resources.revision import Revision


class Running(Struct, frozen=True):
    """A revision with what its pods read.

    Args:
        revision: the revision from which the pods are made.
        content: a hash of all that they read from Secrets and ConfigMaps.
        copied: the data of the revision's copy of ConfigMaps; None to leave it as it is.

    """

    revision: Revision
    content: str = ""
    copied: dict[str, str] | None = None


class Placement(Struct, frozen=True):
    """The revisions of the stable pods and of the canary's, if there are any.

    Args:
        stable: what all pods but the canary's run.
        canary: what the canary's pods run; None if there are none.
        canary_pods: how many they are.
        history: the kept revisions with their numbers, including these two.

    """

    stable: Running
    canary: Running | None = None
    canary_pods: int = 0
    history: Sequence[tuple[Revision, int]] = ()

    @property
    def tracks(self) -> tuple[Running, ...]:
        """Return the revisions that run, the stable one first."""
        return (self.stable,) if self.canary is None else (self.stable, self.canary)
