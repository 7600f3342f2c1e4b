"""The conditions Reconciling and Stalled, which tell tools whether waiting is worth it. Pure.

kstatus, with which Flux and Helm wait, reads these two before everything else: Stalled ends the
wait at once with a failure, Reconciling lets it continue. So Stalled is for what no waiting
repairs: an invalid spec, somebody else's object in the way, a revision that was given up. Whatever
may pass by itself is Reconciling, even a missing Secret, and so is what `spec.paused` holds back.
https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from collections.abc import Mapping
from typing import Final

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile.observed import ConditionState, Observed
from orders_operator.rollout.pods import Failure

_GIVEN_UP: Final = {"RolledBack": Reason.ROLLED_BACK, "Halted": Reason.HALTED}
"""The reason of Stalled, by the phase of the rollout."""
_NOT_STALLED: Final = ConditionState("False", Reason.AS_EXPECTED, "Nothing is stalled.")
_DONE: Final = ConditionState("False", Reason.ROLLED_OUT, "Everything is as the spec declares.")

PAUSED: Final = {
    ConditionType.RECONCILING: ConditionState("True", Reason.PAUSED, "spec.paused is true."),
    ConditionType.STALLED: _NOT_STALLED,
}
"""Both conditions while the resource is paused."""


def kstatus(
    observed: Observed, said: Mapping[ConditionType, ConditionState]
) -> dict[ConditionType, ConditionState]:
    """Return both conditions; `said` has the other conditions."""
    given_up = _given_up(observed)
    if given_up is None:
        return {
            ConditionType.RECONCILING: _reconciling(said),
            ConditionType.STALLED: _NOT_STALLED,
        }
    return {
        ConditionType.RECONCILING: ConditionState("False", given_up.reason, given_up.message),
        ConditionType.STALLED: ConditionState("True", given_up.reason, given_up.message),
    }


def _given_up(observed: Observed) -> Failure | None:
    """Return the failure that keeps the spec from taking effect until a person acts; else None."""
    if observed.invalid is not None:
        return Failure(Reason.INVALID_SPEC, observed.invalid)
    conflict = next(
        (failure for failure in observed.failures if failure.reason is Reason.NAME_CONFLICT), None
    )
    if conflict is not None:
        return conflict
    if observed.rollout is None or not observed.begun:  # it is about an earlier revision
        return None
    reason = _GIVEN_UP.get(observed.rollout.phase)
    return None if reason is None else Failure(reason, observed.message)


def _reconciling(said: Mapping[ConditionType, ConditionState]) -> ConditionState:
    """Return Reconciling: what is still to come, or that nothing is."""
    ready, progressing, degraded = (
        said[kind]
        for kind in (ConditionType.READY, ConditionType.PROGRESSING, ConditionType.DEGRADED)
    )
    for found, awaited in ((degraded, "True"), (progressing, "True"), (ready, "False")):
        if found.status == awaited:
            return ConditionState("True", found.reason, found.message)
    return _DONE
