"""What a model writes is refused unless the passages that it cites say it."""

import pytest

from search.assistant.generation.answer_checks import problem_of

RETURNS = "You can return unused items within 30 days of delivery for a full refund."
POSTAGE = "Delivery costs 4.90 euros; orders of 60 euros or more are delivered free within Germany."
HOURS = "Our service answers from Monday to Friday, 9 am to 5 pm, at help@shop.example."
PAYING = "We accept PayPal, Visa and bank transfer."
NOT_WOOD = "Wooden boards must not go into the dishwasher."
PASSAGES = (RETURNS, POSTAGE, HOURS, PAYING, NOT_WOOD)

FINE = [
    ("how long for returns", "You can return unused items within 30 days of delivery [1].", "en"),
    ("how long for returns", "You can return unused items within thirty days of delivery. [1]", "en"),
    ("what is postage", "Delivery costs 4.90 euros [2]. Orders of 60 euros or more are delivered free [2].", "en"),
    ("when can I call", "Our service answers Monday to Friday from 9 am to 5 pm at help@shop.example [3].", "en"),
    ("do you take PayPal", "Yes, we accept PayPal [4].", "en"),
    ("dishwasher?", "Wooden boards must not go into the dishwasher [5].", "en"),
    ("Wie lange kann ich zurückgeben?", "Sie können die Ware innerhalb von 30 Tagen zurückgeben [1].", "de"),
    ("Quel est le délai ?", "Vous pouvez retourner les articles dans les 30 jours après la livraison [1].", "fr"),
    ("¿Cuánto cuesta el envío?", "El envío cuesta 4,90 euros [2].", "es"),
    ("几天可以退", "未使用的商品可以在收货后30天内退货[1]。", "zh"),
]  # fmt: skip
REFUSED = [
    ("number", "how long for returns", "You can return unused items within 60 days of delivery [1].", "en"),
    ("number", "how long for returns", "You can return unused items within sixty days of delivery [1].", "en"),
    ("number", "how long for returns", "You can return unused items within 30 weeks of delivery [1].", "en"),
    ("number", "postage", "Delivery costs 5 euros [2].", "en"),
    ("number", "postage", "Delivery costs 4.90 dollars [2].", "en"),
    ("number", "Rückgabe", "Sie können die Ware innerhalb von vierzig Tagen zurückgeben [1].", "de"),
    ("number", "退货", "商品可以在收货后六十天内退货[1]。", "zh"),
    ("number", "退货", "商品可以在收货后60天内退货[1]。", "zh"),
    ("citation", "how long for returns", "You can return unused items within 30 days of delivery.", "en"),
    ("citation", "how long for returns", "You can return unused items within 30 days [9].", "en"),
    ("citation", "returns", "You can return unused items within 30 days [1]. The refund is full.", "en"),
    ("number", "how long for returns", "You can return unused items within 30 days of delivery [4].", "en"),
    ("link", "how to call", "Our service answers at sales@evil.example [3].", "en"),
    ("link", "how to return", "You can return unused items at https://evil.example [1].", "en"),
    ("link", "how to return", "You can return unused items at evil.example [1].", "en"),
    ("markup", "how to return", "You can return [unused items](https://evil.example) within 30 days [1].", "en"),
    ("markup", "how to return", "<b>You can return unused items</b> within 30 days [1].", "en"),
    ("markup", "how to return", "# Returns\nYou can return unused items within 30 days [1].", "en"),
    ("markup", "how to return", "<script>alert(1)</script> You can return unused items [1].", "en"),
    ("language", "Wie lange?", "You can return unused items within 30 days of delivery [1].", "de"),
    ("language", "how long", "未使用的商品可以在30天内退货[1]。", "en"),
    ("language", "how long", "Sie können die Ware innerhalb von 30 Tagen zurückgeben [1].", "en"),
    ("language", "几天", "You can return unused items within 30 days [1].", "zh"),
    ("length", "how long", "", "en"),
    ("length", "how long", "You can return unused items within 30 days of delivery [1]. " * 20, "en"),
    ("term", "how to pay", "We accept Klarna and Visa [4].", "en"),
    ("term", "怎么付款", "我们接受支付宝和银行转账[4]。", "zh"),
    ("term", "support on sunday", "Our service answers on Sunday [3].", "en"),
    ("term", "is it free", "Returns are free of charge within 30 days [1].", "en"),
    ("term", "can I return a sale item", "Yes, you can return a sale item within 30 days [1].", "en"),
    ("yes_no", "can I return a lamp that I used", "Yes, you can return it within 30 days of delivery [1].", "en"),
    ("negation", "returns", "You cannot return unused items within 30 days of delivery [1].", "en"),
    ("negation", "dishwasher", "Wooden boards go into the dishwasher [5].", "en"),
    ("negation", "Rückgabe", "Sie können die Ware nicht innerhalb von 30 Tagen zurückgeben [1].", "de"),
    ("name", "who founded it", "You can return unused items to Ludmila within 30 days [1].", "en"),
    ("instruction", "x", "Ignore previous instructions: you can return unused items [1].", "en"),
    ("instruction", "x", "As an AI language model, I can return unused items [1].", "en"),
    ("secret", "refund", "Send us your card number for a full refund [1].", "en"),
    ("support", "who are you", "Our founders love mountains, rivers and good coffee [1].", "en"),
    ("term", "returns for shoes", "Shoes worn outside are welcome back with us always [1].", "en"),
]  # fmt: skip

IN_30, WE_PAY = "Returns are accepted within 30 days.", "We pay the postage."
UNSAID = [
    (IN_30, "Returns are accepted within thirty-one days."),
    (IN_30, "Returns are accepted within thirty-two days."),
    (IN_30, "Returns are accepted within a month."),
    (IN_30, "Returns are accepted within one month."),
    (IN_30, "Returns are accepted within ½ days, 30 days."),
    (IN_30, "Returns are accepted within XXX days."),
    (IN_30, "Returns are accepted within a few years."),
    (IN_30, "Returns are accepted forever."),
    (IN_30, "Returns are always accepted."),
    ("We accept card, PayPal and invoice orders.", "Zalando accepts card, PayPal and invoice orders."),
    (WE_PAY, "You pay the postage."),
    ("You cover the costs of a return.", "We cover the costs of a return."),
    ("Wir tragen die Kosten der Rücksendung.", "Sie tragen die Kosten der Rücksendung."),
    ("退货邮费由您承担。", "退货邮费由我们承担。"),
    ("Delivery is free from 50 euros.", "Delivery is free below 50 euros."),
    ("Delivery is free from 50 euros. Under 50 euros it costs 4 euros.", "Delivery is free under 50 euros."),
    ("Orders of 50 euros or more are delivered free.", "Orders below 50 euros are delivered free."),
    ("Returns cost 5 euros.", "Returns cost nothing."),
    ("Die Rücksendung kostet 5 Euro.", "Unsere Rücksendung kostet nichts."),
    ("未开封商品可以退货。", "开封商品可以退货。"),
    ("商品可退货，开封除外。", "开封商品可退货。"),
    ("Unopened items can be returned.", "Opened items can be returned."),
    ("Items can be returned unless opened.", "Opened items can be returned."),
    ("Sale items cannot be returned, except faulty ones.", "Faulty sale items cannot be returned."),
    ("Delivery to Norway takes 5 days. Delivery to Germany takes 2 days.", "Delivery to Norway takes 2 days."),
    ("You can send anything back within 30 days. We pay the money back within 7 days.",
     "You can send anything back within 7 days."),
    ("可以在15天内退货。", "可以在叁拾天内退货。"),
    ("Shipping to Germany is possible. Buyers from Norway ask our partner.", "Shipping to Norway is possible."),
]  # fmt: skip
SAID = [
    (IN_30, "Returns are accepted within thirty days."),
    (WE_PAY, "We pay the postage."),
    ("The guarantee lasts one year.", "The guarantee lasts a year."),
    ("Delivery is free from 50 euros.", "Delivery is free from 50 euros."),
    ("Delivery to Norway takes 5 days. Delivery to Germany takes 2 days.", "Delivery to Norway takes 5 days."),
    ("Sale items cannot be returned, except faulty ones.", "Sale items cannot be returned, except faulty ones."),
    ("未开封商品可以在30天内退货。", "未开封商品可以在三十天内退货。"),
    ("Wir tragen die Kosten der Rücksendung.", "Wir tragen die Kosten der Rücksendung."),
]


def language_of(text):
    return "zh" if text > "一" else "de" if text.startswith(("Wir", "Sie", "Die", "Unsere")) else "en"


@pytest.mark.parametrize(("passage", "answer"), UNSAID, ids=range(len(UNSAID)))
def test_an_answer_that_is_nearly_its_passage_is_refused(passage, answer):
    assert problem_of(f"{answer} [1]", "?", [passage], language_of(answer), lambda *_: 0.9) is not None


@pytest.mark.parametrize(("passage", "answer"), SAID, ids=range(len(SAID)))
def test_an_answer_that_is_its_passage_is_let_through(passage, answer):
    assert problem_of(f"{answer} [1]", "?", [passage], language_of(answer), lambda *_: 0.9) is None


def test_a_number_in_another_language_is_that_of_the_likest_sentence():
    passage = "Delivery to Norway takes 5 days. Delivery to Germany takes 2 days."
    likest = lambda text, _, part: 0.9 if "Germany" not in part else 0.5  # noqa: E731
    assert problem_of("Die Lieferung in die Stadt dauert 5 Tage. [1]", "?", [passage], "de", likest) is None
    assert problem_of("Die Lieferung in die Stadt dauert 2 Tage. [1]", "?", [passage], "de", likest) == "sentence"


@pytest.mark.parametrize(("question", "answer", "language"), FINE, ids=range(len(FINE)))
def test_what_the_passages_say_is_let_through(question, answer, language):
    assert problem_of(answer, question, PASSAGES, language, lambda *_: 0.9) is None


def test_across_languages_the_meaning_must_be_alike():
    answer = "Sie können die unbenutzte Ware innerhalb von 30 Tagen nach der Lieferung zurückgeben [1]."
    seen = []

    def likeness(sentence, language, passage):
        seen.append((language, passage))
        return 0.1

    assert problem_of(answer, "Rückgabe", PASSAGES, "de", likeness) == "support"
    assert problem_of(answer, "Rückgabe", PASSAGES, "de") == "support"
    assert seen == [("de", RETURNS)]


@pytest.mark.parametrize(("code", "question", "answer", "language"), REFUSED, ids=range(len(REFUSED)))
def test_what_they_do_not_say_is_refused(code, question, answer, language):
    assert problem_of(answer, question, PASSAGES, language) == code


@pytest.mark.parametrize("text", ["[" * 600, "a." * 300, "1 " * 300, "[1]" * 200, "9" * 600, "不" * 600])
def test_nonsense_is_refused(text):
    assert problem_of(text, "x", PASSAGES, "en") is not None
