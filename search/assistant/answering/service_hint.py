"""Whether words in the search box are a question to the shop's service and no search: "where is my order"."""

from __future__ import annotations

from dataclasses import dataclass

from search.assistant.dialogue.knowledge import ANSWERED, PolicyKnowledge, StatedPassage
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.intents.names import SERVICE_INTENTS
from search.hits import SearchPage
from search.language.detection import language_of

MIN_PROBABILITY = 0.7
MAX_HINT_TEXT = 200  # characters; longer words in the search box are no question


@dataclass(frozen=True, slots=True)
class ServiceHint:
    """What a search is about that is a question: its intent, and the passage of the policies that answers it."""

    intent: str
    passage: StatedPassage | None = None


@dataclass(frozen=True, slots=True)
class ServiceHints:
    """Recognises questions among searches. Threads share it."""

    classifier: IntentClassifier | None
    policies: PolicyKnowledge | None

    def of_search(self, text: str, page: SearchPage) -> ServiceHint | None:
        """Return what a searched text asks the shop's service; None for a search.

        Words that name a kind of thing of the shop are a search, whatever else they look like: nothing is classified
        then. Vectors of a text that was just searched for are remembered.
        """
        if self.classifier is None or page.understood.named or len(text) > MAX_HINT_TEXT:
            return None
        language = language_of(text)
        read = self.classifier.classify(text, language)
        if not read.certain or read.probability < MIN_PROBABILITY or read.intent not in SERVICE_INTENTS:
            return None
        found = self.policies.answer(text, language) if self.policies is not None else None
        answered = found is not None and found.status == ANSWERED and found.hits
        return ServiceHint(read.intent, found.hits[0].passage if found is not None and answered else None)
