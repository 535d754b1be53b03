"""One message in, one answer out: what the API's route and the page without scripts share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from search.assistant.dialogue.conversation import CustomerMessage
from web.assistant.rendering import choice_of, reply_json, reply_text
from web.assistant.service import assistant_service
from web.middleware.rate_limits import caller_name


def answer_to(message: CustomerMessage, token: str) -> dict[str, Any]:
    """Return the answer to a message as JSON values, with the next token; `token` is "" for a new conversation.

    What the customer reads is stored with the conversation. Raises BadConversation, NotReady; aborts with 404 where
    the shop has no assistant.
    """
    service = assistant_service()
    tokens = service.tokens()
    state = tokens.read(token) if token else None
    assistant = service.assistant()
    message = replace(message, choice=choice_of(message.text), caller=caller_name())
    reply = assistant.reply(message, state)
    text = reply_text(reply)
    answer = reply_json(reply, text)
    assistant.store_reply(reply, text, answer["sources"])
    return answer | {"token": tokens.make(reply.state)}
