"""What a message wants: one intent, two where its clauses certainly want different things, or none that is certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.text.tokenizer import unspaced
from search.assistant.dialogue.conversation import MAX_CHOICES
from search.assistant.dialogue.cues import clauses_of
from search.assistant.intents.classifier import IntentClassifier, IntentPrediction
from search.assistant.intents.names import FIND_PRODUCT, OUT_OF_SCOPE, SMALL_TALK
from search.language.detection import language_of

MIN_WORDS, MIN_CHARACTERS = 3, 4  # of a clause that is read by itself; characters of one without spaces
MIN_CHOICE = 0.05  # probability from which an intent is offered as a choice
MAX_CLAUSES = 4
MAX_REQUESTS = 2
_VAGUE = (OUT_OF_SCOPE, SMALL_TALK)


@dataclass(frozen=True, slots=True)
class CustomerRequest:
    """What a message, or a clause of it, certainly wants."""

    intent: str
    probability: float
    text: str


@dataclass(frozen=True, slots=True)
class MessageReading:
    """The requests of a message, at most two; none where it is not clear. `likely` are then the intents to offer."""

    requests: tuple[CustomerRequest, ...] = ()
    likely: tuple[str, ...] = ()
    probabilities: Mapping[str, float] | None = None
    unclear: IntentPrediction | None = None  # where there are no requests

    def probability(self, intent: str) -> float:
        """Return the probability of an intent, 0 where nothing is known."""
        return (self.probabilities or {}).get(intent, 0.0)


def read_message(text: str, language: str, classifier: IntentClassifier | None) -> MessageReading:
    """Return what a message wants, by itself; without a classifier nothing is known.

    `language` is that of the reply, which a text without words of its own has too.
    """
    if classifier is None:
        return MessageReading()
    spoken = language_of(text) if unspaced(text) else language
    whole = classifier.classify(text, spoken)
    parts = _clauses(text, spoken, classifier)
    probabilities = {rank.intent: rank.probability for rank in whole.ranked}
    if len(parts) == MAX_REQUESTS:
        return MessageReading(parts, probabilities=probabilities)
    if whole.certain:
        request = CustomerRequest(whole.intent, whole.probability, text)
        return MessageReading((request,), probabilities=probabilities)
    return MessageReading((), _likely(whole), probabilities, whole)


def _clauses(text: str, language: str, classifier: IntentClassifier) -> tuple[CustomerRequest, ...]:
    """Return the requests of clauses that want different things, each by itself and certainly; none otherwise."""
    clauses = [clause for clause in clauses_of(text) if _is_clause(clause)]
    if not 1 < len(clauses) <= MAX_CLAUSES:
        return ()
    found: dict[str, CustomerRequest] = {}
    for clause in clauses:
        read = classifier.classify(clause, language)
        if read.certain and read.intent not in _VAGUE:
            found.setdefault(read.intent, CustomerRequest(read.intent, read.probability, clause))
    wanted = list(found.values())
    if any(request.intent == FIND_PRODUCT for request in wanted):  # "a mug and a plate" is one search
        return ()
    return tuple(wanted) if len(wanted) == MAX_REQUESTS else ()


def _is_clause(text: str) -> bool:
    return len(text) >= MIN_CHARACTERS if unspaced(text) else len(text.split()) >= MIN_WORDS


def _likely(prediction: IntentPrediction) -> tuple[str, ...]:
    likely = [rank.intent for rank in prediction.ranked if rank.intent not in _VAGUE and rank.probability >= MIN_CHOICE]
    return tuple(likely[:MAX_CHOICES])
