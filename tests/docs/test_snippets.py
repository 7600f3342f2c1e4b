"""The blocks of every page: each is what its language takes, and OrderServices fit their CRD."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pglast
import pytest
import yaml
from jsonschema import Draft202012Validator

from orders_operator.api.crd import structural
from orders_operator.api.spec import KIND, OrderServiceSpec
from tests.helpers.paths import ROOT
from tools.site.markdown import Block, blocks

PAGES: Final = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "charts/**/*.md", "bench/*.md", "tools/**/*.md")
    for path in ROOT.glob(pattern)
)
FOUND: Final = [(path, block) for path in PAGES for block in blocks(path.read_text("utf-8"))]
SPEC: Final = structural(OrderServiceSpec)


class Spec(NamedTuple):
    """A spec of an OrderService, or a part of one, on a page."""

    place: str
    value: dict[str, Any]


def runs(text: str) -> None:
    """Have Bash read a block, and run nothing of it."""
    subprocess.run(["bash", "-n"], input=text, text=True, check=True, capture_output=True)


def reads_yaml(text: str) -> None:
    """Read every document of a block."""
    assert any(document is not None for document in yaml.safe_load_all(text))


def compiles(text: str) -> None:
    """Compile a block, and run nothing of it."""
    compile(text, "block", "exec")


LANGUAGES: Final[dict[str, Callable[[str], object]]] = {
    "json": json.loads,
    "python": compiles,
    "sh": runs,
    "sql": pglast.parse_sql,
    "yaml": reads_yaml,
}
"""Of the languages that can be checked: what raises where a block is not of it."""

SHOWN: Final = {"console", "diff", "http", "promql", "text"}
"""What is shown, and not run here: the chart's tests evaluate queries of alerts, and the test of
docs/make-it-yours.md applies its changes."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_blocks_are_what_their_language_takes(language: str) -> None:
    """Nobody who copies a block gets a syntax error."""
    for path, block in FOUND:
        if block.language == language:
            try:
                LANGUAGES[language](block.text)
            except Exception as error:  # noqa: BLE001  each language has its own
                pytest.fail(f"{path.relative_to(ROOT)}:{block.line}: {error}")


def test_every_block_says_its_language() -> None:
    """It is one that is checked, or one that is only shown."""
    allowed = LANGUAGES.keys() | SHOWN

    assert [] == [
        f"{path.relative_to(ROOT)}:{block.line}: {block.language!r}"
        for path, block in FOUND
        if block.language not in allowed
    ]


def declared(place: str, block: Block) -> Iterator[Spec]:
    """Yield what a block declares: manifests, in it or given to `kubectl apply`, and patches."""
    manifests = [block.text] if block.language == "yaml" else []
    if block.language == "sh":
        manifests += re.findall(r"<<END\n(.*?)^END$", block.text, re.MULTILINE | re.DOTALL)
        for line in block.text.replace("\\\n", "").splitlines():
            words = shlex.split(line, comments=True) if "patch orderservice" in line else []
            yield from (
                Spec(place, json.loads(value)["spec"])
                for flag, value in pairwise(words)
                if flag == "-p" and "spec" in json.loads(value)
            )
    for manifest in manifests:
        for document in yaml.safe_load_all(manifest):
            if isinstance(document, dict) and document.get("kind") == KIND:
                yield Spec(place, document["spec"])
            elif isinstance(document, dict) and document.keys() <= SPEC["properties"].keys():
                yield Spec(place, document)


def test_order_services_fit_their_crd() -> None:
    """What pages declare has fields that there are, with values that they take."""
    specs = [
        spec
        for path, block in FOUND
        for spec in declared(f"{path.relative_to(ROOT)}:{block.line}", block)
    ]
    partial = {**SPEC, "required": []}
    faults = [
        f"{spec.place}: {error.json_path}: {error.message}"
        for spec in specs
        for error in Draft202012Validator(partial).iter_errors(without_nulls(spec.value))
    ]
    faults += [
        f"{spec.place}: no field {name}" for spec in specs for name in unknown(spec.value, SPEC)
    ]

    assert [] == faults
    assert 5 < len(specs)


def without_nulls(value: Any) -> Any:
    """Return a patch without what it takes away."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return value


def unknown(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the fields of a value that its schema has not; JSON Schema itself lets them be."""
    if isinstance(value, list):
        for part in value:
            yield from unknown(part, schema.get("items", {}), path)
    elif isinstance(value, dict) and "properties" in schema:
        for name, part in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            else:
                yield from unknown(part, schema["properties"][name], f"{path}.{name}")
