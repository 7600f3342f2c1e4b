"""Tests lie as the source does; a module is one thought, and named for what it holds."""

from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.paths import ROOT

GIVEN_UP: Final = {
    "asking", "closed", "deaf", "doors", "either", "ending", "look", "middle", "odd_server",
    "onward", "parts", "places", "reach", "seen", "sights", "words", "world",
}  # fmt: skip
FEWEST: Final = 40
MOST: Final = 300
SHORT: Final = {
    "operator/orders_operator/objects.py": "the types of objects as JSON",
    "operator/orders_operator/plugin/terminal.py": "the terminal, or what stands for it",
    "operator/orders_operator/resources/names.py": "names with a limit of their own",
    "operator/orders_operator/resources/schemes.py": "the schemes that pods speak",
    "operator/orders_operator/resources/security.py": "the restricted Pod Security Standard",
    "operator/orders_operator/rollout/commands.py": "a person's commands to a rollout",
    "operator/orders_operator/rollout/history.py": "the revisions that are kept",
    "operator/orders_operator/rollout/share.py": "the share of requests of a canary's pods",
    "operator/orders_operator/tasks.py": "pieces of work at the same time",
    "operator/orders_operator/telemetry/context.py": "the ids of the current reconcile",
    "service/orders/alarm.py": "one timer for many deadlines",
    "service/orders/auth/allowance.py": "the limit on the time for signatures",
    "service/orders/config/protections.py": "what `serve --require` may ask for",
    "service/orders/embedded/programs.py": "where PostgreSQL's programs are",
    "service/orders/http/asgi.py": "the types of ASGI",
    "service/orders/http/hot_calls.py": "the classes of hot calls",
    "service/orders/http/hot_shape.py": "which endpoints may be hot",
    "service/orders/http/openapi_schemas.py": "the schemas of the API's types",
    "service/orders/http/replies.py": "what a reply is on the wire",
    "service/orders/http/reuseport.py": "the filter of a port's sockets",
    "service/orders/http/routes.py": "the template of a path",
    "service/orders/store/backoff.py": "the pauses between tries",
    "service/orders/store/order_ids.py": "the ids of new orders",
    "service/orders/telemetry/redaction.py": "what is kept out of lines and spans",
    "service/orders/telemetry/sampling.py": "OpenTelemetry's samplers",
    "tools/image/bytecode.py": "the compiler of modules",
    "tools/image/hook/sitecustomize.py": "a module that the interpreter imports at its start",
    "tools/image/probe.py": "a program that another interpreter runs",
    "tools/marks.py": "the parts of pages that are made",
}
"""The one concept of each module that is short, by which somebody would look for it."""


@pytest.mark.parametrize(
    ("tests", "source"),
    [
        ("common", "common/orders_common"),
        ("service", "service/orders"),
        ("operator", "operator/orders_operator"),
    ],
)
def test_unit_tests_lie_as_the_source_does(tests: str, source: str) -> None:
    """A folder of unit tests has the name of a package, and every package that it is in."""
    unit = ROOT / "tests" / tests / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}

    assert Path() in folders
    assert [] == [folder for folder in folders if not (ROOT / source / folder).is_dir()]


def test_helpers_are_in_one_folder() -> None:
    """Beside the fixtures, no module is at the top of tests/."""
    found = {
        path.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").glob("*.py")
        if path.name != "conftest.py"
    }

    assert set() == found


def test_modules_are_named_for_what_they_hold() -> None:
    """No module has a name that the project gave up."""
    folders = ("common", "service", "operator", "tools", "bench", "chaos", "tests")
    modules = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)

    assert [] == [path for path in modules if path.stem in GIVEN_UP]


@pytest.mark.parametrize(
    "folder", ["common/orders_common", "service/orders", "operator/orders_operator", "tools"]
)
def test_a_module_is_one_thought(folder: str) -> None:
    """It has 40 to 300 lines; each that has fewer says why."""
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    apart = {
        name
        for name, number in lines.items()
        if number > MOST or (number < FEWEST and not name.endswith("__.py"))
    }

    assert [] == sorted(apart - SHORT.keys())
