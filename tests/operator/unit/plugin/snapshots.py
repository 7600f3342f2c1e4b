"""Screens as committed text; `python -m tests.operator.unit.plugin.snapshots` renews them.

It renews docs/kubectl.md too, which shows one of them.
"""

import re
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from orders_operator.plugin.load_screen import load_screen
from orders_operator.plugin.screen import overview, screen
from orders_operator.plugin.terminal import plain
from orders_operator.plugin.view import view
from tests.helpers.operator import load_reports
from tests.helpers.operator.cluster_objects import NOW
from tests.helpers.operator.rollout_scenes import (
    SCENES,
    first_step,
    rolled_back,
    stable,
    unlabelled,
)
from tests.helpers.paths import ROOT

FOLDER: Final = Path(__file__).with_name("screens")
PAGE: Final = ROOT / "docs" / "kubectl.md"
SHOWN: Final = "first_step"
_BLOCK: Final = re.compile(r"(?<=```text\n).*?(?=```)", re.DOTALL)


def screens() -> dict[str, str]:
    """Return every screen by the name of its file."""
    drawn = {scene.__name__: plain(screen(view(scene()), NOW), 80) for scene in SCENES}
    drawn["wide"] = plain(screen(view(first_step()), NOW), 120)
    several = {"orders": first_step, "stock": rolled_back, "tickets": stable, "trial": unlabelled}
    listed = [replace(view(scene()), name=name) for name, scene in several.items()]
    drawn["overview"] = plain(overview(listed), 80)
    for report in (load_reports.running, load_reports.failing, load_reports.waiting):
        screen_of_it = load_screen(report(), "shop/orders", 60.0, NOW)
        drawn[f"load_{report.__name__}"] = plain(screen_of_it, 80)
    return drawn


def page() -> str:
    """Return docs/kubectl.md with the screen as it is now."""
    return _BLOCK.sub(lambda _: screens()[SHOWN], PAGE.read_text("utf-8"), count=1)


def renew() -> None:
    """Write all of them."""
    for name, text in screens().items():
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    renew()
