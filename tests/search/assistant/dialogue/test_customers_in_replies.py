"""What customers say in reviews is counted where several decide it; otherwise one of them is only quoted."""

import pytest

from catalog.product import Product
from search.assistant.dialogue.conversation import DialogueState
from search.assistant.dialogue.draft import ReplyDraft
from search.assistant.dialogue.product_turns import ProductTurns
from search.assistant.products.answer import ANSWERED, CUSTOMERS, ProductAnswer

MUG = Product("mug", "Blue mug", ())


class FakeAnswers:
    def __init__(self, facts):
        self.facts = facts

    def answer(self, product, text, language=""):
        return ProductAnswer(ANSWERED, CUSTOMERS, "smell", self.facts, "It smells of nothing.")


class NoSearch:
    def page_of(self, words, draft, *, more=False):
        return None


class FakeEngine:
    def find(self, ids):
        return {"mug": MUG}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"yes": 0, "no": 0, "total": 1, "most": ""}, "product_customers_quote"),
        ({"yes": 0, "no": 0, "total": 4, "most": ""}, "product_customers_quote"),
        ({"yes": 1, "no": 0, "total": 1, "most": "yes"}, "product_customers_quote"),
        ({"small": 1, "large": 0, "true": 0, "total": 1, "most": "small"}, "product_customers_quote"),
        ({"yes": 2, "no": 1, "total": 3, "most": "yes"}, "product_customers"),
        ({"small": 2, "large": 0, "true": 0, "total": 2, "most": "small"}, "product_customers_fit"),
    ],
)
def test_few_customers_are_quoted_and_several_counted(facts, code):
    draft = ReplyDraft(DialogueState("t", language="en", product_id="mug"))
    assert ProductTurns(FakeEngine(), NoSearch(), FakeAnswers(facts)).stated("does it smell?", draft)
    assert [part.code for part in draft.parts] == [code]
