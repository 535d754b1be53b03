"""The assistant: one customer's message and the state of the conversation become a reply.

What is done depends on the customer's own message and the state alone. No text of the shop, be it a product, a review
or a policy, is ever read as a request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog.errors import BadQuery, WindowshopError
from catalog.text.glossary import ENGLISH
from search.assistant.answering.message_reading import CustomerRequest, MessageReading, read_message
from search.assistant.answering.parts import AssistantParts
from search.assistant.answering.request_turns import RequestTurns, small_talk_code
from search.assistant.answering.service_hint import ServiceHints
from search.assistant.answering.slot_turns import OF_ORDERS, SlotTurns
from search.assistant.dialogue.conversation import (
    CONTACT,
    HUMAN,
    RESTART,
    CustomerMessage,
    DialogueState,
    LastSearch,
    Reply,
)
from search.assistant.dialogue.cues import MORE, is_cue, needs_no_person, wants_person
from search.assistant.dialogue.draft import NOT_IN_TIME, ReplyDraft
from search.assistant.dialogue.handover_turns import NEEDS_PERSON, HandoverTurns
from search.assistant.dialogue.order_turns import OrderTurns
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.dialogue.product_turns import ProductTurns
from search.assistant.dialogue.reply_language import reply_language
from search.assistant.dialogue.search_turns import SearchTurns
from search.assistant.dialogue.slots import email_in, is_order_number, order_number_in
from search.assistant.intents.names import (
    FIND_PRODUCT,
    HUMAN_AGENT,
    ORDER_STATUS,
    OUT_OF_SCOPE,
    PRODUCT_INTENTS,
    SMALL_TALK,
    STOCK_AVAILABILITY,
)
from search.assistant.threads.thread import ASSISTANT, CUSTOMER, ThreadMessage, new_thread_id
from search.assistant.threads.thread import PERSON as STAFF
from search.assistant.threads.thread_store import ThreadOrigin
from search.engine import SearchEngine
from search.execution.deadlines import Deadline
from search.query.intent import parse_text

REFINING_WORDS = 6  # a longer text is read by the classifier first
log = logging.getLogger(__name__)


# Intents that "in blue" or "do you have it in green" may look like after a search.
REFINING = frozenset((FIND_PRODUCT, STOCK_AVAILABILITY))
CONTINUED = frozenset((ORDER_STATUS, *PRODUCT_INTENTS))  # "where is it now?" goes on with what was talked about


class Assistant:
    """Replies to the customers of one shop. Threads share it."""

    def __init__(self, engine: SearchEngine, parts: AssistantParts = AssistantParts()) -> None:  # noqa: B008 - frozen
        service = parts.service
        self.hints = ServiceHints(parts.classifier, parts.policies)
        self._classifier, self._policies, self._threads = parts.classifier, parts.policies, service.threads
        self._search = SearchTurns(engine)
        self._orders = OrderTurns(service.orders)
        policies = PolicyTurns(parts.policies, parts.words)
        self._handover = HandoverTurns(service.handovers, parts.queues, policies)
        products = ProductTurns(engine, self._search, parts.products, policies)
        self._requests = RequestTurns(self._search, policies, products, self._orders, self._handover)
        self._slots = SlotTurns(self._orders, products, self._handover, self._requests)

    def reply(self, message: CustomerMessage, state: DialogueState | None = None) -> Reply:
        """Return the reply to a message; without a state, a conversation begins."""
        if state is None or message.action == RESTART:
            state = DialogueState(new_thread_id(), language=state.language if state else "")
        if message.page_search and not state.search:
            state = replace(state, search=LastSearch(message.page_search))
        given = message.order or message.contact
        email = given.email if given else email_in(message.text)
        draft = ReplyDraft(state, message.caller, email, Deadline.within(message.timeout_ms))
        draft.remember(
            language=reply_language(message.text, state.language, message.language),
            product_id=message.product_id or state.product_id,
        )
        reading = self._read(message, draft)
        first = reading.requests[0] if reading.requests else None
        draft.intent, draft.probability = (first.intent, first.probability) if first else ("", 0.0)
        if first is not None and first.intent not in (SMALL_TALK, OUT_OF_SCOPE):
            draft.remember(topic=first.intent)
        draft.unclear = reading.unclear
        self._store_message(message, draft)
        self._answer(message, reading, draft)
        return draft.finish()

    def warm_up(self) -> None:
        """Read one message and encode the policies, so that the first customer need not wait for it."""
        if self._classifier is not None:
            self._classifier.classify("hello", ENGLISH)
        if self._policies is not None:
            self._policies.answer("hello", ENGLISH)

    def store_reply(self, reply: Reply, text: str, sources: Sequence[Mapping[str, Any]]) -> None:
        """Store a reply as the customer reads it; nothing of a conversation that nobody has written in yet."""
        if self._threads is None or not reply.stored:
            return
        code = reply.parts[0].code if reply.parts else ""
        message = ThreadMessage(ASSISTANT, text, language=reply.language, code=code, sources=tuple(sources))
        try:
            self._threads.append(reply.state.thread, message)
        except WindowshopError as error:
            log.error("A reply could not be stored: %s", error)

    def answers_of_staff(self, state: DialogueState) -> tuple[tuple[ThreadMessage, ...], DialogueState]:
        """Return what staff wrote since the customer last asked, oldest first, and the state after that.

        Staff may write in a conversation that was not handed over, or hand it over themselves.
        """
        if self._threads is None:
            return (), state
        try:
            found = self._threads.messages_after(state.thread, state.seen)
        except WindowshopError as error:
            log.error("Answers of staff could not be read: %s", error)
            return (), state
        state = replace(state, seen=max((message.number for message in found), default=state.seen))
        written = tuple(message for message in found if message.role == STAFF)
        return written, self._handover.known_to_staff(state) if written and not state.reference else state

    def _read(self, message: CustomerMessage, draft: ReplyDraft) -> MessageReading:
        """Return what a message wants: by its button or field, by a phrase that is clear, or by the classifier."""
        state, text = draft.state, message.text.strip()
        question = state.question if state.question and message.choice else text
        intent = message.choice or _clear_intent(message, text, state)
        if intent:
            return MessageReading((CustomerRequest(intent, 1.0, question),))
        reading = read_message(text, state.language, self._classifier)
        if needs_no_person(text):  # the classifier reads the words for a person as a call for one
            others = tuple(request for request in reading.requests if request.intent != HUMAN_AGENT)
            reading = replace(reading, requests=others or reading.requests)
        wanted = {request.intent for request in reading.requests}
        intent = ""
        if not state.expects and wanted <= REFINING and _may_refine(text, wanted):
            intent = FIND_PRODUCT if self._refines(text, draft) else ""
        if not intent and not wanted and state.topic in CONTINUED and state.topic in reading.likely:
            intent = state.topic
        if not intent:
            return reading
        request = CustomerRequest(intent, reading.probability(intent), text)
        return MessageReading((request,), probabilities=reading.probabilities)

    def _refines(self, text: str, draft: ReplyDraft) -> bool:
        """Return whether a text changes the last search; also where that is not known in time, as a search says so."""
        try:
            return self._search.refines(text, draft)
        except NOT_IN_TIME:
            return True

    def _answer(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> None:
        """Answer a message; an address in it is also where a person can answer, where one has the conversation."""
        before = draft.state
        if message.contact is not None:
            self._handover.take_contact(draft, message.contact, message.text)
        elif message.order is not None:
            if self._orders.claim(message, draft, message.order):
                self._handover.hand_over(draft, NEEDS_PERSON, message.text)
        elif message.is_empty or (message.action == RESTART and not message.text.strip()):
            draft.say("greeting")
        elif not self._slots.fill(message, reading, draft):
            self._requests.act(message, reading, draft)
            self._slots.remind(before.expects, draft)
            self._handover.hand_over_urgent(draft, message.text, unclear=not reading.requests)
        if draft.is_late:  # the same message, sent again, means the same
            draft.remember(expects=before.expects, question=before.question, intent=before.intent)
        self._handover.take_address(draft)

    def _store_message(self, message: CustomerMessage, draft: ReplyDraft) -> None:
        """Store a customer's message in its thread; a thread that is full is followed by a new one."""
        text = message.text.strip() or ("[photo]" if message.picture is not None else "")
        if message.order is not None:
            text = text or message.order.number
        elif message.action == HUMAN or (message.contact is not None and not draft.state.reference):
            text = text or f"[{HUMAN}]"
        if self._threads is None or not text:
            return
        stored = ThreadMessage(
            CUSTOMER, text, language=draft.state.language, intent=draft.intent, probability=draft.probability or None
        )
        origin = ThreadOrigin(message.visitor, draft.state.product_id)
        try:
            try:
                self._threads.append(draft.state.thread, stored, origin)
            except BadQuery:
                draft.remember(thread=new_thread_id(), reference="", queue="", has_contact=False, seen=0)
                self._threads.append(draft.state.thread, stored, origin)
            draft.stored = True
        except WindowshopError as error:
            log.error("A message could not be stored: %s", error)


def _clear_intent(message: CustomerMessage, text: str, state: DialogueState) -> str:
    """Return the intent of a message that needs no classifier; "" for any other."""
    if message.action == HUMAN or message.contact is not None or wants_person(text):
        return HUMAN_AGENT
    is_number = is_order_number(text) and state.expects != CONTACT  # that may be a telephone's
    if message.order is not None or is_number or (state.expects in OF_ORDERS and email_in(text)):
        return ORDER_STATUS
    if state.expects == CONTACT and email_in(text) and not order_number_in(text):
        return HUMAN_AGENT
    if message.picture is not None or (state.search and is_cue(MORE, text)):
        return FIND_PRODUCT
    return SMALL_TALK if not text or small_talk_code(text) else ""


def _may_refine(text: str, wanted: set[str]) -> bool:
    """Return whether a text may change a search: a short one, but not "is it in stock?", which is about one product."""
    return len(text.split()) <= REFINING_WORDS and not (STOCK_AVAILABILITY in wanted and parse_text(text).in_stock)
