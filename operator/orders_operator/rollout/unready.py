"""Which pods of a revision take no requests, and why, as far as their status says. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from orders_operator.objects import Object
from orders_operator.resources.pod import SERVICE
from orders_operator.rollout.pods import (
    condition,
    created,
    ending,
    ready,
    statuses,
    tail,
    unplaced,
)

_MOST: Final = 3
"""How many reasons are reported, and how many pods are named for each."""
_ALWAYS: Final = "Always"
_SILENT: Final = "no kubelet has reported on it yet"


def lacking(pods: Iterable[Object], answers: Mapping[str, str]) -> str | None:
    """Return the pods that take no requests, each with the reason; None if all take them.

    Args:
        pods: the pods of one revision.
        answers: the answers to `/readyz` of those that run, by their uid.

    """
    told: dict[str, list[str]] = {}
    for pod in sorted(pods, key=created):
        why = _why(pod, answers.get(pod["metadata"]["uid"]))
        if why is not None:
            told.setdefault(why, []).append(pod["metadata"]["name"])
    if not told:
        return None
    parts = [f"{_few(names)}: {why}" for why, names in [*told.items()][:_MOST]]
    return f"{'; '.join(parts)}."


def runs_unready(pod: Object) -> bool:
    """Whether the service runs in a pod but is not ready."""
    own = (
        status for status in statuses(pod, "containerStatuses") if status.get("name") == SERVICE
    )
    return any(_state(status, "running") is not None and not status.get("ready") for status in own)


def _why(pod: Object, answer: str | None) -> str | None:
    if ready(pod):
        return None
    waits = unplaced(pod)
    if waits is not None:
        return _one_line(
            waits.get("message") or waits.get("reason") or "no node has been found for it"
        )
    return _container(pod, answer) or _gate(pod) or _condition(pod) or _SILENT


def _container(pod: Object, answer: str | None) -> str | None:
    """Return the state of the first container that has not finished, or is not ready."""
    first = (pod.get("spec") or {}).get("initContainers") or ()
    sidecars = {
        container.get("name") for container in first if container.get("restartPolicy") == _ALWAYS
    }
    for status in statuses(pod, "initContainerStatuses"):
        name = f"init container {status.get('name')}"
        if status.get("name") in sidecars:
            if not status.get("started"):
                return _does(name, status)
        elif (_state(status, "terminated") or {}).get("exitCode") != 0:
            running = _state(status, "running") is not None
            return f"{name} is still running" if running else _does(name, status)
    for status in statuses(pod, "containerStatuses"):
        if not status.get("ready"):
            said = answer if status.get("name") == SERVICE else None
            return _does(f"container {status.get('name')}", status, said)
    return None


def _does(name: str, status: Object, answer: str | None = None) -> str:
    waiting, ended = _state(status, "waiting"), _state(status, "terminated")
    if waiting is not None:
        words = (waiting.get("reason"), waiting.get("message"))
        return _one_line(": ".join([f"{name} is waiting", *(str(word) for word in words if word)]))
    if ended is not None:
        return _one_line(f"{name} has ended: {ending(ended)}")
    what = (
        "is running but not ready"
        if status.get("started")
        else "is running but has not started up"
    )
    return f"{name} {what}{f', {answer}' if answer else ''}"


def _gate(pod: Object) -> str | None:
    """Return the first readiness gate that is not met, with its message."""
    for gate in (pod.get("spec") or {}).get("readinessGates") or ():
        kind = str(gate.get("conditionType"))
        met = condition(pod, kind)
        if met.get("status") != "True":
            said = met.get("message") or met.get("reason") or "it has not been met yet"
            return _one_line(f"its readiness gate {kind}: {said}")
    return None


def _condition(pod: Object) -> str | None:
    """Return the message of the condition Ready, which reports a lost node, for example."""
    readiness = condition(pod, "Ready")
    words = readiness.get("message") or readiness.get("reason")
    return _one_line(words) if words else None


def _state(status: Object, kind: str) -> Object | None:
    state: Object | None = (status.get("state") or {}).get(kind)
    return state


def _one_line(words: object) -> str:
    return " ".join(tail(str(words)).split()).rstrip(".")


def _few(names: list[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
