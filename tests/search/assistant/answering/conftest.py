"""A shop of scarves whose assistant answers questions about products."""

from types import SimpleNamespace

import pytest

from catalog.questions.question_store import QuestionStore
from catalog.reviews.review_store import ReviewStore
from search.assistant.answering.assistant import Assistant
from search.assistant.answering.parts import AssistantParts
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.products.product_answers import ProductAnswers
from tests.search.shop_fixtures import SCARVES, make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory, text_vectors):
    """The engine, and an assistant that answers questions about products."""
    home = tmp_path_factory.mktemp("context") / "shop"
    engine = make_shop(home, SCARVES)
    answers = ProductAnswers(engine, ReviewStore(home), QuestionStore(home))
    parts = AssistantParts(IntentClassifier.open(home, text_vectors), products=answers)
    yield SimpleNamespace(engine=engine, assistant=Assistant(engine, parts))
    engine.close()
