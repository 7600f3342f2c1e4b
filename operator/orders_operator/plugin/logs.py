"""The logs of all pods of an OrderService, merged.

Earlier lines are sorted by time; new lines are passed on as they arrive, because nobody knows what
another pod is about to write. Pods that start later are followed too, and a container that
restarts continues where it ended.
"""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import Kube, path
from orders_operator.objects import Object
from orders_operator.plugin.format import short_pod
from orders_operator.plugin.lines import Line, document, readable
from orders_operator.plugin.snapshot import pods, service
from orders_operator.plugin.terminal import console
from orders_operator.resources.labels import TRACK
from orders_operator.resources.pod import SERVICE
from orders_operator.rollout.pods import MIGRATE
from orders_operator.rollout.situation import moment
from orders_operator.tasks import together

Key = tuple[str, str, int]
"""A pod's name, the name of one of its containers, and that container's number of restarts."""

SECONDS: Final = 1.0
"""The seconds between two checks for new pods."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_GONE: Final = frozenset({ErrorReason.NOT_FOUND, ErrorReason.INVALID})
"""The errors for a pod that is gone, or a container that has not started."""


class Logs:
    """One run of `kubectl orders logs`."""

    def __init__(
        self,
        kube: Kube,
        namespace: str,
        name: str,
        write: Callable[[Line], None],
        track: str | None = None,
    ) -> None:
        """Read the pods of an OrderService, or those of a track: `stable` or `canary`."""
        self._kube = kube
        self._namespace = namespace
        self._name = name
        self._write = write
        self._track = track
        self._last: dict[Key, datetime] = {}

    async def history(self, tail: int) -> int:
        """Write the last lines of each pod, in order of time; return how many pods were read."""
        await service(self._kube, self._namespace, self._name)
        listed = await self._pods()
        read = await together(*(self._past(key, tail) for key in _keys(listed)))
        for line in sorted(itertools.chain(*read), key=lambda line: line.at):
            self._write(line)
        return len(listed)

    async def follow(self) -> None:
        """Write new lines until cancelled."""
        streams: dict[Key, asyncio.Task[None]] = {}
        try:
            while True:
                for ended in [key for key, task in streams.items() if task.done()]:
                    streams.pop(ended).result()
                for key, running in (await self._running()).items():
                    if key not in streams and (running or key not in self._last):
                        streams[key] = asyncio.create_task(self._stream(key))
                await asyncio.sleep(SECONDS)
        finally:
            for task in streams.values():
                task.cancel()
            await asyncio.gather(*streams.values(), return_exceptions=True)

    async def _running(self) -> dict[Key, bool]:
        try:
            return _keys(await self._pods())
        except KubeError as error:
            if error.reason is not ErrorReason.UNAVAILABLE:
                raise
            return {}

    async def _pods(self) -> list[Object]:
        found = await pods(self._kube, self._namespace, self._name)
        if self._track is None:
            return found
        return [pod for pod in found if pod["metadata"]["labels"].get(TRACK) == self._track]

    async def _past(self, key: Key, tail: int) -> list[Line]:
        """Read the existing lines; a pod that is deleted meanwhile has none."""
        try:
            return [line async for line in self._read(key, tailLines=str(tail))]
        except KubeError as error:
            if error.reason not in _GONE:
                raise
            return []

    async def _stream(self, key: Key) -> None:
        since = self._last.get(key)
        given = {} if since is None else {"sinceTime": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        try:
            async for line in self._read(key, follow="true", **given):
                self._write(line)
        except KubeError as error:
            if error.reason not in {*_GONE, ErrorReason.UNAVAILABLE}:
                raise

    async def _read(self, key: Key, **params: str) -> AsyncIterator[Line]:
        """Yield lines that were not read before; the server only takes whole seconds."""
        pod, container, _ = key
        url = path("v1", "pods", self._namespace, pod, "log")
        given = {"container": container, "timestamps": "true", **params}
        before = self._last.get(key, _BEGINNING)
        async for raw in self._kube.lines(url, given):
            stamp, _, content = raw.partition(b" ")
            at = moment(stamp.decode(errors="replace"))
            if at is None or at <= before:
                continue
            self._last[key] = at
            yield Line(pod, at, content)


def writer(name: str, *, as_json: bool) -> Callable[[Line], None]:
    """Return a function that writes lines of an OrderService's pods to stdout."""
    out = console()

    def write(line: Line) -> None:
        if as_json:
            sys.stdout.write(document(line).decode() + "\n")
        else:
            text = readable(line, short_pod(line.pod, name))
            if out.is_terminal:
                out.print(text, soft_wrap=True)
                return
            sys.stdout.write(f"{text.plain}\n")
        sys.stdout.flush()

    return write


def _keys(listed: Iterable[Object]) -> dict[Key, bool]:
    """Return the container of each pod whose log tells most, and whether it runs.

    That is the service, or the migration before it; containers that have not started are left out.
    """
    found = {}
    for pod in listed:
        status = pod.get("status") or {}
        containers = [
            *(
                container
                for container in status.get("containerStatuses") or ()
                if container["name"] == SERVICE
            ),
            *(
                container
                for container in status.get("initContainerStatuses") or ()
                if container["name"] == MIGRATE
            ),
        ]
        for container in containers:
            state = container.get("state") or {}
            if state.keys() & {"running", "terminated"} or container.get("lastState"):
                key = (
                    pod["metadata"]["name"],
                    container["name"],
                    int(container.get("restartCount") or 0),
                )
                found[key] = "running" in state
                break
    return found
