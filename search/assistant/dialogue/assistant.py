"""The assistant: one customer's message and the state of the conversation become a reply.

What is done depends on the customer's own message and the state alone. No text of the shop, be it a product, a review
or a policy, is ever read as a request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from search.assistant.dialogue.conversation import (
    HUMAN,
    RESTART,
    CustomerMessage,
    DialogueState,
    Reply,
)
from search.assistant.dialogue.cues import BYE, GREETING, LEAVE, MORE, PERSON, THANKS, has_cue, is_cue
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.reply_language import reply_language
from search.assistant.dialogue.search_turns import SearchTurns

if TYPE_CHECKING:
    from search.engine import SearchEngine

FIND_PRODUCT, HUMAN_AGENT, SMALL_TALK = "find_product", "human_agent", "small_talk"


class Assistant:
    """Replies to the customers of one shop. Threads share it."""

    def __init__(self, engine: SearchEngine) -> None:
        self._search = SearchTurns(engine)

    def reply(self, message: CustomerMessage, state: DialogueState | None = None) -> Reply:
        """Return the reply to a message; without a state, a conversation begins."""
        if state is None or message.action == RESTART:
            state = DialogueState(secrets.token_urlsafe(12), language=state.language if state else "")
        draft = ReplyDraft(state)
        draft.remember(
            language=reply_language(message.text, state.language, message.language),
            product_id=message.product_id or state.product_id,
        )
        self._answer(message, draft)
        return draft.finish()

    def _answer(self, message: CustomerMessage, draft: ReplyDraft) -> None:
        text = message.text.strip()
        if message.action == HUMAN or has_cue(PERSON, text):
            self._hand_over(draft)
        elif message.picture is not None:
            draft.intent = FIND_PRODUCT
            self._search.find(message, text, draft)
        elif talk := _small_talk(text):
            talk(draft)
        elif is_cue(MORE, text) and draft.state.search:
            draft.intent = FIND_PRODUCT
            self._search.more(message, draft)
        else:
            draft.intent = FIND_PRODUCT
            self._search.find(message, text, draft)

    def _hand_over(self, draft: ReplyDraft) -> None:
        draft.intent = HUMAN_AGENT
        draft.say("person_unavailable")


def _small_talk(text: str) -> Callable[[ReplyDraft], None] | None:
    """Return what answers a greeting, thanks, goodbye or an empty message; None for any other text."""
    codes = {GREETING: "greeting", THANKS: "thanks", BYE: "bye", LEAVE: "left"}
    code = "greeting" if not text else next((codes[kind] for kind in codes if is_cue(kind, text)), "")

    def say(draft: ReplyDraft) -> None:
        draft.intent = SMALL_TALK
        draft.say(code)

    return say if code else None
