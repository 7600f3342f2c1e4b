"""What a window measured: the difference of the readings at its two ends. Pure.

A measurement needs the same processes at both ends. All pods of a canary must have them: the one
that cannot be read, or that was added or replaced, may be the bad one. Half of the other pods are
enough, because an autoscaler adds and removes some all the time.
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
        stage: the part of the rollout; another stage begins another window.
        judged: the pods that are judged.
        beside: those that they are compared with.
        fixed: whether the judged pods are a canary's, so that none may be added or removed.

    """

    revision: str
    stage: str
    judged: Sequence[Object]
    beside: Sequence[Object] = ()
    fixed: bool = True

    @property
    def mark(self) -> tuple[str, str]:
        """Return the identity of a window: its revision and stage."""
        return self.revision, self.stage

    @property
    def pods(self) -> list[Object]:
        """Return the judged pods and those beside them."""
        return [*self.judged, *self.beside]


class Readings(Struct, frozen=True):
    """The readings of pods, by their uid.

    Args:
        good: the readings of the pods that could be read.
        bad: why the others could not be read.
        now: Prometheus' own time in seconds since 1970; None if the pods were read.

    """

    good: Mapping[str, Reading] = {}
    bad: Mapping[str, str] = {}
    now: float | None = None


class Ends(Struct, frozen=True):
    """The pods at the start of a window, names by uid, and their readings."""

    judged: Mapping[str, str]
    beside: Mapping[str, str]
    readings: Mapping[str, Reading]


class Unmeasured(Struct, frozen=True):
    """Why a window measured nothing, and whether it may continue until it does."""

    why: str
    goes_on: bool = False


class Added(Struct, frozen=True):
    """What each pod counted in a window, by its uid."""

    judged: Mapping[str, Counts]
    beside: Mapping[str, Counts]


def begin(
    compared: Compared, readings_now: Readings, since: float | None = None
) -> Ends | Unmeasured:
    """Return the first end of a window.

    Args:
        compared: the pods.
        readings_now: their present readings.
        since: Prometheus' time, before which scrapes do not count.

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
    """Whether Prometheus has scraped every pod since a time."""
    uids = (pod["metadata"]["uid"] for pod in compared.pods)
    return all(uid in readings_now.good and _fresh(readings_now.good[uid], since) for uid in uids)


def measure(began: Ends, compared: Compared, readings_now: Readings) -> Added | Unmeasured:
    """Return what was counted between two ends, or why that is unknown."""
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
    """Return the first end of a window that continues, including the pods added since."""
    uids = {pod["metadata"]["uid"] for pod in compared.pods}
    kept = {uid: reading for uid, reading in readings_now.good.items() if uid in uids}
    for uid, reading in began.readings.items():
        if uid in kept and kept[uid].since(reading) is not None:
            kept[uid] = reading
    return Ends(_names(compared.judged), _compared(compared, kept), kept)


def _judged(
    began: Ends, compared: Compared, readings_now: Readings
) -> Mapping[str, Counts] | Unmeasured:
    """Return what each judged pod counted: of a canary every pod, else those of both ends."""
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
    """Return an error if judged pods were added or removed: any of a canary, else over half.

    Pods that were added to a service are judged from the next window on.
    """
    gone = [name for uid, name in began.judged.items() if uid not in now]
    if gone and (compared.fixed or 2 * len(gone) > len(began.judged)):
        return Unmeasured(f"Deleted or replaced during the window: {', '.join(sorted(gone))}.")
    came = [name for uid, name in now.items() if uid not in began.readings]
    if came and compared.fixed:
        return Unmeasured(f"Added during the window: {', '.join(sorted(came))}.")
    return None


def _compared(compared: Compared, readings: Mapping[str, Reading]) -> dict[str, str]:
    """Return the pods to compare with, of which half must remain; one that starts does not count.

    A pod that is not ready but can be read does count: what keeps it from being ready may affect
    all.
    """
    beside = compared.beside
    return _names(pod for pod in beside if pod["metadata"]["uid"] in readings or ready(pod))


def _fresh(reading: Reading, since: float | None) -> bool:
    """Whether a reading is newer than a time; one that comes from the pod itself always is."""
    return since is None or reading.scraped is None or reading.scraped > since


def _names(pods: Iterable[Object]) -> dict[str, str]:
    return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods}


def _unread(name: str, why: str | None) -> str:
    return f"The metrics of {name} cannot be read: {why or 'nothing has asked for them yet'}."


def _stale(name: str) -> str:
    return f"Prometheus has no new data for {name}: the pod has not been scraped since."
