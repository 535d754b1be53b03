"""Act on what a message wants, by intent, and on messages that are not understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from search.assistant.answering.message_reading import CustomerRequest, MessageReading
from search.assistant.dialogue.conversation import REPHRASE, CustomerMessage
from search.assistant.dialogue.cues import BYE, GREETING, LEAVE, MORE, PERSON, THANKS, has_cue, is_cue
from search.assistant.dialogue.draft import NOT_IN_TIME, ReplyDraft
from search.assistant.dialogue.handover_turns import (
    COMPLAINT,
    MISUNDERSTOOD,
    NEEDS_PERSON,
    REQUESTED,
    HandoverTurns,
)
from search.assistant.dialogue.order_turns import OrderTurns
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.dialogue.product_turns import ProductTurns
from search.assistant.dialogue.search_turns import SearchTurns
from search.assistant.dialogue.slots import order_number_in
from search.assistant.intents.names import (
    CANCEL_CHANGE_ORDER,
    COMPLAINT_DAMAGED,
    FIND_PRODUCT,
    HUMAN_AGENT,
    ORDER_STATUS,
    OUT_OF_SCOPE,
    POLICY_INTENTS,
    PRODUCT_INTENTS,
    PRODUCT_QUESTION,
    SIZE_ADVICE,
    SMALL_TALK,
)
from search.understanding.understood import ANSWERS

UNDOUBTED = 0.97  # probability of an intent from which no product is meant
MAX_MISUNDERSTOOD = 2  # messages in a row, after which a person takes over
SMALL_TALK_CODES: Mapping[str, str] = {GREETING: "greeting", THANKS: "thanks", BYE: "bye", LEAVE: "left"}
Act = Callable[[CustomerMessage, CustomerRequest, ReplyDraft], None]


class RequestTurns:
    """Answers requests by intent."""

    def __init__(
        self,
        search: SearchTurns,
        policies: PolicyTurns,
        products: ProductTurns,
        orders: OrderTurns,
        handover: HandoverTurns,
    ) -> None:
        self._search, self._policies, self._products = search, policies, products
        self._orders, self._handover = orders, handover
        acts: dict[str, Act] = dict.fromkeys(POLICY_INTENTS, self._policy)
        acts |= dict.fromkeys(PRODUCT_INTENTS, self._product)
        acts |= {
            ORDER_STATUS: self._order,
            CANCEL_CHANGE_ORDER: self._change,
            COMPLAINT_DAMAGED: self._complaint,
            HUMAN_AGENT: self._person,
            FIND_PRODUCT: self._find,
            SMALL_TALK: self._talk,
            OUT_OF_SCOPE: self._outside,
        }
        self._acts = acts

    def act(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> None:
        """Answer the requests of a message, or say that it was not understood."""
        if self._products.open_shown(message.text.strip(), draft):
            return
        if not reading.requests:
            with draft.says_when_late():
                self._unclear(message, reading, draft)
            return
        if self._is_search(reading.requests, draft):
            draft.intent, draft.probability = FIND_PRODUCT, reading.probability(FIND_PRODUCT)
            with draft.says_when_late():
                self._find(message, reading.requests[0], draft)
            return
        if reading.requests[0].intent != OUT_OF_SCOPE:
            draft.remember(misunderstood=0)
        for request in reading.requests:
            with draft.says_when_late():
                self._acts[request.intent](message, request, draft)

    def misunderstood(self, text: str, draft: ReplyDraft) -> bool:
        """Count a message that was not understood; hand over after MAX_MISUNDERSTOOD, and return whether that was."""
        draft.remember(misunderstood=draft.state.misunderstood + 1)
        if draft.state.misunderstood < MAX_MISUNDERSTOOD:
            return False
        draft.say("not_understood_twice")
        self._handover.hand_over(draft, MISUNDERSTOOD, text)
        draft.remember(misunderstood=0)
        return True

    def _is_search(self, requests: Sequence[CustomerRequest], draft: ReplyDraft) -> bool:
        """Return whether a message that reads like a complaint or a call for a person only names a product.

        A complaint has words that no product has; "gestreifter Kaffeebecher" has none, and nobody complained of it.
        Where the search is late, a person is called: a complaint must not wait for a search.
        """
        first = requests[0]
        doubtful = first.intent in (COMPLAINT_DAMAGED, HUMAN_AGENT) and first.probability < UNDOUBTED
        try:
            return doubtful and len(requests) == 1 and self._names_products(first.text, draft)
        except NOT_IN_TIME:
            return False

    def _order(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        # Number and address may stand in different clauses of a message. That of a button is not the question.
        text = request.text if message.choice else message.text
        if self._orders.status(message, text, draft):
            self._handover.hand_over(draft, NEEDS_PERSON, request.text)

    def _policy(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        if draft.handed_over is not None:  # a person answers what the policies do not
            self._policies.answer(request.text, draft)
            return
        self._policies.answer_or_say_why(request.text, draft)
        draft.offer([HUMAN_AGENT])

    def _change(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        stated = self._policies.answer(request.text, draft)
        if stated and not order_number_in(request.text):
            draft.say("person_can_do_it")
            draft.offer([HUMAN_AGENT])
            return
        draft.say("person_does_it")
        self._handover.hand_over(draft, NEEDS_PERSON, request.text)

    def _product(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        if self._products.question(message, request.text, request.intent, draft):
            draft.offer([HUMAN_AGENT])

    def _complaint(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        draft.say("complaint")
        self._policies.answer(request.text, draft)
        self._handover.hand_over(draft, COMPLAINT, request.text)

    def _person(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        if not has_cue(PERSON, request.text):  # "what is your phone number" has the answer first
            self._policies.contact(request.text, draft)
        self._handover.hand_over(draft, REQUESTED, request.text)

    def _find(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        if is_cue(MORE, request.text) and draft.state.search:
            self._search.more(draft)
        elif (
            message.picture is not None
            or self._finds(request.text, draft)
            or not self._policies.answer(request.text, draft)
        ):
            self._search.find(message, request.text, draft)

    def _finds(self, text: str, draft: ReplyDraft) -> bool:
        """Return whether a search has answers, so that no policy is looked for; "do you gift wrap" has none."""
        page = self._search.page_of(text, draft)
        return page is None or page.verdict is None or page.verdict.kind == ANSWERS or bool(page.understood.named)

    def _talk(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        draft.say(small_talk_code(request.text) or "about")

    def _outside(self, message: CustomerMessage, request: CustomerRequest, draft: ReplyDraft) -> None:
        if self._policies.contact(request.text, draft):
            draft.remember(misunderstood=0)
            draft.offer([HUMAN_AGENT])
        elif not self.misunderstood(request.text, draft):
            draft.say("out_of_scope")
            draft.offer([HUMAN_AGENT])

    def _unclear(self, message: CustomerMessage, reading: MessageReading, draft: ReplyDraft) -> None:
        text = message.text
        if (reading.probabilities is None or FIND_PRODUCT in reading.likely) and self._names_products(text, draft):
            draft.intent, draft.probability = FIND_PRODUCT, reading.probability(FIND_PRODUCT)
            draft.remember(misunderstood=0)
            self._search.find(message, text, draft)
            return
        if self._stated(text, {*reading.likely}, draft) or self._policies.contact(text, draft):
            draft.remember(misunderstood=0)
            draft.offer([HUMAN_AGENT])
            return
        if draft.state.reference:  # a person has the conversation already, and reads this too
            self._handover.hand_over(draft, MISUNDERSTOOD, text)
            return
        if self.misunderstood(text, draft):
            return
        draft.say("did_you_mean" if {*reading.likely} - {HUMAN_AGENT} else "not_understood")
        draft.offer([*reading.likely, HUMAN_AGENT])
        draft.expect(REPHRASE, question=text)

    def _stated(self, text: str, likely: set[str], draft: ReplyDraft) -> bool:
        """Answer a text that is not clear, where the policies or the product surely do; return whether so."""
        if not likely.isdisjoint(POLICY_INTENTS) and self._policies.answer(text, draft):
            return True
        if self._products.stated(text, draft):
            return True
        return not likely.isdisjoint((PRODUCT_QUESTION, SIZE_ADVICE)) and self._policies.answer(text, draft)

    def _names_products(self, text: str, draft: ReplyDraft) -> bool:
        """Return whether the words of a text name a kind of thing that the shop has."""
        page = self._search.page_of(text, draft)
        found = page is not None and page.verdict is not None and page.verdict.kind == ANSWERS
        return bool(found and page is not None and page.understood.named)


def small_talk_code(text: str) -> str:
    """Return the code that answers a greeting, thanks, goodbye or "never mind"; "" for any other text."""
    return next((code for kind, code in SMALL_TALK_CODES.items() if is_cue(kind, text)), "")
