"""What is declared of a setting."""

from typing import Any, Final

from msgspec import Struct

from orders.config.parse import Parser

TEXT: Final = "text without control characters"
"""What `parse.text` allows."""


class Setting(Struct, frozen=True):
    """One setting and the variables it is read from.

    `names` are tried in order. A secret may also be given as the path of a file, in `<NAME>_FILE`.
    """

    field: str
    names: tuple[str, ...]
    parse: Parser
    default: Any
    allowed: str
    about: str
    group: str
    unit: str = ""
    secret: bool = False
