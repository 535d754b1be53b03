"""The API of conversations, for staff with a key: list, read, answer, correct, close, erase, export.

A conversation that was handed over is shown as the customer wrote it. Of any other, personal data is masked: nobody
asked a person to read it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from catalog.errors import BadQuery
from search.assistant.handover.queues import PRIORITY_NAMES
from search.assistant.intents.names import INTENTS
from search.assistant.threads.thread import PERSON, ThreadCorrection, ThreadMessage
from web.conversations.desk import ServiceDesk, desk_of
from web.conversations.requests import MessageCorrection, PersonAnswer, ThreadsOf, ThreadsPage, ThreadState
from web.middleware.auth import current_key
from web.middleware.response_headers import no_store
from web.requests.validation import read_json, validate

REQUESTED_BY_STAFF = "requested_by_staff"
bp = Blueprint("threads", __name__)


@bp.get("/api/v1/threads")
def threads() -> Response:
    """Return conversations: those that wait first, by priority, the longest wait first. Personal data is masked."""
    page, desk = validate(ThreadsPage, request.args.to_dict()), _desk()
    found, total = desk.store.page(page.filter(), page.offset, page.k)
    states = desk.handovers.delivery_states([summary.id for summary in found])
    listed = [summary.to_dict() | {"delivery": states.get(summary.id)} for summary in found]
    counts = [
        {"queue": queue, "state": state, "threads": number}
        for queue, by_state in sorted(desk.store.counts().items())
        for state, number in sorted(by_state.items())
    ]
    return no_store(jsonify(threads=listed, total=total, counts=counts, request_id=g.request_id))


@bp.get("/api/v1/threads/<thread_id>")
def thread(thread_id: str) -> Response:
    """Return a conversation with what the assistant understood, its hand-over, and whether that has arrived."""
    return _described(thread_id)


@bp.post("/api/v1/threads/<thread_id>/messages")
def answer(thread_id: str) -> Response:
    """Answer a customer: the conversation shows it when the customer's page asks again."""
    text, store = read_json(PersonAnswer, request).text, _desk().store
    language = store.thread(thread_id).language
    store.append(thread_id, ThreadMessage(PERSON, text, language=language, author=_key_name()))
    return _described(thread_id, 201)


@bp.post("/api/v1/threads/<thread_id>/state")
def change_state(thread_id: str) -> Response:
    """Close a conversation, or set another state; the customer's next message reopens a closed one."""
    _desk().store.set_state(thread_id, read_json(ThreadState, request).state)
    return _described(thread_id)


@bp.post("/api/v1/threads/<thread_id>/corrections")
def correct(thread_id: str) -> Response:
    """Set right what the assistant understood of a message; `windowshop learn` learns from it."""
    body = read_json(MessageCorrection, request)
    if not body.intent and not body.passage.strip():
        raise BadQuery("The correction is empty.", "Send the right intent, or the id of the right passage.")
    correction = ThreadCorrection(body.intent or "", body.passage.strip(), _key_name())
    _desk().store.correct(thread_id, body.message, correction)
    return _described(thread_id)


@bp.post("/api/v1/threads/<thread_id>/handover")
def hand_over(thread_id: str) -> Response:
    """Send a hand-over again that failed or waits; a conversation without one is handed over."""
    desk = _desk()
    if desk.handovers.of_thread(thread_id) is None:
        summary = desk.store.thread(thread_id)
        desk.handovers.request(thread_id, REQUESTED_BY_STAFF, summary.queue or "general", summary.priority)
    else:
        desk.handovers.send_again(thread_id)
    return _described(thread_id)


@bp.delete("/api/v1/threads/<thread_id>")
def erase(thread_id: str) -> Response:
    """Erase a conversation with its hand-over and corrections. The answer is the same whether it was there."""
    _desk().store.erase(thread_id)
    return make_response("", 204)


@bp.get("/api/v1/threads/<thread_id>/export")
def export_thread(thread_id: str) -> Response:
    """Return a conversation with all that is stored of it, as a file."""
    return _file(_desk().store.export([thread_id]), "conversation.json")


@bp.get("/api/v1/threads/export")
def export() -> Response:
    """Return all conversations of a visitor or of an address of e-mail, as a file, for one who asks what is stored."""
    store = _desk().store
    return _file(store.export(_selected()), "conversations.json")


@bp.delete("/api/v1/threads")
def erase_all() -> Response:
    """Erase all conversations of a visitor or of an address of e-mail; return how many there were."""
    store = _desk().store
    erased = sum(store.erase(thread_id) for thread_id in _selected())
    return jsonify(erased=erased, request_id=g.request_id)


def _selected() -> Sequence[str]:
    """Return the ids of the conversations that the request is about. Raises BadQuery."""
    chosen, store = validate(ThreadsOf, request.args.to_dict()), _desk().store
    if (chosen.visitor is None) == (chosen.email_sha256 is None):
        raise BadQuery("Whose conversations?", "Send either visitor or email_sha256.")
    if chosen.visitor is not None:
        return store.ids_of_visitor(chosen.visitor)
    return store.ids_of_mail(chosen.email_sha256 or "")


def _described(thread_id: str, status: int = 200) -> Response:
    desk = _desk()
    handover = desk.handovers.of_thread(thread_id)
    found = desk.store.thread(thread_id)
    described: dict[str, Any] = (found if handover else found.masked()).to_dict()
    described |= {"masked": handover is None, "handover": handover.to_dict() if handover else None}
    choices = {"intents": list(INTENTS), "priorities": list(PRIORITY_NAMES)}
    return no_store(make_response(jsonify(thread=described, **choices, request_id=g.request_id), status))


def _file(exported: list[dict[str, Any]], name: str) -> Response:
    text = json.dumps({"conversations": exported}, ensure_ascii=False, indent=2)
    response = no_store(Response(text, content_type="application/json; charset=utf-8"))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _desk() -> ServiceDesk:
    return desk_of(current_app)


def _key_name() -> str:
    key = current_key()
    return key.name if key is not None else ""
