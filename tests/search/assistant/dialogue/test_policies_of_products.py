"""What a product does not state, the policies answer; what it states comes first."""

import pytest

from catalog.product import Product
from search.assistant.dialogue.conversation import CustomerMessage, DialogueState
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.policy_turns import PolicyTurns
from search.assistant.dialogue.product_turns import ProductTurns
from search.assistant.dialogue.search_turns import SearchTurns
from search.assistant.policies.passage import ANSWERED, NOT_STATED, Passage, PassageHit, PolicyAnswer
from search.assistant.products.product_answers import ProductAnswers

MUG = Product("mug", "Blue mug", (), "Thrown by hand.", attributes={"height": "9 cm", "length": "12 cm"})
LAMP = Product("lamp", "Desk lamp", (), "", attributes={"warranty": "5 years"})
PASSAGE = Passage("orders.md#guarantee", "orders.md", "orders", "Guarantee", "Two years of guarantee.", "en")


class FakeEngine:
    """An engine of two products that cannot search."""

    def find(self, ids):
        return {product.id: product for product in (MUG, LAMP) if product.id in ids}

    def variants(self, product_id):
        return ()


class NoSearch(SearchTurns):
    def page_of(self, words, draft, *, more=False):
        return None


class FakePolicies:
    """Policies that state the guarantee alone."""

    def answer(self, text, language=""):
        known = any(word in text.casefold() for word in ("guarantee", "garant"))
        return PolicyAnswer(ANSWERED, (PassageHit(PASSAGE, 1.0, 0.9),)) if known else PolicyAnswer(NOT_STATED)


def codes(text, language="en", product_id="", intent="product_question"):
    engine = FakeEngine()
    draft = ReplyDraft(DialogueState("t", language=language, product_id=product_id))
    turns = ProductTurns(engine, NoSearch(engine), ProductAnswers(engine), PolicyTurns(FakePolicies()))
    turns.question(CustomerMessage(text), text, intent, draft)
    return [part.code for part in draft.parts]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how long is the guarantee?", "en"),
        ("Wie lang ist die Garantie?", "de"),
        ("Quelle est la durée de la garantie ?", "fr"),
        ("¿Qué garantía tiene?", "es"),
    ],
)
def test_the_guarantee_is_that_of_the_policies_where_the_product_states_none(text, language):
    assert codes(text, language, "mug") == ["policy_answer"]
    assert codes(text, language) == ["policy_answer"]


def test_what_the_product_states_comes_first():
    assert codes("how long is the guarantee?", product_id="lamp") == ["product_value"]
    assert codes("how tall is it?", product_id="mug") != ["policy_answer"]
    assert codes("does it glow in the dark?", product_id="mug") == ["product_not_stated"]
    assert codes("is the guarantee in stock?", intent="stock_availability") == ["which_product"]
