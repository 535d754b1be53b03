"""Questions about returns, delivery, payment and changes of an order: answered by the shop's own policies, or not."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import WindowshopError
from catalog.text.glossary import ENGLISH
from catalog.text.tokenizer import normalise
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
from search.assistant.dialogue.slots import email_in

POLICY = "policy"
CONTACT_QUESTIONS: Mapping[str, str] = {
    ENGLISH: "How can I contact customer service?",
    "zh": "怎么联系客服？电话和邮箱是多少？",
    "de": "Wie erreiche ich den Kundenservice per Telefon oder E-Mail?",
    "fr": "Comment joindre le service client par téléphone ou e-mail ?",
    "es": "¿Cómo contacto con atención al cliente por teléfono o correo?",
}
_OF_CONTACT = re.compile(r"contact|kontakt|联系|客服")  # in the name of a file, or in a heading
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()/.-]{5,}\d(?!\w)")
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

    def contact(self, text: str, draft: ReplyDraft) -> bool:
        """Say how the shop is reached, where that is what a customer asks and the policies state it."""
        passage = self._contact_passage(text, draft.state.language)
        if passage is not None:
            draft.say("policy_answer", passage=passage.text)
            draft.cite(_source(passage))
        return passage is not None

    def add_contact(self, draft: ReplyDraft) -> None:
        """Add how the shop is reached to a reply that calls a person, once, where the policies state it."""
        question = CONTACT_QUESTIONS.get(draft.state.language, CONTACT_QUESTIONS[ENGLISH])
        passage = self._contact_passage(question, draft.state.language)
        if passage is not None and _source(passage) not in draft.sources:
            draft.say("contact_details", passage=passage.text)
            draft.cite(_source(passage))

    def _contact_passage(self, text: str, language: str) -> StatedPassage | None:
        """Return the passage with a mail address or telephone number that a question is about.

        It surely answers, or its file or heading is that of contacts.
        """
        found = self._found(text, language)
        if found is None or not found.hits:
            return None
        passage = found.hits[0].passage
        named = _OF_CONTACT.search(normalise(f"{passage.topic} {passage.heading}"))
        if not named and found.status != ANSWERED:
            return None
        return passage if email_in(passage.text) or _PHONE.search(passage.text) else None

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
