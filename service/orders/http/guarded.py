"""The hot calls of a service that is not open to all: each asks the gate before anything else.

A caller that is known goes on at once. What takes longer to tell is told in the loop's thread, and
a refusal is answered there, before the body is read.
"""

import asyncio
from typing import TYPE_CHECKING

from orders.auth.caller import NOBODY, Caller
from orders.auth.outcomes import ACCEPTED
from orders.http.calls import Call, CreateCall, ReadCall
from orders.http.endpoints import create_order, read_order

if TYPE_CHECKING:
    from orders.auth.gate import Gate
    from orders.http.rsgi import Scope


class _Guarded(Call):
    """A call with a caller."""

    gate: "Gate"
    requires: str
    caller: Caller = NOBODY

    def begin(self) -> None:
        """Be a request in flight, of the caller."""
        super().begin()
        self.context.subject = self.caller.name

    def unwelcome(self) -> Exception | None:
        """Ask the gate; return why the caller may not go on, if so."""
        gate = self.gate
        try:
            self.caller = gate.caller(self._headers)
            gate.check(self.caller, self.requires)
        except Exception as error:  # noqa: BLE001  told as what it is
            return error
        return None

    def refuse(self, error: Exception) -> None:
        """Answer that the caller may not go on."""
        self.begin()
        self.fail(error)


def guarded(gate: "Gate") -> tuple[type[ReadCall], type[CreateCall]]:
    """Return the calls that ask this gate."""
    loop = asyncio.get_running_loop()

    class GuardedRead(_Guarded, ReadCall):
        requires = read_order.requires

        def go(self, order_id: str) -> None:
            refused = self.unwelcome()
            if refused is None:
                gate.count(ACCEPTED)
                super().go(order_id)
            else:
                self.refuse(refused)

    class GuardedCreate(_Guarded, CreateCall):
        requires = create_order.requires

        def receive(self, scope: "Scope", length: int | None) -> None:
            caller = gate.known(self._headers)
            if caller is None or self.requires not in caller.scopes:
                loop.call_soon_threadsafe(self._judge, scope, length)
            else:
                self._let_in(caller, scope, length)

        def begin(self) -> None:
            if self.owner:
                gate.count(ACCEPTED)
            super().begin()

        def _judge(self, scope: "Scope", length: int | None) -> None:
            refused = self.unwelcome()
            if refused is None:
                self._let_in(self.caller, scope, length)
            else:
                self._protocol = self._shared.bridge.unread(scope, self._protocol)
                self.refuse(refused)

        def _let_in(self, caller: Caller, scope: "Scope", length: int | None) -> None:
            self.caller = caller
            self.owner = caller.owner
            super().receive(scope, length)

    GuardedRead.gate = GuardedCreate.gate = gate
    return GuardedRead, GuardedCreate
