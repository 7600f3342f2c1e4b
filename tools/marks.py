"""Pages of which a part is made from the code: what is between the marks of its name."""

import re
from collections.abc import Callable, Mapping


def fill(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its parts made anew; the rest of it is written by hand."""
    for name, make in parts.items():
        between = f"<!-- {name}: made by `make generate` -->\n\n{make()}\n<!-- end of {name} -->"
        pattern = f"<!-- {name}: .*?<!-- end of {name} -->"
        text = re.sub(pattern, between.replace("\\", r"\\"), text, flags=re.DOTALL)
    return text
