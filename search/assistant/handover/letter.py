"""What a hand-over says: a plain text for mail, and JSON for a webhook, both with the whole conversation."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from search.assistant.handover.handover import HandoverSettings, MailSettings, StoredHandover
from search.assistant.threads.thread import ASSISTANT, CUSTOMER, PERSON, URGENT, Thread, iso_time

WRITERS = {CUSTOMER: "Customer", ASSISTANT: "Assistant", PERSON: "Staff"}
PRIORITY_WORDS = ("normal", "high", "urgent")
EVENT = "handover"


def letter(
    thread: Thread, handover: StoredHandover, update: int, mail: MailSettings, settings: HandoverSettings
) -> EmailMessage:
    """Return the mail of a hand-over. A reply goes to the customer, where the address is known.

    What customers wrote stands in the body alone, which is plain text. Headers are made of what this program writes, of
    settings, and of an address that was checked.
    """
    message = EmailMessage(policy=SMTP)
    again = "" if update == 1 else f" (update {update})"
    mark = "[URGENT] " if handover.priority >= URGENT else ""
    message["Subject"] = f"{mark}Customer service: {handover.queue}, {handover.reference}{again}"
    message["From"] = Address(_one_line(settings.shop_name), addr_spec=mail.sender)
    message["To"] = ", ".join(mail.to)
    if handover.contact.email:
        message["Reply-To"] = handover.contact.email
    message["Date"] = format_datetime(datetime.now(timezone.utc))
    domain = mail.sender.rpartition("@")[2]
    message["Message-ID"] = f"<{handover.reference}.{update}.handover@{domain}>"
    if update > 1:
        message["In-Reply-To"] = message["References"] = f"<{handover.reference}.1.handover@{domain}>"
    message.set_content(letter_text(thread, handover, settings))
    return message


def letter_text(thread: Thread, handover: StoredHandover, settings: HandoverSettings) -> str:
    """Return a hand-over as plain text: what staff need first, then the conversation."""
    facts = [
        ("Reference", handover.reference),
        ("Queue", f"{handover.queue}, priority {PRIORITY_WORDS[handover.priority]}"),
        ("Reason", handover.reason),
        ("Language", thread.language),
        ("Contact", " ".join(filter(None, (handover.contact.name, handover.contact.email))) or "none left"),
        ("Proved order", handover.order_number or "none"),
        ("Product", thread.product_id),
        ("Conversation", conversation_url(thread.id, settings)),
    ]
    lines = [f"{name}: {_one_line(value)}" for name, value in facts if value]
    for message in thread.messages:
        understood = f" (understood as {message.intent})" if message.intent and message.role == CUSTOMER else ""
        lines += ["", f"{WRITERS[message.role]}, {iso_time(message.at)}{understood}:"]
        lines += [f"    {_printable(line)}" for line in message.text.splitlines() or [""]]
    return "\n".join(lines) + "\n"


def payload(thread: Thread, handover: StoredHandover, update: int, settings: HandoverSettings) -> bytes:
    """Return a hand-over as JSON (UTF-8) for a webhook."""
    values: dict[str, Any] = {
        "event": EVENT,
        "shop": settings.shop_name,
        "reference": handover.reference,
        "update": update,
        "reason": handover.reason,
        "queue": handover.queue,
        "priority": PRIORITY_WORDS[handover.priority],
        "contact": {"email": handover.contact.email or None, "name": handover.contact.name or None},
        "order_number": handover.order_number or None,
        "url": conversation_url(thread.id, settings) or None,
        "thread": thread.to_dict(),
    }
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")


def conversation_url(thread_id: str, settings: HandoverSettings) -> str:
    """Return where staff see a conversation, "" where the shop's address on the web is not set."""
    return f"{settings.public_url}/merchant/conversations#{thread_id}" if settings.public_url else ""


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    """Return a text without characters that steer a terminal or reverse the text."""
    return "".join(letter if letter.isprintable() or letter == "\t" else " " for letter in text)
