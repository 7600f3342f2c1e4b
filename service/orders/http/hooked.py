"""The hot calls of a service with a team's own hooks around every request."""

from typing import TYPE_CHECKING

from orders.hooks import Hooks, Request
from orders.http.call import Call
from orders.http.hot_calls import HotCalls

if TYPE_CHECKING:
    from orders.hooks import Headers


class _Hooked(Call):
    """A call that runs hooks."""

    hooks: Hooks
    request: Request
    refused = False

    def begin(self) -> bool:
        """Count as in flight and call the hooks; return False if the request is refused."""
        super().begin()
        self.request = Request(self._method, self._path, self.route, self.context)
        if self.refused:
            return True
        try:
            self.hooks.begin(self.request)
        except Exception as error:  # noqa: BLE001  answered as what it is
            self.fail(error)
            return False
        return True

    def refuse(self, error: Exception) -> None:
        """Answer before anything was done; no `before` hook runs."""
        self.refused = True
        super().refuse(error)

    def fail(self, error: Exception) -> None:
        """Run the `failed` hooks, and answer."""
        self.hooks.fail(self.request, error)
        super().fail(error)

    def _send(self, status: int, headers: "Headers", body: bytes, problem: str | None) -> None:
        self.hooks.answer(self.request, status, headers)
        super()._send(status, headers, body, problem)


def hooked(hooks: Hooks, calls: HotCalls) -> HotCalls:
    """Return the same calls with hooks around them."""
    names = {"hooks": hooks}
    return HotCalls(
        type("HookedRead", (_Hooked, calls.read), names),
        type("HookedCreate", (_Hooked, calls.create), names),
        type("HookedEndpoint", (_Hooked, calls.endpoint), names),
    )
