"""Questions and passages that get no yes or no, because either would say more than the shop does."""

from decimal import Decimal

import pytest

from catalog.product import Product
from search.assistant.products.answer import (
    STATED,
    VALUE,
    YES,
)
from search.assistant.products.product_answers import ProductAnswers


class Shop:
    def product(self, product_id):
        raise KeyError(product_id)

    def variants(self, product_id):
        return ()


def reply(text, question, language="", **attributes):
    product = Product("x", "Xo", (), "Kitchen", Decimal(9), "EUR", True, "", attributes, text)
    return ProductAnswers(Shop()).answer(product, question, language)


def code(text, question, language="", **attributes):
    return reply(text, question, language, **attributes).code


@pytest.mark.parametrize(
    "text, question, language",
    [
        ("Dishwasher safe.", "Isn't it dishwasher safe?", "en"),
        ("Not dishwasher safe.", "Is it not dishwasher safe?", "en"),
        ("可放入洗碗机。", "这个杯子不能放洗碗机吗？", "zh"),
        ("不能放入洗碗机。", "这个杯子不能放洗碗机吗？", "zh"),
        ("Spülmaschinenfest.", "Ist sie nicht spülmaschinenfest?", "de"),
        ("Compatible lave-vaisselle.", "Elle ne va pas au lave-vaisselle ?", "fr"),
        ("Apto para lavavajillas.", "¿No es apta para lavavajillas?", "es"),
    ],
)
def test_a_question_with_a_negation_gets_no_yes_or_no(text, question, language):
    assert code(text, question, language) == STATED


def test_words_that_deny_nothing_leave_the_verdict():
    assert code("可放入洗碗机。", "能不能放洗碗机？", "zh") == YES
    assert code("可放入洗碗机。", "有没有说可以放洗碗机？", "zh") == YES
    assert code("Dishwasher safe.", "Is it dishwasher safe or not?", "en") == YES
    assert code("", "Is it not blue?", "en", colour="blue") == VALUE
    assert code("", "Is it blue?", "en", colour="blue") == YES
