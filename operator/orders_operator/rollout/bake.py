"""The bake after a rollout: the new revision serves alone, and may still be rolled back. Pure.

No other pods are left for a comparison, so only the absolute bounds count. A bake that is
Inconclusive at its end is over without a verdict: a service without callers must not wait for
ever.
"""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, RolloutStatus
from orders_operator.rollout.failure import last_window, same
from orders_operator.rollout.situation import BAKE, Plan, Situation, moment, stamp

_ASLEEP: Final = "Scaled to zero: pods are judged once there are some."


def bakes(situation: Situation, *, done: bool) -> bool:
    """Whether the wanted revision is judged after it was rolled out.

    Args:
        situation: the situation.
        done: whether all stable pods have the wanted revision and serve.

    """
    if judged_by(situation.declared) is None or situation.commands.promote == situation.wanted:
        return False
    if _going(situation):
        return situation.stable is not None and situation.stable.revision == situation.wanted
    return done and situation.pods > 0


def bake(situation: Situation, stable: str, *, done: bool) -> Plan | AnalysisStatus | None:
    """Return a plan while the bake goes on, and the outcome at its end.

    The outcome is the window that gave no verdict, or None if a window passed.
    """
    going, now = _going(situation), stamp(situation.now)
    before = situation.before
    settled = (before.settled_at if going else None) or now
    since = moment(settled) or situation.now
    window = last_window(situation)
    if not going and window is not None:
        window = replace(window, passes=0)
    left = max(0.0, seconds(situation.declared.bake) - (situation.now - since).total_seconds())
    looked = window is not None and window.stage == BAKE
    if window is not None and looked and done and left == 0 and not _held(situation, window):
        return None if window.passes else window
    said = f" {window.message}" if window is not None and looked else ""
    least = f"{situation.declared.bake} from {settled}, and for at least one window"
    told = f"They are judged for {least}.{said}"
    return Plan(
        stable=situation.wanted,
        stage=BAKE if situation.pods else None,
        again=left or None,
        status=RolloutStatus(
            phase="Baking",
            revision=situation.wanted,
            stable=stable,
            started_at=before.started_at or now,
            settled_at=settled if situation.pods else None,
            analysis=window,
            message=f"All pods are new. {told if situation.pods else _ASLEEP}",
        ),
    )


def _going(situation: Situation) -> bool:
    return situation.before.phase == "Baking" and same(situation)


def _held(situation: Situation, window: AnalysisStatus) -> bool:
    """Whether the bake may not end: a window failed, there are no pods, or a person paused it."""
    return (
        window.verdict == "Failed"
        or situation.pods == 0
        or situation.commands.pause == situation.wanted
    )
