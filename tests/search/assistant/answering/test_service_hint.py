"""Searches that are questions to the service get a hint, and searches for products never do."""

import pytest

from catalog.home import ShopHome
from search.assistant.answering.service_hint import ServiceHints
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.policies.policy_search import PolicySearch
from search.query.terms import Query
from tests.search.shop_fixtures import make_shop

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def hint(tmp_path_factory, text_vectors):
    """What the search for a text hints at."""
    home = tmp_path_factory.mktemp("hints") / "shop"
    engine = make_shop(home)
    folder = ShopHome(home).policies
    folder.mkdir()
    (folder / "payment.md").write_text("# Payment\n\nWe accept PayPal, credit cards and bank transfer.\n")
    hints = ServiceHints(IntentClassifier.open(home, text_vectors), PolicySearch.open(home, text_vectors))
    yield lambda text: hints.of_search(text, engine.search(Query.of(text=text)))
    engine.close()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("where is my order", "order_status"),
        ("return policy", "return_refund"),
        ("怎么退货", "return_refund"),
        ("how much is shipping", "shipping_info"),
        ("wo ist meine Bestellung", "order_status"),
        ("i want to talk to a person", "human_agent"),
    ],
)
def test_a_question_to_the_service_has_a_hint(hint, text, intent):
    found = hint(text)
    assert found is not None and found.intent == intent and found.passage is None


def test_a_policy_that_answers_is_in_it(hint):
    found = hint("can i pay with paypal")
    assert found.intent == "payment" and "PayPal" in found.passage.text and found.passage.heading == "Payment"


@pytest.mark.parametrize(
    "text",
    ["red scarf", "scarves", "striped scarf under 20", "blue hat", "gift", "something warm", "red", "丝巾", "x" * 201],
)
def test_a_search_has_none(hint, text):
    assert hint(text) is None


def test_without_models_there_is_none(hint):
    assert ServiceHints(None, None).of_search("where is my order", None) is None
