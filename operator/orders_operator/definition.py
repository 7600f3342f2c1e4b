"""The CustomResourceDefinition in a cluster: printed, applied, deleted.

The chart's hooks call this, because Helm never updates the CRDs of a chart in an upgrade. A schema
only grows, and an older release works with a newer schema, so a definition that a newer release
has applied stays as it is: a downgrade is possible, and no field is lost.
"""

import asyncio
import logging
import re
from typing import Any, Final

from orders_operator.api.crd import definition, manifest
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import Kube

MANAGER: Final = "helm"
"""Helm 4 applies CRDs at each install: fields of another manager would conflict."""
ESTABLISHED_SECONDS: Final = 60.0
_API_VERSION: Final = "apiextensions.k8s.io/v1"
_PLURAL: Final = "customresourcedefinitions"
_PAUSE_SECONDS: Final = 0.5

log = logging.getLogger("orders_operator.definition")


def printed() -> str:
    """Return the definition as YAML."""
    return manifest()


def apply() -> int:
    """Apply the definition and wait until it is served; return the exit status."""
    return asyncio.run(_with_kube(_apply))


def delete() -> int:
    """Delete the definition, and with it every OrderService; return the exit status."""
    return asyncio.run(_with_kube(_delete))


async def _with_kube(work: Any) -> int:
    try:
        kube = Kube.connect()
        try:
            async with asyncio.timeout(ESTABLISHED_SECONDS):
                await work(kube, definition())
        finally:
            await kube.close()
    except KubeError as error:
        log.error("%s", error)  # noqa: TRY400  the message says everything
        return 1
    except TimeoutError:
        log.error("the definition is not served after %g s", ESTABLISHED_SECONDS)  # noqa: TRY400
        return 1
    return 0


async def _apply(kube: Kube, wanted: dict[str, Any]) -> None:
    """Apply the definition until it is served; if it is being deleted, wait and create it anew."""
    name = wanted["metadata"]["name"]
    applied = False
    while True:
        live = await kube.get(_API_VERSION, _PLURAL, None, name)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            applied = False
        elif live is None or not applied:
            await _apply_over(kube, live, wanted)
            applied = True
            continue
        elif _established(live):
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    log.info("%s is served", name)


async def _apply_over(kube: Kube, live: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    """Apply the definition, unless the live one comes from a newer release."""
    newer = None if live is None else newer_release(live, wanted)
    if newer is None:
        await kube.apply(_PLURAL, wanted, manager=MANAGER)
    else:
        name = wanted["metadata"]["name"]
        log.info("%s comes from the newer release %s and stays as it is", name, newer)


async def _delete(kube: Kube, wanted: dict[str, Any]) -> None:
    name = wanted["metadata"]["name"]
    live = await kube.get(_API_VERSION, _PLURAL, None, name)
    if live is not None:
        await kube.delete(_API_VERSION, _PLURAL, None, name, live["metadata"]["uid"])
    log.info("%s is deleted", name)


def newer_release(live: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """Return a definition's release if it is newer than the wanted one's, else None."""
    release = _release(live)
    return release if _order(release) > _order(_release(wanted)) else None


def _release(crd: dict[str, Any]) -> str:
    labels = crd["metadata"].get("labels") or {}
    return str(labels.get("app.kubernetes.io/version") or "")


def _order(release: str) -> tuple[Any, ...]:
    """Return the sort key of a release by Semantic Versioning; empty for anything else.

    1.2.3-rc.2 comes before 1.2.3-rc.10, and that before 1.2.3.
    """
    match = re.match(r"([0-9]+(?:\.[0-9]+)*)(?:-([0-9A-Za-z.-]+))?", release)
    if match is None:
        return ()
    numbers = tuple(int(part) for part in match[1].split("."))
    before = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in (match[2] or "").split(".")
    )
    return numbers, match[2] is None, before


def _established(live: dict[str, Any]) -> bool:
    conditions = (live.get("status") or {}).get("conditions") or []
    return any(
        condition["type"] == "Established" and condition["status"] == "True"
        for condition in conditions
    )
