"""What Reconciling and Stalled say, by which tools know whether waiting is worth it. Pure.

kstatus, with which Flux and Helm wait, reads these two before everything else: Stalled ends the
wait with a failure at once, Reconciling lets it go on. So Stalled is what no waiting mends: a spec
that is invalid, an object of somebody else's in the way, a revision that was given up. Whatever
may pass by itself, a missing Secret too, is Reconciling, and so is what `spec.paused` holds back.

https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from collections.abc import Mapping
from typing import Final

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile.observed import Observed, Problem, Verdict

_GIVEN_UP: Final = {"RolledBack": Reason.ROLLED_BACK, "Halted": Reason.HALTED}
"""The reason of Stalled, by the phase of the rollout."""
_NOT_STALLED: Final = Verdict("False", Reason.AS_EXPECTED, "Nothing has been given up.")
_DONE: Final = Verdict("False", Reason.ROLLED_OUT, "All that the spec asks for is done.")

PAUSED: Final = {
    ConditionType.RECONCILING: Verdict("True", Reason.PAUSED, "spec.paused is true."),
    ConditionType.STALLED: _NOT_STALLED,
}
"""What both say while the resource is left alone."""


def kstatus(seen: Observed, said: Mapping[ConditionType, Verdict]) -> dict[ConditionType, Verdict]:
    """Return what both say beside the other conditions, which are given."""
    given_up = _given_up(seen)
    if given_up is None:
        return {
            ConditionType.RECONCILING: _reconciling(said),
            ConditionType.STALLED: _NOT_STALLED,
        }
    return {
        ConditionType.RECONCILING: Verdict("False", given_up.reason, given_up.message),
        ConditionType.STALLED: Verdict("True", given_up.reason, given_up.message),
    }


def _given_up(seen: Observed) -> Problem | None:
    """Return what keeps the spec from being brought about until a person changes something."""
    if seen.invalid is not None:
        return Problem(Reason.INVALID_SPEC, seen.invalid)
    conflict = next((it for it in seen.problems if it.reason is Reason.NAME_CONFLICT), None)
    if conflict is not None:
        return conflict
    if seen.rollout is None or not seen.begun:  # what failed is not what the spec asks for
        return None
    reason = _GIVEN_UP.get(seen.rollout.phase)
    return None if reason is None else Problem(reason, seen.message)


def _reconciling(said: Mapping[ConditionType, Verdict]) -> Verdict:
    """Return what is still to come, or that nothing is."""
    ready, progressing, degraded = (
        said[kind]
        for kind in (ConditionType.READY, ConditionType.PROGRESSING, ConditionType.DEGRADED)
    )
    for found, awaited in ((degraded, "True"), (progressing, "True"), (ready, "False")):
        if found.status == awaited:
            return Verdict("True", found.reason, found.message)
    return _DONE
