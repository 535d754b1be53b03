"""The page of the assistant: a conversation of plain forms, for browsers without scripts.

Each form carries the state token and the transcript, so that the server stores no page of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request

from catalog.errors import BadConversation, WindowshopError
from catalog.product import Product
from search.assistant.dialogue.conversation import ACTIONS, MAX_MESSAGE
from web.assistant.answers import answer_to
from web.assistant.requests import AssistantRequest, message_of
from web.assistant.service import assistant_service
from web.assistant.transcript import (
    ASSISTANT,
    CUSTOMER,
    PERSON,
    TranscriptEntry,
    Transcripts,
    TranscriptSource,
)
from web.engine import get_engine
from web.errors import status_of
from web.i18n.language import language
from web.i18n.messages import ASSISTANT_PANEL, page_messages
from web.middleware.response_headers import no_store
from web.requests.validation import validate

LOOK = "look"  # the button that asks for answers of staff
TYPED = ("message", "order_number", "order_email", "contact_email", "contact_name")
PROBLEMS: Mapping[int, str] = {413: "too_large", 415: "bad_photo", 503: "busy", 504: "busy"}
bp = Blueprint("assistant_page", __name__)


@dataclass(frozen=True, slots=True)
class ConversationView:
    """What the page shows: the entries, the state token, and the problem with what was typed, if it was not sent.

    `unanswered` says that somebody asked for an answer of staff, and there was none.
    """

    entries: tuple[TranscriptEntry, ...] = ()
    token: str = ""
    problem: str = ""
    status: int = 200
    unanswered: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)


@bp.get("/assistant")
def page() -> Response:
    """Render the page with an empty conversation, about a product where the address names one.

    A `message` in the address stands in the form, to be sent or changed.
    """
    assistant_service()
    return _rendered(ConversationView(typed={"message": request.args.get("message", "")[:MAX_MESSAGE]}))


@bp.post("/assistant")
def send() -> Response:
    """Send what one of the page's forms holds, and render the conversation with the answer.

    Where it cannot be answered, the page says why, and the form still has what was typed.
    """
    assistant_service()
    sent, token = request.form.to_dict(), request.form.get("token", "")
    before = Transcripts(get_engine().key).read(sent.get("transcript", ""))
    looks = sent.get("action") == LOOK
    typed = {name: sent.get(name, "") for name in TYPED}
    try:
        entries, token = _continued(before, token, {"action": LOOK} if looks else sent)
    except WindowshopError as error:
        problem, token = _problem(error, token)
        return _rendered(ConversationView(before, token, problem, status_of(error), typed=typed))
    if looks:
        return _rendered(ConversationView(entries, token, unanswered=entries == before, typed=typed))
    return _rendered(ConversationView(entries, token))


def _continued(
    entries: tuple[TranscriptEntry, ...], token: str, sent: Mapping[str, str]
) -> tuple[tuple[TranscriptEntry, ...], str]:
    """Return the entries with what was sent and the answer to it, and the next token. Raises WindowshopError."""
    fields, page_language = _fields(sent), language()
    text = _shown(fields)
    if not text and not (token and sent.get("action") == LOOK):
        return entries, token
    message = message_of(validate(AssistantRequest, fields))
    answer = answer_to(message, token)
    g.language = page_language  # the answer is in the language of the message, and the page stays in its own
    own = (TranscriptEntry(CUSTOMER, text),) if text else ()
    staff = (TranscriptEntry(PERSON, written["text"]) for written in answer["messages"])
    reply = (_entry(answer),) if answer["reply"]["text"] else ()
    return (*entries, *own, *staff, *reply), answer["token"]


def _fields(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the API that a form of the page holds."""
    upload = next((file for file in request.files.getlist("image") if file.filename), None)
    fields: dict[str, Any] = {name: sent[name] for name in ("message", "product_id") if sent.get(name)}
    if sent.get("action") in ACTIONS:
        fields["action"] = sent["action"]
    fields |= {"language": language()} | ({"image": upload} if upload else {})
    if sent.get("order_number"):
        fields["order"] = {"number": sent["order_number"].strip(), "email": sent.get("order_email", "").strip()}
    if sent.get("contact_email"):
        fields["contact"] = {"email": sent["contact_email"].strip(), "name": sent.get("contact_name", "").strip()}
    return fields


def _shown(fields: Mapping[str, Any]) -> str:
    """Return what the conversation shows of a message: the words, or what was pressed; "" where there is nothing."""
    words = page_messages(ASSISTANT_PANEL, language())
    text: str = fields.get("message", "").strip()
    if "order" in fields:
        return words["order_sent"].replace("{number}", fields["order"]["number"])
    if "contact" in fields:
        return words["contact_sent"]
    if "image" in fields:
        return "\n".join(filter(None, (f"[{words['photo']}]", text)))
    return text or (words["human"] if "action" in fields else "")


def _entry(payload: Mapping[str, Any]) -> TranscriptEntry:
    """Return an answer of the API as an entry."""
    handed_over = payload["handed_over"] or {}
    return TranscriptEntry(
        ASSISTANT,
        payload["reply"]["text"],
        payload["reply"]["language"],
        tuple(_source(source) for source in payload["sources"]),
        tuple(product["id"] for product in payload["products"]),
        payload["search_url"] or "",
        handed_over.get("reference", ""),
        tuple(payload["suggestions"]),
        payload["expects"] or "",
    )


def _source(fields: Mapping[str, str | None]) -> TranscriptSource:
    return TranscriptSource(*(fields[name] or "" for name in ("kind", "title", "text", "url")))


def _problem(error: WindowshopError, token: str) -> tuple[str, str]:
    """Return the key of what went wrong, and the token to go on with: none where the token itself was refused."""
    if isinstance(error, BadConversation):
        return "expired", ""
    return PROBLEMS.get(status_of(error), "unanswered"), token


def _rendered(view: ConversationView) -> Response:
    last = next((entry for entry in reversed(view.entries) if entry.role != PERSON), None)
    html = render_template(
        "assistant.html",
        entries=view.entries,
        last=last if last and last.role == ASSISTANT else None,
        token=view.token,
        transcript=Transcripts(get_engine().key).write(view.entries) if view.entries else "",
        problem=view.problem,
        unanswered=view.unanswered,
        typed=view.typed,
        product=_product(),
        products=_products(view.entries),
    )
    return no_store(make_response(html, view.status))


def _product() -> Product | None:
    """Return the product that the conversation is about, if the shop has it."""
    product_id = request.values.get("product_id", "")
    return get_engine().find([product_id]).get(product_id) if product_id else None


def _products(entries: Sequence[TranscriptEntry]) -> dict[str, Product]:
    ids = list(dict.fromkeys(product_id for entry in entries for product_id in entry.products))
    return get_engine().find(ids) if ids else {}
