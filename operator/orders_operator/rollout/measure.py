"""What a window measured: the difference of the readings at its two ends. Pure.

Only what was counted by the same processes at both ends is a measurement. Of a canary's pods all
have to be: the one that cannot be read, that came or was replaced, may be the bad one. Of the
others half are enough, for an autoscaler has some come and go all the time.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from orders_operator.objects import Object
from orders_operator.rollout.pods import ready
from orders_operator.rollout.windows import Counts, Reading


class Compared(Struct, frozen=True):
    """The pods of a window.

    Args:
        revision: the one that is judged.
        stage: the part of the rollout that they are in; another one begins another window.
        judged: the pods that are judged.
        beside: those that they are compared with.
        fixed: whether the judged ones are a canary's, of which none may come or go.

    """

    revision: str
    stage: str
    judged: Sequence[Object]
    beside: Sequence[Object] = ()
    fixed: bool = True

    @property
    def mark(self) -> tuple[str, str]:
        """Return what is the same in all of one window."""
        return self.revision, self.stage

    @property
    def pods(self) -> list[Object]:
        """Return all of them."""
        return [*self.judged, *self.beside]


class Readings(Struct, frozen=True):
    """What pods have counted, by their uid.

    Args:
        good: of those that could be read.
        bad: why the others could not, by their uid too.
        now: the time of the Prometheus that was asked; None if the pods were.

    """

    good: Mapping[str, Reading] = {}
    bad: Mapping[str, str] = {}
    now: float | None = None


class Ends(Struct, frozen=True):
    """The pods that a window began with, by uid: the names of both kinds, and their readings."""

    judged: Mapping[str, str]
    beside: Mapping[str, str]
    readings: Mapping[str, Reading]


class Unmeasured(Struct, frozen=True):
    """Why a window says nothing, and whether it may go on until it says something."""

    why: str
    goes_on: bool = False


class Added(Struct, frozen=True):
    """What was counted in a window, by the uid of the pod."""

    judged: Mapping[str, Counts]
    beside: Mapping[str, Counts]


def begin(
    compared: Compared, readings_now: Readings, since: float | None = None
) -> Ends | Unmeasured:
    """Return the first end of a window.

    Args:
        compared: the pods.
        readings_now: what they have counted.
        since: the time of the Prometheus before which nothing counts.

    """
    if not compared.judged:
        return Unmeasured("The new revision has no pod to judge.")
    for pod in compared.judged:
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        if uid not in readings_now.good:
            return Unmeasured(_unread(name, readings_now.bad.get(uid)), goes_on=True)
        if not _fresh(readings_now.good[uid], since):
            return Unmeasured(_stale(name), goes_on=True)
    readings = {
        uid: reading for uid, reading in readings_now.good.items() if _fresh(reading, since)
    }
    return Ends(_names(compared.judged), _compared(compared, readings), readings)


def settled(compared: Compared, readings_now: Readings, since: float | None) -> bool:
    """Whether a Prometheus has read all pods since a time."""
    uids = (pod["metadata"]["uid"] for pod in compared.pods)
    return all(uid in readings_now.good and _fresh(readings_now.good[uid], since) for uid in uids)


def measure(began: Ends, compared: Compared, readings_now: Readings) -> Added | Unmeasured:
    """Return what was counted between two ends, or why that is not known."""
    judged = _judged(began, compared, readings_now)
    if isinstance(judged, Unmeasured):
        return judged
    now = _names(compared.beside)
    beside = {
        uid: added
        for uid in began.beside
        if uid in began.readings and uid in readings_now.good and uid in now
        if (added := readings_now.good[uid].since(began.readings[uid])) is not None
    }
    if 2 * len(beside) < len(began.beside):
        return Unmeasured(
            f"{len(beside)} of {len(began.beside)} stable pods could be read at both ends of the"
            " window; a comparison needs at least half of them."
        )
    return Added(judged, beside)


def go_on(began: Ends, compared: Compared, readings_now: Readings) -> Ends:
    """Return the first end of a window that goes on, with the pods that came since."""
    uids = {pod["metadata"]["uid"] for pod in compared.pods}
    kept = {uid: reading for uid, reading in readings_now.good.items() if uid in uids}
    for uid, reading in began.readings.items():
        if uid in kept and kept[uid].since(reading) is not None:
            kept[uid] = reading
    return Ends(_names(compared.judged), _compared(compared, kept), kept)


def _judged(
    began: Ends, compared: Compared, readings_now: Readings
) -> Mapping[str, Counts] | Unmeasured:
    """Return what the judged pods counted; of a canary's each one."""
    now = _names(compared.judged)
    unread = next((uid for uid in now if uid not in readings_now.good), None)
    if unread is not None:
        return Unmeasured(_unread(now[unread], readings_now.bad.get(unread)), goes_on=True)
    changed = _changed(began, compared, now)
    if changed is not None:
        return changed
    judged = {}
    for uid in now.keys() & began.readings.keys():
        before, after = began.readings[uid], readings_now.good[uid]
        if not _fresh(after, before.scraped):
            return Unmeasured(_stale(now[uid]), goes_on=True)
        added = after.since(before)
        if added is None:
            return Unmeasured(
                f"{now[uid]} restarted its counters: its process started during the window."
            )
        judged[uid] = added
    if not judged:
        return Unmeasured("No pod of the new revision lasted through the whole window.")
    return judged


def _changed(began: Ends, compared: Compared, now: Mapping[str, str]) -> Unmeasured | None:
    """Return that judged pods came or went: of a canary's any, of all of a service more than half.

    Those that came to a service are judged from the next window on.
    """
    gone = [name for uid, name in began.judged.items() if uid not in now]
    if gone and (compared.fixed or 2 * len(gone) > len(began.judged)):
        return Unmeasured(f"Deleted or replaced during the window: {', '.join(sorted(gone))}.")
    came = [name for uid, name in now.items() if uid not in began.readings]
    if came and compared.fixed:
        return Unmeasured(f"Added during the window: {', '.join(sorted(came))}.")
    return None


def _compared(compared: Compared, readings: Mapping[str, Reading]) -> dict[str, str]:
    """Return the pods to compare with, of which half must remain: one that starts is none yet.

    One that is not ready and can be read is: what keeps it from being ready, all may suffer.
    """
    beside = compared.beside
    return _names(pod for pod in beside if pod["metadata"]["uid"] in readings or ready(pod))


def _fresh(reading: Reading, since: float | None) -> bool:
    """Whether a Prometheus has read a pod after a time; a pod that was asked itself is fresh."""
    return since is None or reading.scraped is None or reading.scraped > since


def _names(pods: Iterable[Object]) -> dict[str, str]:
    return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods}


def _unread(name: str, why: str | None) -> str:
    return f"The metrics of {name} cannot be read: {why or 'nothing has asked for them yet'}."


def _stale(name: str) -> str:
    return f"Prometheus has no new data for {name}: the pod has not been scraped since."
