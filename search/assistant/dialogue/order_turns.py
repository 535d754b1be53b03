"""Where an order is: ask for its number and mail address, prove it, and say what the shop's system knows."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from catalog.errors import WindowshopError
from search.assistant.dialogue.conversation import (
    ORDER_EMAIL,
    ORDER_NUMBER,
    CustomerMessage,
    DialogueState,
    OrderProof,
    ReplySource,
)
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.slots import email_in, is_order_number, order_number_in
from search.assistant.orders.order import OrderStatus, order_number
from search.assistant.orders.order_desk import PROVED, TOO_MANY, OrderClaim, OrderDesk

MAX_REFUSED = 2  # attempts at proving an order, after which a person takes over
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrderTurns:
    """Answers where orders are. A method returns whether the customer needs a person for it."""

    orders: OrderDesk | None = None

    def status(self, message: CustomerMessage, text: str, draft: ReplyDraft) -> bool:
        """Answer where an order is, or ask for what is missing to prove it."""
        if self.orders is None or not self._available():
            draft.say("orders_unavailable")
            return True
        number, email = order_number_in(text, wanted=is_order_number(text)), email_in(text)
        try:
            known = self.orders.shown(draft.state.thread, number)
        except WindowshopError as error:
            return self._failed(draft, error)
        if known is not None:
            draft.fulfil()
            self._say_status(draft, known)
            return False
        return self.prove(message, draft, number, email)

    def prove(self, message: CustomerMessage, draft: ReplyDraft, number: str, email: str) -> bool:
        """Prove an order by what is known by now; ask for its number or its mail address where one is missing."""
        if is_refused(draft.state):
            if not number and not email:
                draft.say("again_order_proof")
                return False
            _forget_wrong(draft, number, email)
        number, email = number or draft.state.order_number, email or draft.state.order_email
        draft.remember(order_number=number, order_email=email, intent="order_status")
        if not number:
            draft.say("ask_order_number")
            draft.remember(expects=ORDER_NUMBER, reminded=False)
            return False
        if not email:
            draft.say("ask_order_email", number=number)
            draft.remember(expects=ORDER_EMAIL, reminded=False)
            return False
        return self.claim(message, draft, OrderProof(number, email))

    def claim(self, message: CustomerMessage, draft: ReplyDraft, proof: OrderProof) -> bool:
        """Answer where the order is that a number and a mail address prove."""
        if self.orders is None or not self._available():
            draft.say("orders_unavailable")
            return True
        claim = OrderClaim(draft.state.thread, proof.number, proof.email, message.caller)
        try:
            answer = self.orders.claim(claim)
        except WindowshopError as error:
            return self._failed(draft, error)
        draft.fulfil()
        if answer.outcome == PROVED and answer.order is not None:
            draft.remember(attempts=0, proved_email=proof.email)
            self._say_status(draft, answer.order)
            return False
        draft.remember(attempts=draft.state.attempts + 1)
        if answer.outcome == TOO_MANY:
            draft.say("order_too_many")
            return True
        draft.say("order_refused")
        if draft.state.attempts >= MAX_REFUSED:
            return True
        draft.remember(expects=ORDER_NUMBER, intent="order_status", order_number=proof.number, order_email=proof.email)
        return False

    def _available(self) -> bool:
        return self.orders is not None and self.orders.available

    def _failed(self, draft: ReplyDraft, error: WindowshopError) -> bool:
        log.error("Orders cannot be looked up: %s", error)
        draft.say("orders_failed")
        return True

    def _say_status(self, draft: ReplyDraft, order: OrderStatus) -> None:
        if order.code:
            draft.say(f"order_{order.code}", number=order.number)
        else:
            draft.say("order_other", number=order.number, status=order.status)
        if order.carrier and order.tracking:
            draft.say("order_tracking", carrier=order.carrier, tracking=order.tracking)
        elif order.carrier or order.tracking:
            draft.say(
                "order_carrier" if order.carrier else "order_tracking_alone", value=order.carrier or order.tracking
            )
        if order.shipped_at:
            draft.say("order_shipped_at", date=order.shipped_at)
        if order.expected_at and order.code not in ("delivered", "cancelled", "returned", "refunded"):
            draft.say("order_expected_at", date=order.expected_at)
        draft.cite(ReplySource("order", order.number, order.status, order.tracking_url))


def is_refused(state: DialogueState) -> bool:
    """Return whether a number and a mail address are known that do not belong together: one of them is wrong."""
    return bool(state.expects == ORDER_NUMBER and state.order_number and state.order_email)


def _forget_wrong(draft: ReplyDraft, number: str, email: str) -> None:
    """Forget what must have been wrong, where a customer only repeats the other one: it is asked for again."""
    if not email and order_number(number) == order_number(draft.state.order_number):
        draft.remember(order_email="")
    elif not number and email.casefold() == draft.state.order_email.casefold():
        draft.remember(order_number="")
