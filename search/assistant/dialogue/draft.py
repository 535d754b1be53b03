"""A reply while it is put together: handlers add statements, sources and products, and change the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.errors import DeadlineExceeded, Overloaded, StepFailed
from search.assistant.dialogue.conversation import (
    MAX_CHOICES,
    DialogueState,
    HandedOver,
    LastSearch,
    Reply,
    ReplyPart,
    ReplySource,
)
from search.assistant.intents.classifier import IntentPrediction
from search.assistant.intents.names import HUMAN_AGENT
from search.execution.deadlines import Deadline
from search.hits import SearchHit

SEARCH_LATE = "search_late"
NOT_IN_TIME = (DeadlineExceeded, StepFailed, Overloaded)  # errors of a search that may work when tried again
# What is said after all answers: who has the conversation now, and what is still wanted.
LAST = (
    "handed_over",
    "handed_over_waiting",
    "handed_over_again",
    "leave_contact",
    "contact_taken",
    "person_unavailable",
    "contact_details",
)


@dataclass(slots=True)
class ReplyDraft:
    """What a reply holds so far. `email` is the mail address that the customer's message gives, "" without one.

    `deadline` is that of all searches for the message together, None without a limit.
    """

    state: DialogueState
    caller: str = ""  # of the message, as in CustomerMessage
    email: str = ""
    deadline: Deadline | None = None
    parts: list[ReplyPart] = field(default_factory=list)
    sources: list[ReplySource] = field(default_factory=list)
    products: tuple[SearchHit, ...] = ()
    search: LastSearch | None = None
    handed_over: HandedOver | None = None
    choices: tuple[str, ...] = ()
    stored: bool = False
    intent: str = ""
    probability: float = 0.0
    unclear: IntentPrediction | None = None  # of a message that was not understood

    @property
    def timeout_ms(self) -> int | None:
        """The milliseconds that are left for searches, None without a limit."""
        return None if self.deadline is None else self.deadline.left_ms

    @property
    def is_late(self) -> bool:
        """Whether all that there is to say is that a search was late."""
        return [part.code for part in self.parts] == [SEARCH_LATE]

    @contextmanager
    def says_when_late(self) -> Iterator[None]:
        """Say so where a search in the block is late, fails or is refused, and offer a person."""
        try:
            yield
        except NOT_IN_TIME:
            if all(part.code != SEARCH_LATE for part in self.parts):
                self.say(SEARCH_LATE)
                self.offer([HUMAN_AGENT])

    def say(self, code: str, **facts: object) -> None:
        """Add a statement."""
        self.parts.append(ReplyPart(code, facts))

    def cite(self, *sources: ReplySource) -> None:
        """Add sources, each once."""
        self.sources += [source for source in sources if source not in self.sources]

    def remember(self, **fields: Any) -> None:
        """Change fields of the state."""
        self.state = replace(self.state, **fields)

    def expect(self, what: str, question: str = "", intent: str = "") -> None:
        """Say what the next message should hold, and which question waits for it."""
        self.remember(expects=what, question=question, intent=intent, reminded=False)

    def offer(self, choices: Iterable[str]) -> None:
        """Offer choices to press, at most MAX_CHOICES."""
        self.choices = tuple(dict.fromkeys([*self.choices, *choices]))[:MAX_CHOICES]

    def fulfil(self) -> None:
        """Note that what was expected has come, or is no longer waited for."""
        self.remember(expects="", question="", intent="", reminded=False, order_number="", order_email="")

    def finish(self) -> Reply:
        """Return the reply."""
        return Reply(
            parts=tuple(sorted(self.parts, key=lambda part: part.code in LAST)),
            language=self.state.language,
            state=self.state,
            intent=self.intent,
            probability=self.probability,
            sources=tuple(self.sources),
            products=self.products,
            search=self.search,
            handed_over=self.handed_over,
            choices=self.choices,
            stored=self.stored,
        )
