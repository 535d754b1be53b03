"""One message in, one answer out: what the API's route and the page without scripts share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from search.assistant.dialogue.conversation import CustomerMessage, Reply
from search.assistant.threads.thread import iso_time
from web.assistant.rendering import choice_of, reply_json, reply_text
from web.assistant.service import assistant_service
from web.middleware.rate_limits import customer_name


def answer_to(message: CustomerMessage, token: str) -> dict[str, Any]:
    """Return the answer to a message as JSON values, with the next token; `token` is "" for a new conversation.

    What the customer reads is stored with the conversation. An empty message in a conversation asks for the answers of
    staff alone, which come with every other answer too. Raises BadConversation, NotReady; aborts
    with 404 where the shop has no assistant.
    """
    service = assistant_service()
    tokens = service.tokens()
    state = tokens.read(token) if token else None
    assistant = service.assistant()
    message = replace(message, choice=choice_of(message.text), caller=customer_name(service.trusts_proxies))
    if state is not None and message.is_empty:
        reply = Reply((), state.language, state)
    else:
        reply = assistant.reply(message, state)
    text = reply_text(reply)
    answer = reply_json(reply, text)
    assistant.store_reply(reply, text, answer["sources"])
    written, state = assistant.answers_of_staff(reply.state)
    messages = [{"role": note.role, "text": note.text, "at": iso_time(note.at)} for note in written]
    return answer | {"messages": messages, "token": tokens.make(state)}
