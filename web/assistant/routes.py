"""The assistant's route: one message of a customer in, one reply out. No message is logged."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, request

from web.assistant.answers import answer_to
from web.assistant.requests import read_assistant_request
from web.assistant.service import assistant_service
from web.middleware.response_headers import no_store

bp = Blueprint("assistant", __name__)


@bp.post("/api/v1/assistant")
def answer() -> Response:
    """Answer one message of a customer: a question, an order's number, what to look for, or a photo of it.

    The reply's token continues the conversation with the next message.
    """
    assistant_service()  # before the message is read: without an assistant there is nothing here
    return no_store(jsonify(answer_to(*read_assistant_request(request)) | {"request_id": g.request_id}))
