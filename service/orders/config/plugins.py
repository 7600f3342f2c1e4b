"""Imports the code that a variable names: plugins, and the faults of the tests.

What a module raises itself while it is imported passes, so that its author sees the traceback; a
name that leads to nothing is a ValueError, as of any other value.
"""

import importlib.util
from collections.abc import Callable
from typing import Any, Final

GROUP: Final = "orders.plugins"
"""The entry points that may be named as plugins."""


def plugins(value: str) -> tuple[Callable[[Any], None], ...]:
    """Import functions, each `module:function` or the name of an entry point of `GROUP`."""
    return tuple(_plugin(name.strip()) for name in value.split(","))


def _plugin(name: str) -> Callable[[Any], None]:
    """Import one; what its module raises itself passes."""
    module, colon, function = name.partition(":")
    try:
        if not colon:
            from importlib.metadata import entry_points  # noqa: PLC0415  only who names one pays

            module, _, function = entry_points(group=GROUP)[name].value.partition(":")
        found = importlib.util.find_spec(module)
    except (KeyError, ModuleNotFoundError, ValueError):
        found = None
    plugin: Any = getattr(importlib.import_module(module), function, None) if found else None
    if not callable(plugin):
        raise ValueError(name)  # noqa: TRY004  of a text that is not allowed
    return plugin  # type: ignore[no-any-return]  # called with Hooks


def faults(value: str) -> Any:
    """Return what the tests' module `orders_faults` makes of it; no release has that module."""
    try:
        injector = importlib.import_module("orders_faults")
    except ModuleNotFoundError:
        raise ValueError(value) from None
    return injector.parse(value)
