"""Questions about returns, delivery, payment and changes of an order: answered by the shop's own policies, or not."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from catalog.errors import WindowshopError
from search.assistant.dialogue.conversation import ReplySource
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.knowledge import (
    ANSWERED,
    UNSURE,
    PolicyKnowledge,
    PolicyReply,
    PolicyWords,
    StatedPassage,
)

POLICY = "policy"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyTurns:
    """Answers from policies; without any, they cannot be looked up. `words` may word them, else a passage is shown."""

    policies: PolicyKnowledge | None = None
    words: PolicyWords | None = None

    def answer(self, text: str, draft: ReplyDraft) -> bool:
        """Say the passage that surely answers a question, with its source; return whether there is one."""
        found = self._found(text, draft.state.language)
        if found is None or found.status != ANSWERED or not found.hits:
            return False
        passages = [hit.passage for hit in found.hits]
        texts = [passage.text for passage in passages]
        if self.words and (worded := self.words.write(text, texts, draft.state.language)):
            draft.say("policy_worded", passage=worded)  # its citations count the sources
        else:
            passages = passages[:1]
            draft.say("policy_answer", passage=texts[0])
        for passage in passages:
            draft.cite(_source(passage))
        return True

    def answer_or_say_why(self, text: str, draft: ReplyDraft) -> None:
        """Answer a question, or say that the policies do not; a passage that may help is shown as no more than that."""
        if self.answer(text, draft):
            return
        found = self._found(text, draft.state.language)
        if found is None:
            draft.say("cannot_look_up")
        elif found.status == UNSURE and found.hits:
            passage = found.hits[0].passage
            draft.say("policy_unsure", passage=passage.text)
            draft.cite(_source(passage))
        else:
            draft.say("policy_not_stated")

    def _found(self, text: str, language: str) -> PolicyReply | None:
        if self.policies is None:
            return None
        try:
            return self.policies.answer(text, language)
        except WindowshopError as error:
            log.error("Policies cannot be searched: %s", error)
            return None


def _source(passage: StatedPassage) -> ReplySource:
    return ReplySource(POLICY, passage.heading or passage.topic, passage.text)
