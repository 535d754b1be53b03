"""The types of a hand-over: its settings, the contact that a customer leaves, and what becomes of it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import BadInput
from search.assistant.services.signed_post import Service
from search.assistant.threads.mail_addresses import ascii_address
from search.assistant.threads.thread import iso_time

MAIL, WEBHOOK = "mail", "webhook"
PENDING, SENT, FAILED = "pending", "sent", "failed"
MAX_NAME = 100
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that are taken for another when they are read out
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")


@dataclass(frozen=True, slots=True)
class Contact:
    """How a customer can be reached, "" where it is not known."""

    email: str = ""
    name: str = ""

    @classmethod
    def read(cls, email: str, name: str = "") -> Contact:
        """Return a contact of what somebody typed: an address that is none is left out, a name is one line."""
        typed = ascii_address(email) if email else ""
        one_line = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
        return cls(typed if _MAIL.fullmatch(typed) else "", one_line[:MAX_NAME])


@dataclass(frozen=True, slots=True, repr=False)
class MailSettings:
    """Where hand-overs are mailed: recipients, the sender, and the mail server as smtp(s)://user:password@host:port."""

    to: tuple[str, ...]
    sender: str
    server: str

    @classmethod
    def read(cls, to: str, server: str, sender: str = "") -> MailSettings:
        """Return settings of recipients with commas between; the first one sends if there is no sender.

        Raises BadInput for what is no address.
        """
        recipients = tuple(part for text in to.split(",") if (part := text.strip()))
        chosen = sender.strip() or (recipients[0] if recipients else "")
        for address in (*recipients, chosen):
            if not _MAIL.fullmatch(address):
                raise BadInput(f"{address[:100]!r} is no address of e-mail.", "For example service@shop.example.")
        return cls(recipients, chosen, server)


@dataclass(frozen=True, slots=True)
class HandoverSettings:
    """Where hand-overs go. Without mail and webhook, they wait on the page of conversations."""

    mail: MailSettings | None = None
    webhook: Service | None = None
    shop_name: str = "Windowshop"
    public_url: str = ""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that hand-overs are sent by."""
        return tuple(name for name, used in ((MAIL, self.mail), (WEBHOOK, self.webhook)) if used is not None)


@dataclass(frozen=True, slots=True)
class Handover:
    """A hand-over. `reachable` says that somebody gets it by mail or webhook; else it waits on the staff's page."""

    reference: str
    queue: str
    priority: int
    reachable: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One sending of a hand-over by a channel; `update` counts the sendings of one hand-over."""

    channel: str
    update: int
    state: str
    attempts: int
    error: str
    retry_at: float
    sent_at: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the delivery as JSON values."""
        return {
            "channel": self.channel,
            "update": self.update,
            "state": self.state,
            "attempts": self.attempts,
            "error": self.error or None,
            "retry_at": iso_time(self.retry_at) if self.state == PENDING else None,
            "sent_at": None if self.sent_at is None else iso_time(self.sent_at),
        }


@dataclass(frozen=True, slots=True)
class StoredHandover:
    """A hand-over as stored, with its deliveries, the latest first."""

    thread_id: str
    reference: str
    at: float
    reason: str
    queue: str
    priority: int
    contact: Contact
    order_number: str
    deliveries: tuple[Delivery, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the hand-over as JSON values."""
        return {
            "reference": self.reference,
            "at": iso_time(self.at),
            "reason": self.reason,
            "queue": self.queue,
            "priority": self.priority,
            "email": self.contact.email or None,
            "name": self.contact.name or None,
            "order_number": self.order_number or None,
            "deliveries": [delivery.to_dict() for delivery in self.deliveries],
        }


def new_reference() -> str:
    """Return a random reference that people can read out, such as K7QF-2M9X."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
