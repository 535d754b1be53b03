"""Questions and passages that get no yes or no, because either would say more than the shop does."""

from decimal import Decimal

import pytest

from catalog.product import Product
from search.assistant.products.answer import (
    MEASURE_NO,
    MEASURE_OPEN,
    MEASURE_YES,
    NO,
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


@pytest.mark.parametrize(
    "text, questions, language",
    [
        (
            "Oven safe up to 180 °C.",
            ("Is it oven safe to 220 degrees?", "Is it oven safe at 220 C?", "Oven safe?"),
            "en",
        ),
        ("Waterproof to 30 m.", ("Is it waterproof to 100 m?", "Is it waterproof to more than 20 m?"), "en"),
        ("Waterproof (IPX4).", ("Is it waterproof?", "Is it waterproof to IP67?"), "en"),
        ("Waterproof.", ("Is it waterproof to 100 m?", "Is it waterproof for two hours?"), "en"),
        ("Machine washable at 30 degrees.", ("Is it machine washable at 60 degrees?", "Can I machine wash it?"), "en"),
        ("Machine wash cold only.", ("Can I machine wash it at 60?", "Is it machine washable?"), "en"),
        ("Microwave safe up to 600 W.", ("Is it microwave safe at 900 W?", "Is it microwave safe?"), "en"),
        ("Freezer safe to -10 °C.", ("Is it freezer safe at -40?", "Is it freezer safe?"), "en"),
        ("Do not use in the microwave for over 2 minutes.", ("Is it microwave safe?",), "en"),
        ("Dishwasher safe on the top rack only.", ("Is it dishwasher safe?",), "en"),
        ("防水30米。", ("防水100米吗？", "防水吗？"), "zh"),
        ("可机洗，水温不超过30度。", ("可以60度机洗吗？", "可以机洗吗？"), "zh"),
        ("Wasserdicht bis 3 ATM.", ("Ist die Uhr wasserdicht bis 10 ATM?", "Ist sie wasserdicht?"), "de"),
        ("Ofenfest bis 180 °C.", ("Ist es ofenfest bis 250 Grad?", "Ist es ofenfest?"), "de"),
        ("Imperméable jusqu'à 30 m.", ("Est-elle imperméable jusqu'à 100 m ?", "Est-elle imperméable ?"), "fr"),
        ("Lavable en machine à 30 degrés.", ("Est-ce lavable en machine à 60 degrés ?",), "fr"),
        ("Impermeable hasta 30 m.", ("¿Es impermeable hasta 100 m?", "¿Es impermeable?"), "es"),
        ("Lavable a máquina a 30 grados.", ("¿Es lavable a máquina a 60 grados?",), "es"),
    ],
)
def test_a_limit_of_a_feature_is_quoted(text, questions, language):
    for question in questions:
        found = reply(text, question, language)
        assert (found.code, found.passage) == (STATED, text)


def test_the_passage_with_a_number_answers_a_question_with_one():
    found = reply("", "Is it machine washable at 60 degrees?", machine_washable="yes", machine_wash="at 30 degrees")
    assert (found.code, found.passage) == (VALUE, "at 30 degrees")


def test_a_number_that_limits_nothing_leaves_the_verdict():
    assert code("Dishwasher safe, 350 ml.", "Is it dishwasher safe?") == YES
    assert code("A source of vitamin B12.", "Does it contain vitamin B12?") == YES
    assert code("可放入洗碗机，容量350毫升。", "可以放洗碗机吗？", "zh") == YES
    assert code("Not suitable for dishwashers, hand wash only.", "Is it dishwasher safe?") == NO


@pytest.mark.parametrize(
    "text, question, language",
    [
        ("Unlike other mugs that are not dishwasher safe, this one is.", "Is it dishwasher safe?", "en"),
        ("Unlike others that are hand wash only, it goes in the dishwasher.", "Is it dishwasher safe?", "en"),
        ("Almost waterproof.", "Is it waterproof?", "en"),
        ("Water-resistant, hardly waterproof.", "Is it waterproof?", "en"),
        ("The previous version was dishwasher safe.", "Is it dishwasher safe?", "en"),
        ("This scarf is waterproof? Of course not.", "Is it waterproof?", "en"),
        ("Is it dishwasher safe? No.", "Is it dishwasher safe?", "en"),
        ("No other bag is as waterproof.", "Is it waterproof?", "en"),
        ("Lid hand wash only.", "Is it dishwasher safe?", "en"),
        ("几乎防水。", "防水吗？", "zh"),
        ("其他杯子不能放洗碗机，这款可放洗碗机。", "可以放洗碗机吗？", "zh"),
        ("能放洗碗机吗？不能。", "可以放洗碗机吗？", "zh"),
        ("Fast wasserdicht.", "Ist sie wasserdicht?", "de"),
        ("Kaum wasserdicht.", "Ist sie wasserdicht?", "de"),
        ("Anders als andere Becher, die nicht spülmaschinenfest sind.", "Ist er spülmaschinenfest?", "de"),
        ("Presque imperméable.", "Est-elle imperméable ?", "fr"),
        ("Contrairement aux autres, imperméable.", "Est-elle imperméable ?", "fr"),
        ("Casi impermeable.", "¿Es impermeable?", "es"),
        ("El modelo anterior era impermeable.", "¿Es impermeable?", "es"),
    ],
)
def test_words_that_take_a_statement_back_leave_it_open(text, question, language):
    assert code(text, question, language) == STATED


def test_a_yes_of_an_attribute_with_a_question_for_a_name_counts():
    assert code("", "Is it waterproof?", "en", **{"waterproof?": "yes"}) == YES


@pytest.mark.parametrize(
    "text, question, language, passage",
    [
        ("Contains no nuts. May contain traces of nuts.", "Does it contain nuts?", "en", "May contain traces of nuts."),
        ("Contains no nuts. May contain traces of peanuts.", "Is it nut free?", "en", "May contain traces of peanuts."),
        ("Nut free. Made in a facility that processes nuts.", "Nuts?", "en", "Made in a facility that processes nuts."),
        ("No added sugar.", "Does it contain sugar?", "en", "No added sugar."),
        ("No added sugar.", "Is it sugar free?", "en", "No added sugar."),
        ("不含坚果。可能含有微量坚果。", "含坚果吗？", "zh", "可能含有微量坚果。"),
        ("无添加糖。", "含糖吗？", "zh", "无添加糖。"),
        (
            "Ohne Nüsse. Kann Spuren von Nüssen enthalten.",
            "Sind Nüsse drin?",
            "de",
            "Kann Spuren von Nüssen enthalten.",
        ),
        ("Ohne Zuckerzusatz, ohne zugesetzten Zucker.", "Ist Zucker drin?", "de", None),
        ("Sans noix. Peut contenir des traces de noix.", "Contient-il des noix ?", "fr", None),
        ("Sans sucres ajoutés.", "Contient-il du sucre ?", "fr", "Sans sucres ajoutés."),
        ("Sin nueces. Puede contener trazas de nueces.", "¿Contiene nueces?", "es", None),
        ("Sin azúcares añadidos.", "¿Contiene azúcar?", "es", "Sin azúcares añadidos."),
    ],
)
def test_a_reserve_about_contents_is_quoted_without_a_verdict(text, question, language, passage):
    found = reply(text, question, language)
    assert found.code == STATED and passage in (found.passage, None)


def test_contents_without_a_reserve_keep_their_verdict():
    assert code("Contains no nuts.", "Does it contain nuts?") == NO
    assert code("", "Does it contain milk?", "en", allergens="milk, soy") in (YES, VALUE)
    assert code("", "Does it contain nuts?", "en", allergens="milk, nuts") == YES


@pytest.mark.parametrize(
    "text, question, language, verdict",
    [
        ("Height 20 cm.", "Is it at least 20 cm tall?", "en", MEASURE_YES),
        ("Height 20 cm.", "Is it at least 21 cm tall?", "en", MEASURE_NO),
        ("Height 20 cm.", "Is it at most 20 cm tall?", "en", MEASURE_YES),
        ("Height 20 cm.", "Is it more than 20 cm tall?", "en", MEASURE_NO),
        ("高20厘米。", "高度至少20厘米吗？", "zh", MEASURE_YES),
        ("高20厘米。", "高度在20厘米以内吗？", "zh", MEASURE_YES),
        ("Höhe 20 cm.", "Ist sie mindestens 20 cm hoch?", "de", MEASURE_YES),
        ("Höhe 20 cm.", "Ist sie höchstens 20 cm hoch?", "de", MEASURE_YES),
        ("Hauteur 20 cm.", "Fait-il au plus 20 cm de haut ?", "fr", MEASURE_YES),
        ("Altura 20 cm.", "¿Mide al menos 20 cm de alto?", "es", MEASURE_YES),
        ("Height 20 cm.", "Is it no more than 19 cm tall?", "en", MEASURE_OPEN),
        ("Height 20 cm.", "Is it not taller than 10 cm?", "en", MEASURE_OPEN),
        ("Höhe 20 cm.", "Ist sie nicht höher als 10 cm?", "de", MEASURE_OPEN),
        ("高20厘米。", "这个不超过19厘米高吗？", "zh", MEASURE_OPEN),
    ],
)
def test_bounds_of_a_measure_include_it_and_negated_ones_are_open(text, question, language, verdict):
    assert code(text, question, language) == verdict


def test_a_number_that_may_be_thousands_decides_nothing():
    assert code("", "Wiegt es mehr als 1 kg?", "de", Gewicht="1.500 g") == MEASURE_OPEN
    assert code("", "Wiegt es mehr als 2 kg?", "de", Gewicht="1.500 g") == MEASURE_NO


@pytest.mark.parametrize("said", ["Contains no peanuts.", "Safe for people without nut allergies.", "Sans cacahuètes."])
def test_what_is_said_of_one_kind_decides_nothing_for_all(said):
    assert reply(said, "Does it contain nuts?").code not in (YES, NO)
