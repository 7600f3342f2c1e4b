"""The live screen, in virtual time."""

import io
from collections.abc import Awaitable, Callable

import pytest
from rich.console import Console

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.plugin import Refused, status
from orders_operator.plugin.view import ServiceView, view
from tests.helpers.operator.rollout_scenes import Scene, first_step, stable

pytestmark = pytest.mark.looptime

AWAY = KubeError(ErrorReason.UNAVAILABLE, "dial tcp: connection refused")
Seen = Scene | Exception


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Have a terminal; what is written to it."""
    file = io.StringIO()
    made = Console(file=file, force_terminal=True, color_system=None, width=100, height=50)
    monkeypatch.setattr(status, "console", lambda: made)
    return file


def looks(*seen: Seen) -> Callable[[], Awaitable[ServiceView]]:
    """Return what sees this, one after the other."""
    left = list(seen)

    async def read() -> ServiceView:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return view(found())

    return read


async def test_it_shows_each_change(terminal: io.StringIO) -> None:
    """It looks every second, until the OrderService is gone."""
    gone = Refused("there is no OrderService orders")

    with pytest.raises(Refused):
        await status.live(looks(first_step, stable, gone), "shop")
    written = terminal.getvalue()
    assert written.index("Canary  step 1 of 3") < written.index("shop/orders  Stable")


async def test_what_was_seen_last_stays(terminal: io.StringIO) -> None:
    """While the API server is away the screen says so, and goes on when it is back."""
    end = Refused("enough")

    with pytest.raises(Refused):
        await status.live(looks(first_step, AWAY, stable, end), "shop")
    written = terminal.getvalue()
    away = written.index("Showing the last state: dial tcp: connection refused")
    assert 2 == written[:away].count("Canary  step 1 of 3")
    assert "shop/orders  Stable" in written[away:]


async def test_what_is_forbidden_ends_it(terminal: io.StringIO) -> None:
    """Waiting would not help."""
    with pytest.raises(KubeError):
        await status.live(looks(KubeError(ErrorReason.FORBIDDEN, "no")), "shop")
    assert "Showing the last state" not in terminal.getvalue()
