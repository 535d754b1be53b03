"""Messages that hold what was asked for: "10482" after "what is your order number?", a mail address, a product."""

from __future__ import annotations

from search.assistant.answering.message_reading import MessageReading
from search.assistant.answering.request_turns import RequestTurns, small_talk_code
from search.assistant.dialogue.conversation import (
    CONTACT,
    ORDER_EMAIL,
    ORDER_NUMBER,
    PRODUCT,
    REPHRASE,
    CustomerContact,
    CustomerMessage,
)
from search.assistant.dialogue.cues import LACKING, LEAVE, is_cue
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.handover_turns import NEEDS_PERSON, HandoverTurns
from search.assistant.dialogue.order_turns import OrderTurns, is_refused
from search.assistant.dialogue.product_turns import ProductTurns
from search.assistant.dialogue.slots import email_in, has_digits, order_number_in
from search.assistant.intents.names import (
    FIND_PRODUCT,
    HUMAN_AGENT,
    ORDER_STATUS,
    OUT_OF_SCOPE,
    PRODUCT_INTENTS,
    SMALL_TALK,
)

SHORT = 6  # words of a message that may hold a number and nothing else
OF_ORDERS = (ORDER_NUMBER, ORDER_EMAIL)
_NO_QUESTION = ("", ORDER_STATUS, OUT_OF_SCOPE, SMALL_TALK)


class SlotTurns:
    """Fills what the conversation waits for. Another question in between is left to be answered as such."""

    def __init__(
        self, orders: OrderTurns, products: ProductTurns, handover: HandoverTurns, requests: RequestTurns
    ) -> None:
        self._orders, self._products = orders, products
        self._handover, self._requests = handover, requests

    def fill(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> bool:
        """Take what was asked for from a message; return False where it asks something else."""
        expects, text = draft.state.expects, message.text.strip()
        if expects == REPHRASE or not expects:
            if expects:
                draft.fulfil()
            return False
        if text and is_cue(LEAVE, text):
            draft.fulfil()
            draft.say("left")
            return True
        if text and small_talk_code(text):
            return False
        if expects in OF_ORDERS:
            return self._fill_order(message, reading, draft)
        if expects == PRODUCT:
            with draft.says_when_late():
                return self._fill_product(message, reading, draft)
            return True
        return expects == CONTACT and self._fill_contact(text, draft)

    def remind(self, before: str, draft: ReplyDraft) -> None:
        """Come back once to what was asked for, after another question was answered."""
        if before in OF_ORDERS and draft.state.expects == before and not draft.state.reminded:
            draft.say("remind_order_proof" if is_refused(draft.state) else f"remind_{before}")
            draft.remember(reminded=True)

    def _fill_order(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> bool:
        text = message.text.strip()
        wanted = reading.requests[0].intent if reading.requests else ""
        number, email = order_number_in(text, wanted=True), email_in(text)
        is_other = wanted not in _NO_QUESTION
        if is_other and not has_digits(number):  # "do you have 2 mugs?"
            number = ""
        if is_other and not email and (not number or len(text.split()) > SHORT):
            return False
        if number or email:
            draft.remember(misunderstood=0)
            if self._orders.prove(message, draft, number, email):
                self._handover.hand_over(draft, NEEDS_PERSON, text)
            return True
        if is_cue(LACKING, text):
            draft.fulfil()
            draft.say("order_needed")
            draft.offer([HUMAN_AGENT])
        elif self._asks_again(wanted, draft) or not self._requests.misunderstood(text, draft):
            draft.say("again_order_proof" if is_refused(draft.state) else f"again_{draft.state.expects}")
            draft.offer([HUMAN_AGENT])
        return True

    @staticmethod
    def _asks_again(wanted: str, draft: ReplyDraft) -> bool:
        """Return whether a message only asks for the order again, once: "and when does it arrive?" is understood."""
        again = wanted == ORDER_STATUS and not draft.state.reminded
        if again:
            draft.remember(reminded=True, misunderstood=0)
        return again

    def _fill_product(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> bool:
        wanted = reading.requests[0].intent if reading.requests else ""
        is_question = wanted in PRODUCT_INTENTS and self._products.asks_of_shown(message.text.strip(), draft)
        unstated = None if is_question else self._products.choose(message, draft)
        if unstated is not None:
            draft.remember(misunderstood=0)
            if unstated:
                draft.offer([HUMAN_AGENT])
            return True
        if is_question or wanted == FIND_PRODUCT:  # a new request, so that the question before waits no longer
            draft.fulfil()
            return False
        if wanted in (*PRODUCT_INTENTS, *_NO_QUESTION) and not self._requests.misunderstood(message.text, draft):
            draft.say("product_unknown")
            draft.offer([HUMAN_AGENT])
            return True
        return wanted not in (HUMAN_AGENT,) and draft.handed_over is not None

    def _fill_contact(self, text: str, draft: ReplyDraft) -> bool:
        email = email_in(text)
        if not email or order_number_in(text):  # of an order, which is a question of its own
            return False
        self._handover.take_contact(draft, CustomerContact(email), text)
        return True
