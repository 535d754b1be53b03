"""Open the assistant of a shop with whatever parts the shop has."""

from __future__ import annotations

import logging

from catalog.errors import WindowshopError
from catalog.questions.question_store import QuestionStore
from catalog.reviews.review_store import ReviewStore
from search.assistant.answering.assistant import Assistant
from search.assistant.answering.parts import AssistantParts, LanguageModel, ServiceParts
from search.assistant.answering.routing import Routing
from search.assistant.generation.answer_writer import AnswerWriter
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.policies.policy_search import PolicySearch
from search.assistant.products.product_answers import ProductAnswers
from search.engine import SearchEngine
from search.text_heads.text_vectors import TextVectors

log = logging.getLogger(__name__)


def open_assistant(
    engine: SearchEngine,
    service: ServiceParts = ServiceParts(),  # noqa: B008 - frozen
    model: LanguageModel | None = None,
) -> Assistant:
    """Return the assistant of an open shop. Without the models of texts it searches, and hands over to people.

    A language model that cannot be used as it is set is left out, and the log says why.
    """
    products = ProductAnswers(engine, ReviewStore(engine.home), QuestionStore(engine.home))
    vectors = _vectors(engine)
    classifier = IntentClassifier.open(engine.home, vectors) if vectors is not None else None
    policies = PolicySearch.open(engine.home, vectors) if vectors is not None else None
    parts = AssistantParts(
        classifier, policies, products, _routing(service, vectors, engine), service, _words(model, policies)
    )
    return Assistant(engine, parts)


def _words(model: LanguageModel | None, policies: PolicySearch | None) -> AnswerWriter | None:
    if model is None or policies is None:
        return None
    try:
        return AnswerWriter.of(model.url, model.name, model.key, policies.likeness)
    except WindowshopError as error:
        log.error("The language model is not used: %s", error)
        return None


def _vectors(engine: SearchEngine) -> TextVectors | None:
    try:
        return TextVectors.of(engine.encoder)
    except WindowshopError as error:
        log.warning("The assistant reads no questions, only searches: %s", error)
        return None


def _routing(service: ServiceParts, vectors: TextVectors | None, engine: SearchEngine) -> Routing | None:
    if service.threads is None:
        return None
    routing = Routing(engine.home, service.threads, vectors, service.rules)
    try:
        routing.refresh()
    except WindowshopError as error:
        log.error("Corrected messages are not used for queues: %s", error)
    return routing
