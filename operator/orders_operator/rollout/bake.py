"""After a rollout: the new revision serves alone, is judged on, and can be gone back from. Pure.

Nothing is left to compare it with, so its absolute bounds alone count. What is Inconclusive when
the time is over ends as unjudged: a service without callers must not wait for ever.
"""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, RolloutStatus
from orders_operator.rollout.failure import same, seen
from orders_operator.rollout.situation import BAKE, Plan, Situation, moment, stamp

_ASLEEP: Final = "Scaled to none: pods are judged once there are some."


def bakes(it: Situation, *, done: bool) -> bool:
    """Whether the wanted revision is judged after it was rolled out.

    Args:
        it: the situation.
        done: whether all pods are of it, and serve.

    """
    if judged_by(it.declared) is None or it.commands.promote == it.wanted:
        return False
    if _going(it):
        return it.stable is not None and it.stable.revision == it.wanted
    return done and it.pods > 0


def bake(it: Situation, stable: str, *, done: bool) -> Plan | AnalysisStatus | None:
    """Return a plan that goes on; at the end the window that could not say anything, or None."""
    going, now = _going(it), stamp(it.now)
    before = it.before
    settled = (before.settled_at if going else None) or now
    since = moment(settled) or it.now
    found = seen(it)
    if not going and found is not None:
        found = replace(found, passes=0)
    left = max(0.0, seconds(it.declared.bake) - (it.now - since).total_seconds())
    looked = found is not None and found.stage == BAKE
    if found is not None and looked and done and left == 0 and not _held(it, found):
        return None if found.passes else found
    said = f" {found.message}" if found is not None and looked else ""
    least = f"{it.declared.bake} from {settled}, and for at least one window"
    told = f"They are judged for {least}.{said}"
    return Plan(
        stable=it.wanted,
        stage=BAKE if it.pods else None,
        again=left or None,
        status=RolloutStatus(
            phase="Baking",
            revision=it.wanted,
            stable=stable,
            started_at=before.started_at or now,
            settled_at=settled if it.pods else None,
            analysis=found,
            message=f"All pods are new. {told if it.pods else _ASLEEP}",
        ),
    )


def _going(it: Situation) -> bool:
    return it.before.phase == "Baking" and same(it)


def _held(it: Situation, found: AnalysisStatus) -> bool:
    """Whether it may not end: a window failed, the next one decides; or there are no pods."""
    return found.verdict == "Failed" or it.pods == 0 or it.commands.pause == it.wanted
