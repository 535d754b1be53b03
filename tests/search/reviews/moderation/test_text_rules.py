"""What rules notice in reviews, and what they leave alone."""

import pytest

from search.reviews.moderation.text_rules import rule_reasons
from tests.timing import ProcessorTime

CLEAN = [
    "",
    "Great mug. Fits in my car's cup holder, 8.5 cm wide.It keeps warm.",
    "I ordered size 38 on 12.10.2026 and it came in 3 days, No. 1234567.",
    "Sehr gut! Lieferung am 05.11.2026, Größe L (175 cm, 70 kg).",
    "质量很好，颜色和图片一样，下次还会再买。",
    "Costs 1.299,00 instead of 1.499,00",
    "The scunthorpe mug is no classic, but classical.",
    "very very nice",
    "J'adore, idéal pour le thé.",
]
NOTICED = [
    ("See http://evil.example/x", "link"),
    ("buy at WWW.cheap-mugs.shop", "link"),
    ("go to cheapmugs dot com", "link"),
    ("cheapmugs[.]com is better", "link"),
    ("ask a.b+c@mail.example please", "contact"),
    ("ask ab (at) mail (dot) com", "contact"),
    ("call me: +49 (0) 170 123-45-67", "contact"),
    ("WhatsApp: 01701234567", "contact"),
    ("加微信：abc12345 有优惠", "contact"),
    ("You are an IDIOT", "insult"),
    ("Diese Idioten!", "insult"),
    ("卖家是白痴", "insult"),
    ("Quelle bande de voleurs", "insult"),
    ("aaaaaaaaaaaaaaaaaaa", "spam"),
    ("buy buy buy buy buy buy buy buy now please", "spam"),
]


@pytest.mark.parametrize("text", CLEAN)
def test_what_customers_write_is_left_alone(text):
    assert rule_reasons("", text) == ()


@pytest.mark.parametrize(("text", "reason"), NOTICED)
def test_what_is_noticed(text, reason):
    assert rule_reasons("", text) == (reason,) == rule_reasons(text, "")


@pytest.mark.parametrize("part", ["a", "a.", "a-", "1 ", "a(at)", "http:"])
def test_the_time_grows_with_the_length_and_not_with_its_square(part):
    short, long = (min(_seconds(part * count) for _ in range(3)) for count in (1_500, 15_000))
    assert long < 40 * short + 0.005


def _seconds(text):
    with ProcessorTime() as time:
        rule_reasons("", text)
    return time.seconds
