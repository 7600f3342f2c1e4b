"""Ports whose numbers somebody has changed, which no apply can restore. Pure.

Server-side apply identifies the ports of a Service, and of a container, by their numbers. A port
whose number somebody has changed counts as another port, which stays beside ours; and because both
have one name, the API server refuses them. So such a port is replaced first, by its place in the
list.
"""

from collections.abc import Iterator
from typing import Any, Final

from orders_operator.objects import Object

_PORTS: Final = "ports"
_NUMBERS: Final = ("port", "containerPort", "protocol")


def port_patch(wanted: Object, live: Object) -> list[Object]:
    """Return the JSON patch that restores what an apply cannot; empty if there is none.

    The API server accepts it only while the object is as it was read.
    """
    changes = [*_changes(wanted, live, "")]
    if not changes:
        return []
    version = live["metadata"]["resourceVersion"]
    return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *changes]


def _changes(wanted: Any, live: Any, path: str) -> Iterator[Object]:
    if isinstance(wanted, dict) and isinstance(live, dict):
        for name, value in wanted.items():
            if name == _PORTS and isinstance(value, list):
                yield from _moved(value, live.get(name), f"{path}/{name}")
            else:
                yield from _changes(value, live.get(name), f"{path}/{name}")
    elif isinstance(wanted, list) and isinstance(live, list):
        for item in wanted:
            yield from _in_list(item, live, path)


def _in_list(item: Any, live: list[Any], path: str) -> Iterator[Object]:
    """Compare an item with the live one of the same name, at whatever place that is."""
    name = item.get("name") if isinstance(item, dict) else None
    for place, port in enumerate(live):
        if name is not None and isinstance(port, dict) and port.get("name") == name:
            yield from _changes(item, port, f"{path}/{place}")


def _moved(wanted: list[Any], live: Any, path: str) -> Iterator[Object]:
    named = {port["name"]: port for port in wanted if isinstance(port, dict) and "name" in port}
    for place, port in enumerate(live or ()):
        ours = named.get(port.get("name"))
        if ours is not None and _numbers(ours) != _numbers(port):
            yield {"op": "replace", "path": f"{path}/{place}", "value": ours}


def _numbers(port: Object) -> tuple[Any, ...]:
    return tuple(port.get(name) for name in _NUMBERS)
