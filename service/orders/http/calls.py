"""The calls of orders: a read and a create, without a coroutine, task or future of their own."""

from typing import Any, Final

import msgspec

from orders.http.body_call import BodyCall
from orders.http.call import Call
from orders.http.endpoint import Reply
from orders.http.endpoints.orders import created, found
from orders.http.idempotency import parse
from orders.model import RESOURCE, NewOrder, Order, check_storable
from orders.service import KeyWithoutOrder, NewRow, existing

NOT_DECODED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_decode: Final = msgspec.json.Decoder(NewOrder).decode


class ReadCall(Call):
    """GET or HEAD /orders/{id}."""

    route = f"{RESOURCE}/{{id}}"
    usual = 200

    def go(self, order_id: str) -> None:
        """Ask for the order with this id."""
        self.item = order_id
        if self.begin():
            try:
                self._shared.orders.read(self, self._started)
            except Exception as error:  # noqa: BLE001  told as what it is
                self.fail(error)

    def reply(self, stored: Order | None) -> Reply[Order]:
        """Reply with the order, or with 304 if the caller has it."""
        order = existing(self.item, stored)
        headers = self._headers
        return found(order, headers.get("if-none-match"), headers.get("if-match"))


class CreateCall(BodyCall):
    """POST /orders."""

    route = RESOURCE
    usual = 201
    owner = ""
    """The subject that owns its Idempotency-Key; empty without authentication."""

    def _go(self, sent: bytes) -> None:
        try:
            new = _decode(sent)
        except NOT_DECODED:
            self._go_cold(sent)
            return
        del self._scope  # it holds the head, with the buffer that the server read it into
        if not self.begin():
            return
        orders = self._shared.orders
        try:
            key = self._headers.get("idempotency-key")
            if key is not None:
                key = parse(key)
            check_storable(new)
            self.item = NewRow(new, key, self.owner)
            orders.insert(self, self._started)
        except Exception as error:  # noqa: BLE001  told as what it is
            self.fail(error)

    def settle(self, result: Any) -> None:
        """Answer with the batch's result, or ask again for an order that is not visible yet."""
        if isinstance(result, KeyWithoutOrder):
            self.done = True
            self._shared.orders.ask_again(self)
        else:
            super().settle(result)

    def reply(self, stored: Order | None) -> Reply[Order]:
        """Reply with the order, which may be an earlier one with the same key."""
        return created(*self._shared.orders.outcome(self.item, stored))
