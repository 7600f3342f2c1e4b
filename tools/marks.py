"""Pages with parts that are made from the code, between marks with the part's name."""

import re
from collections.abc import Callable, Mapping


def fill(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its parts made anew; the rest is written by hand."""
    for name, make in parts.items():
        between = f"<!-- {name}: made by `make generate` -->\n\n{make()}\n<!-- end of {name} -->"
        pattern = f"<!-- {name}: .*?<!-- end of {name} -->"
        text = re.sub(pattern, between.replace("\\", r"\\"), text, flags=re.DOTALL)
    return text
