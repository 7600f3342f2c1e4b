"""The API: every module here is imported, and each function that `@endpoint` declares is served.

A new endpoint is one function in a file of its own beside `orders.py`; nothing else lists it. The
order is that of the modules' names, and within one that of its functions.
"""

import pkgutil
from importlib import import_module
from typing import Final

from orders.http.endpoint import DeclarationError, Endpoint


def _declared() -> tuple[Endpoint, ...]:
    """Return what the modules declare.

    Raises:
        DeclarationError: two of them are the same operation.

    """
    found: dict[tuple[str, str], Endpoint] = {}
    names: set[str] = set()
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        name = f"{__name__}.{module.name}"
        for declared in vars(import_module(name)).values():
            if not isinstance(declared, Endpoint) or declared.call.__module__ != name:
                continue
            operation = declared.method, declared.path
            if operation in found or declared.name in names:
                raise DeclarationError(
                    f"{module.name}.{declared.name}: {' '.join(operation)}, or its name, is"
                    " declared twice"
                )
            found[operation] = declared
            names.add(declared.name)
    return tuple(found.values())


ENDPOINTS: Final = _declared()
"""Every operation of the API."""
