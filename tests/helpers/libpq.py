"""libpq itself, the one of the PostgreSQL of the tests, as the judge of connection strings."""

import ctypes
from collections.abc import Iterator

from orders.embedded.programs import find_programs


class _Option(ctypes.Structure):
    _fields_ = (
        ("keyword", ctypes.c_char_p),
        ("envvar", ctypes.c_char_p),
        ("compiled", ctypes.c_char_p),
        ("val", ctypes.c_char_p),
        ("label", ctypes.c_char_p),
        ("dispchar", ctypes.c_char_p),
        ("dispsize", ctypes.c_int),
    )


_LIBRARY = ctypes.CDLL(str(next((find_programs().parent / "lib").glob("libpq.*[5-9]*"))))
_LIBRARY.PQconninfoParse.restype = ctypes.POINTER(_Option)
_LIBRARY.PQconninfoParse.argtypes = (ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p))
_LIBRARY.PQconndefaults.restype = ctypes.POINTER(_Option)


def parameters() -> dict[str, str]:
    """Return the parameters that this libpq knows, with the environment variable of each."""
    options = _options(_LIBRARY.PQconndefaults())
    return {option.keyword.decode(): (option.envvar or b"").decode() for option in options}


def parse(text: str) -> dict[str, str] | None:
    """Return what a connection string sets; None when it is refused."""
    found = _LIBRARY.PQconninfoParse(text.encode(), None)
    if not found:
        return None
    return {o.keyword.decode(): o.val.decode() for o in _options(found) if o.val}


def _options(found: "ctypes._Pointer[_Option]") -> Iterator[_Option]:
    number = 0
    while found[number].keyword is not None:
        yield found[number]
        number += 1
