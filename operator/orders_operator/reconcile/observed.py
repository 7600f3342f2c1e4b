"""What a reconcile found out: everything that the status is made of, and nothing else."""

from typing import Any

from msgspec import Struct

from orders_operator.api.conditions import Reason

Object = dict[str, Any]


class Problem(Struct, frozen=True):
    """Something that kept a reconcile from doing all."""

    reason: Reason
    message: str


class Observed(Struct, frozen=True, kw_only=True):
    """One look at an OrderService and its children.

    `problems` are in the order of their weight. `pods` are those of the Deployment's newest
    revision. `absent` are the optional APIs that the spec asks for and the cluster has not.
    """

    generation: int
    paused: bool = False
    invalid: str | None = None
    problems: tuple[Problem, ...] = ()
    deployment: Object | None = None
    pods: tuple[Object, ...] = ()
    absent: tuple[str, ...] = ()
    monitoring: bool = True
    migrations: bool = True
    image: str = ""
    url: str = ""
    selector: str = ""
    secrets_hash: str = ""
