"""One message in, one answer out: what the API's route and the page without scripts share."""

from __future__ import annotations

from typing import Any

from search.assistant.dialogue.conversation import CustomerMessage
from web.assistant.rendering import reply_json, reply_text
from web.assistant.service import assistant_service


def answer_to(message: CustomerMessage, token: str) -> dict[str, Any]:
    """Return the answer to a message as JSON values, with the next token; `token` is "" for a new conversation.

    Raises BadConversation, NotReady; aborts with 404 where the shop has no assistant.
    """
    service = assistant_service()
    tokens = service.tokens()
    reply = service.assistant().reply(message, tokens.read(token) if token else None)
    return reply_json(reply, reply_text(reply)) | {"token": tokens.make(reply.state)}
