"""The hot calls of a service with authentication: each asks the gate before anything else.

A known caller goes on at once. Any other is judged in the loop's thread, and a refusal is answered
there, before the body is read.
"""

import asyncio
from typing import TYPE_CHECKING

from orders.auth.caller import NOBODY, Caller
from orders.auth.outcomes import ACCEPTED
from orders.http.call import Call
from orders.http.calls import CreateCall, ReadCall
from orders.http.endpoint_call import EndpointCall
from orders.http.endpoints.orders import create_order, read_order
from orders.http.hot_calls import HotCalls

if TYPE_CHECKING:
    from orders.auth.gate import Gate
    from orders.http.rsgi import Scope


class _Guarded(Call):
    """A call with a caller."""

    gate: "Gate"
    requires: str
    caller: Caller = NOBODY

    def begin(self) -> bool:
        """Become a request in flight, of the caller."""
        begun = super().begin()
        self.context.subject = self.caller.name
        return begun

    def admitted(self) -> bool:
        """Ask the gate; return whether the caller may go on, and answer it if not."""
        gate = self.gate
        try:
            self.caller = gate.caller(self._headers)
            gate.check(self.caller, self.requires)
        except Exception as error:  # noqa: BLE001  answered as what it is
            self.refuse(error)
            return False
        return True


class _Create(_Guarded, CreateCall):
    """A create that may be refused before its body is read."""

    requires = create_order.requires

    def refuse(self, error: Exception) -> None:
        """Answer, and throw the body away."""
        self._protocol = self._shared.bridge.unread(self._scope, self._protocol)
        super().refuse(error)


class _Endpoint(_Guarded, EndpointCall):
    """An endpoint's call that may be refused before its body is read."""

    def admit(self) -> None:
        """Ask the gate, and go on with a caller who may call."""
        self.requires = self.match.endpoint.requires
        if self.admitted():
            self.gate.count(ACCEPTED)
            super().admit()


def guarded(gate: "Gate") -> HotCalls:
    """Return the calls that ask this gate."""
    loop = asyncio.get_running_loop()
    names = {"gate": gate}

    class GuardedRead(_Guarded, ReadCall):
        requires = read_order.requires

        def go(self, order_id: str) -> None:
            if self.admitted():
                gate.count(ACCEPTED)
                super().go(order_id)

    class GuardedCreate(_Create):
        def receive(self, scope: "Scope", length: int | None) -> None:
            caller = gate.known(self._headers)
            if caller is None or self.requires not in caller.scopes:
                loop.call_soon_threadsafe(self._judge, scope, length)
            else:
                self._let_in(caller, scope, length)

        def begin(self) -> bool:
            if self.owner:
                gate.count(ACCEPTED)
            return super().begin()

        def _judge(self, scope: "Scope", length: int | None) -> None:
            self._scope = scope
            if self.admitted():
                self._let_in(self.caller, scope, length)

        def _let_in(self, caller: Caller, scope: "Scope", length: int | None) -> None:
            self.caller = caller
            self.owner = caller.owner
            super().receive(scope, length)

    GuardedRead.gate = GuardedCreate.gate = gate
    return HotCalls(GuardedRead, GuardedCreate, type("GuardedEndpoint", (_Endpoint,), names))
