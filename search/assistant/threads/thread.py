"""The types of a conversation: a thread, its messages, what staff corrected in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from catalog.errors import BadQuery
from search.assistant.threads.masking import ORDER, mask, mask_order

CUSTOMER, ASSISTANT, PERSON = "customer", "assistant", "person"  # who wrote a message; a person is one of the staff
ROLES = (CUSTOMER, ASSISTANT, PERSON)
OPEN, WAITING, ANSWERED, CLOSED = "open", "waiting", "answered", "closed"  # waiting is for a person
STATES = (OPEN, WAITING, ANSWERED, CLOSED)
NORMAL, HIGH, URGENT = 0, 1, 2
PRIORITIES = (NORMAL, HIGH, URGENT)
MAX_TEXT, MAX_MESSAGES = 4_000, 400  # characters of a message, messages of a thread
MAX_THREAD_ID = 64
ORDER_SOURCE = "order"  # the kind of source that an order is; codes of replies about orders have the word too
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message. `at` is unix time, 0 for now; `number` counts from 1 in its thread and is given by the store.

    Of a customer's message, `intent` and `probability` are what the assistant understood. Of a reply, `code` names the
    reply and `sources` are what it was made of, as JSON values. `author` is the name of the key of a person.
    """

    role: str
    text: str
    at: float = 0.0
    language: str = "en"
    intent: str = ""
    probability: float | None = None
    code: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()
    author: str = ""
    number: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the message as JSON values, with the time in ISO 8601 (UTC) and without empty ones."""
        values = {
            "number": self.number,
            "role": self.role,
            "text": self.text,
            "at": iso_time(self.at),
            "language": self.language,
            "intent": self.intent,
            "probability": self.probability,
            "code": self.code,
            "sources": list(self.sources),
            "author": self.author,
        }
        return {name: value for name, value in values.items() if value not in (None, "", [])}


@dataclass(frozen=True, slots=True)
class ThreadCorrection:
    """What staff set right of a message: its intent, or the id of the passage that answers it; "" leaves one open."""

    intent: str = ""
    passage: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class CorrectedMessage:
    """A corrected message to learn from: its text with personal data masked, its language, what staff set right."""

    text: str
    language: str
    intent: str
    passage: str
    at: float


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """A thread in a list. `excerpt` is the customer's last message, masked; times are unix seconds."""

    id: str
    state: str
    queue: str
    priority: int
    language: str
    product_id: str
    started: float
    changed: float
    messages: int
    excerpt: str

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return _facts(self) | {"messages": self.messages, "excerpt": self.excerpt}


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with all of its messages, oldest first, and corrections by the number of the message."""

    id: str
    state: str
    queue: str
    priority: int
    language: str
    product_id: str
    started: float
    changed: float
    messages: tuple[ThreadMessage, ...]
    corrections: Mapping[int, ThreadCorrection] = field(default_factory=dict)

    def masked(self) -> Thread:
        """Return the thread with personal data masked in what the customer and the assistant wrote."""
        return replace(self, messages=tuple(map(_masked, self.messages)))

    def to_dict(self) -> dict[str, Any]:
        """Return the thread as JSON values; a corrected message has what was set right."""
        messages = []
        for message in self.messages:
            values = message.to_dict()
            if correction := self.corrections.get(message.number):
                values["corrected"] = {"intent": correction.intent or None, "passage": correction.passage or None}
            messages.append(values)
        return _facts(self) | {"messages": messages}


def _masked(message: ThreadMessage) -> ThreadMessage:
    """Return a message without personal data; staff know what they wrote themselves."""
    if message.role == PERSON:
        return message
    if message.role == CUSTOMER or ORDER_SOURCE not in message.code + "".join(map(_kind, message.sources)):
        return replace(message, text=mask(message.text))
    sources = (
        {**source, "title": ORDER, "url": ""} if _kind(source) == ORDER_SOURCE else source for source in message.sources
    )
    return replace(message, text=mask_order(message.text), sources=tuple(sources))


def _kind(source: Mapping[str, Any]) -> str:
    return str(source.get("kind", ""))


def new_thread_id() -> str:
    """Return a random id: who does not have it cannot guess it."""
    return secrets.token_urlsafe(_ID_BYTES)


def _facts(thread: Thread | ThreadSummary) -> dict[str, Any]:
    """Return as JSON values what a thread and its line in a list have in common."""
    return {
        "id": thread.id,
        "state": thread.state,
        "queue": thread.queue,
        "priority": thread.priority,
        "language": thread.language,
        "product_id": thread.product_id or None,
        "started": iso_time(thread.started),
        "changed": iso_time(thread.changed),
    }


def iso_time(at: float) -> str:
    """Return a unix time as text, such as 2026-03-01T12:00:00Z."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def check_message(message: ThreadMessage) -> None:
    """Raise BadQuery for a message that cannot be stored."""
    if message.role not in ROLES:
        raise BadQuery(f"A message cannot be of {message.role!r}.", f"It is of one of: {', '.join(ROLES)}.")
    if len(message.text) > MAX_TEXT:
        raise BadQuery(
            f"The message has {len(message.text):,} characters; the limit is {MAX_TEXT:,}.", "Send a shorter one."
        )
