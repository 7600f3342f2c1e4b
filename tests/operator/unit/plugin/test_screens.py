"""What a person sees, letter by letter."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from orders_operator.plugin.screen import screen
from orders_operator.plugin.terminal import plain
from orders_operator.plugin.view import view
from tests.helpers.operator.cluster_objects import NOW
from tests.helpers.operator.rollout_scenes import SCENES, Scene
from tests.operator.unit.plugin.snapshots import FOLDER, PAGE, page, screens


@pytest.mark.parametrize("name", sorted(screens()))
def test_a_screen_is_as_it_was(name: str) -> None:
    """The text is the committed one; running `snapshots` as a module renews it."""
    assert (FOLDER / f"{name}.txt").read_text("utf-8") == screens()[name]


def test_no_screen_is_left_over() -> None:
    """Each committed screen is one that is drawn."""
    assert {path.stem for path in FOLDER.iterdir()} == set(screens())


def test_the_page_shows_a_screen_as_it_is() -> None:
    """docs/kubectl.md has the screen of today."""
    assert PAGE.read_text("utf-8") == page()


@given(st.sampled_from(SCENES), st.integers(40, 200))
def test_no_line_is_too_long(scene: Scene, width: int) -> None:
    """Whatever the terminal's width is."""
    lines = plain(screen(view(scene()), NOW), width).splitlines()

    assert width >= max(map(cell_len, lines))


@pytest.mark.parametrize("scene", SCENES, ids=lambda it: it.__name__)
def test_colours_add_nothing(scene: Scene) -> None:
    """Without its colours, the screen of a terminal reads as that of a file."""
    file = io.StringIO()
    terminal = Console(file=file, width=80, force_terminal=True, color_system="truecolor")
    terminal.print(screen(view(scene()), NOW))
    coloured = file.getvalue()

    assert "\x1b[" in coloured
    text = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain(screen(view(scene()), NOW), 80).split() == text.split()
