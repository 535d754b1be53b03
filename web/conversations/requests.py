"""The requests of staff about conversations: which to list, an answer, a state, a correction, whose to export."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.assistant.handover.queues import PRIORITY_NAMES
from search.assistant.intents.names import INTENTS
from search.assistant.threads.thread import MAX_MESSAGES, MAX_TEXT, STATES
from search.assistant.threads.thread_store import MAX_LISTED, ThreadFilter
from web.requests.recommend_request import Visitor
from web.requests.validation import Body, ChoiceOf, Parameters, Text, Whole

LAST = 2**31 - 1
MAX_QUEUE, MAX_PASSAGE = 40, 300  # characters


class ThreadsPage(Parameters):
    """Which conversations to return; without a filter all, those first that wait for a person."""

    state: Annotated[str, ChoiceOf(STATES)] | None = None
    queue: Annotated[Text, Field(max_length=MAX_QUEUE, examples=["orders"])] = ""
    priority: Annotated[str, ChoiceOf(tuple(PRIORITY_NAMES))] | None = None
    offset: Annotated[int, Field(ge=0, le=LAST, examples=[0]), Whole] = 0
    k: Annotated[int, Field(ge=1, le=MAX_LISTED, examples=[50]), Whole] = 50

    def filter(self) -> ThreadFilter:
        """Return the filter of the store."""
        priority = None if self.priority is None else PRIORITY_NAMES[self.priority]
        return ThreadFilter(self.state or "", self.queue, priority)


class PersonAnswer(Body):
    """What a person answers; the customer sees it in the conversation."""

    example = '{"text": "Your parcel was found and comes tomorrow."}'
    runnable = False
    text: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


class ThreadState(Body):
    """The state of a conversation."""

    example = '{"state": "closed"}'
    runnable = False
    state: Annotated[str, ChoiceOf(STATES)]


class MessageCorrection(Body):
    """What the assistant should have understood: the intent of a customer's message, or the passage that answers it."""

    example = '{"message": 1, "intent": "return_refund"}'
    runnable = False
    message: Annotated[int, Field(strict=True, ge=1, le=MAX_MESSAGES)]
    intent: Annotated[str, ChoiceOf(INTENTS)] | None = None
    passage: Annotated[Text, Field(max_length=MAX_PASSAGE, description="The id of a passage of a policy.")] = ""


class ThreadsOf(Parameters):
    """Whose conversations: of a visitor's id, or of an address of e-mail by the SHA-256 of it in small letters."""

    visitor: Visitor | None = None
    email_sha256: Annotated[Text, Field(pattern=r"^[0-9a-fA-F]{64}$", examples=["0" * 64])] | None = None
