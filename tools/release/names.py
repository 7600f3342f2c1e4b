"""A release's names, and every file that repeats them: `python -m tools.release.names MODE`.

`VERSION` has the version of everything that is released. `REGISTRY` has where its images and its
chart are: a registry and an organisation, such as `registry.example/shop`, below which the images
are `service` and `operator`, and the chart is `charts/orders`. In a checkout it is `orders`, as
its images are built, not pulled. `write` puts both into the files that users read and install,
and `check` says which differ. `write REGISTRY` is a release's: it takes another registry first,
and README then installs from there. Otherwise README stays with the release that it names.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tools.release.install import install, kept

ROOT: Final = Path(__file__).parents[2]
NUMBER: Final = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?"
"""A version by SemVer, which charts require."""
_PLACE: Final = r"[a-z0-9](?:[a-z0-9._/-]|:\d+/)*"
_IMAGE: Final = re.compile(
    rf"(?<![\w./:-]){_PLACE}/(?P<name>service|operator)(?P<tag>:{NUMBER})(?![\w.@-])"
)


class Names(NamedTuple):
    """The version and the registry of a release."""

    version: str
    registry: str

    def image(self, name: str) -> str:
        """Return the reference of an image, `service` or `operator`."""
        return f"{self.registry}/{name}:{self.version}"


class _Place(NamedTuple):
    """Files, by a pattern below the root, and the text to replace in each of their lines."""

    files: str
    pattern: re.Pattern[str]
    text: str


def _version_after(start: str) -> re.Pattern[str]:
    return re.compile(rf'^(?P<start>{start})"?{NUMBER}(?P<end>"?)$', re.MULTILINE)


_PLACES: Final = (
    *(
        _Place(
            f"{package}/__init__.py", _version_after('__version__ = (?=")'), '{start}"{version}"'
        )
        for package in ("common/orders_common", "service/orders", "operator/orders_operator")
    ),
    _Place(
        "*/pyproject.toml",
        re.compile(rf'(?P<start>"orders-common==){NUMBER}(?P<end>")'),
        "{start}{version}{end}",
    ),
    _Place("*/Dockerfile", _version_after("ARG VERSION="), "{start}{version}"),
    _Place(
        "charts/orders/Chart.yaml", _version_after("(?:version|appVersion): "), "{start}{version}"
    ),
    _Place(
        "charts/orders/values.yaml",
        re.compile(
            rf"^(?P<start> +repository: ){_PLACE}/(?P<name>service|operator)$", re.MULTILINE
        ),
        "{start}{registry}/{name}",
    ),
    _Place(
        "README.md",
        re.compile(
            r"(?P<start><!-- install: .*? -->\n).*?(?P<end><!-- end of install -->)", re.DOTALL
        ),
        "{start}{install}{end}",
    ),
    _Place(
        "docs/migrations.md",
        re.compile(rf'(?P<start>\{{"version": "){NUMBER}(?P<end>", "schema")'),
        "{start}{version}{end}",
    ),
    *(
        _Place(files, _IMAGE, "{registry}/{name}:{version}")
        for files in (
            "charts/orders/Chart.yaml",
            "charts/orders/tests/**/*.yaml",
            "docs/kubernetes.md",
            "k8s/samples/*.yaml",
            "chaos/images/*/Dockerfile",
            "tests/e2e/images/*/Dockerfile",
        )
    ),
)


def names(root: Path = ROOT) -> Names:
    """Read VERSION and REGISTRY.

    Raises:
        ValueError: one has invalid content.

    """
    version, registry = (
        (root / file).read_text(encoding="utf-8").strip() for file in ("VERSION", "REGISTRY")
    )
    if not re.fullmatch(NUMBER, version):
        raise ValueError(
            f"VERSION is {version!r}; it must be a version such as 1.2.3 or 1.2.3-rc.1"
        )
    if not re.fullmatch(_PLACE, registry) or registry.endswith("/"):
        raise ValueError(
            f"REGISTRY is {registry!r}; it must be a registry and an organisation in small"
            " letters, such as registry.example/shop"
        )
    return Names(version, registry)


def changed(root: Path = ROOT, *, release: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield each file that has other names, with its correct text.

    Args:
        root: of the tree.
        release: whether README is to install what this tree is released as.

    Raises:
        ValueError: a file has none of the names that are expected in it.

    """
    said = names(root)
    readme = (root / "README.md").read_text(encoding="utf-8")
    values = {**said._asdict(), "install": install(*said) if release else kept(readme)}
    texts: dict[Path, str] = {}
    for place in _PLACES:
        found = 0  # occurrences to replace
        for path in sorted(root.glob(place.files)):
            text = texts.get(path) or path.read_text(encoding="utf-8")
            for match in reversed(list(place.pattern.finditer(text))):
                new = place.text.format(**values, **match.groupdict())
                text = f"{text[: match.start()]}{new}{text[match.end() :]}"
                found += 1
            texts[path] = text
        if not found:
            raise ValueError(f"{place.files} no longer has {place.pattern.pattern}")
    for path, text in texts.items():
        if text != path.read_text(encoding="utf-8"):
            yield path, text


def main(mode: str, registry: str | None = None) -> int:
    """Write the files, or print which differ."""
    if registry:
        (ROOT / "REGISTRY").write_text(f"{registry}\n", encoding="utf-8")
    try:
        stale = list(changed(release=registry is not None))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if mode == "write":
        for path, text in stale:
            path.write_text(text, encoding="utf-8")
        return 0
    for path, _ in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} says other names than VERSION and REGISTRY\n")
    return 1 if stale else 0


if __name__ == "__main__":
    if sys.argv[1:] != ["check"] and sys.argv[1:2] != ["write"]:
        sys.exit("names: say check, write or write REGISTRY")
    sys.exit(main(*sys.argv[1:3]))
