"""Checks that the licences of the images' content allow its distribution; `make check` runs it.

The licence in the metadata of each distribution that the service or the operator needs must be one
of ALLOWED. Distributions for development only are in no image, and are not checked.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS: Final = ("orders-common", "orders-service", "orders-operator")
ALLOWED: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0",
        "MPL-2.0",  # for files that are distributed unchanged
        "PSF-2.0",
    }
)  # fmt: skip
UNNAMED: Final = {
    "psqlpy": "MIT",  # LICENSE of its repository; the wheel's metadata name none
}
_PREFIX: Final = "License :: OSI Approved :: "
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_TEXTS: Final = {"3-Clause BSD License": "BSD-3-Clause", "MIT License": "MIT"}
"""Licences by the first line in the older metadata field."""


def needed(names: tuple[str, ...] = OURS) -> list[Distribution]:
    """Return the distributions that the named ones need here, without these, by name."""
    by_name: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        by_name[name] = distribution(name)
        for requirement in map(Requirement, by_name[name].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                other = canonicalize_name(requirement.name)
                waiting += [(other, more) for more in ("", *requirement.extras)]
    return [by_name[name] for name in sorted(by_name.keys() - set(names))]


def licence(package: Distribution) -> str | None:
    """Return the licence in the metadata as an SPDX expression; None if they name none."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [
        classifier.removeprefix(_PREFIX)
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith(_PREFIX)
    ]
    if classifiers:
        return " OR ".join(_CLASSIFIERS.get(classifier, classifier) for classifier in classifiers)
    text = metadata["License"].strip() if "License" in metadata else ""
    if text:
        first = text.splitlines()[0].strip()
        return _TEXTS.get(first, first)
    return UNNAMED.get(canonicalize_name(package.name))


def allowed(expression: str) -> bool:
    """Whether an expression without parentheses allows a choice from ALLOWED."""
    return any(
        all(part.strip() in ALLOWED for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def complaints() -> Iterator[str]:
    """Yield a line for each distribution whose licence is not allowed."""
    for package in needed():
        said = licence(package)
        if said is None or not allowed(said):
            terms, names = said or "no licence", ", ".join(sorted(ALLOWED))
            yield f"{package.name} {package.version} has {terms}; allowed: {names}"


def main() -> int:
    """Print the complaints; return the exit status."""
    wrong = list(complaints())
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
