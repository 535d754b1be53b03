"""What shoppers type, as terms: what is wanted, what is not, and what is to be cheaper."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadQuery
from catalog.money.currencies import currency_of
from catalog.product import Product
from search.query.builder import QueryBuilder
from search.query.filters import Between, parse_filter
from search.query.intent import (
    AVOID,
    ParsedText,
    feedback_terms,
    merge_terms,
    narrow_to_cheaper,
    parse_text,
    text_terms,
)
from search.query.price_limit import PriceLimit
from search.query.terms import ProductTerm, Query, TextTerm
from tests.timing import ProcessorTime, speed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("red dress", ParsedText("red dress")),
        ("like this, not floral, cheaper", ParsedText("", ("floral",), True)),
        ("this, but in green", ParsedText("in green")),
        ("not floral", ParsedText("", ("floral",))),
        ("red dress not floral or striped", ParsedText("red dress", ("floral", "striped"))),
        ("mug without handle", ParsedText("mug", ("handle",))),
        ("shirt, no stripes", ParsedText("shirt", ("stripes",))),
        ("cheaper red shoes", ParsedText("red shoes", (), True)),
        ("like this one but cheaper and not black", ParsedText("", ("black",), True)),
        ("红色连衣裙 不要花的", ParsedText("红色连衣裙", ("花",))),  # 的 only ends what is not wanted
        ("便宜一点的", ParsedText("", (), True)),
        ("更便宜的马克杯", ParsedText("马克杯", (), True)),
        ("便宜的马克杯", ParsedText("马克杯")),
        ("马克杯 便宜", ParsedText("马克杯")),
        ("not striped mug", ParsedText("mug", ("striped",))),
        ("red mug under 15", ParsedText("red mug", limit=PriceLimit(maximum=15.0))),
        ("cheap red mug below €15.50", ParsedText("red mug", limit=PriceLimit(None, 15.5, currency_of("€")))),
        ("红色杯子 50元以下", ParsedText("红色杯子", limit=PriceLimit(maximum=50.0, currency=currency_of("元")))),
        ("vase under 30 cm", ParsedText("vase under 30 cm")),
        ("no iron shirt", ParsedText("no iron shirt")),
        ("No 7 cream", ParsedText("No 7 cream")),
        ("thistle", ParsedText("thistle")),
        ("knot", ParsedText("knot")),
    ],
)
def test_words_are_taken_apart(words, said):
    assert parse_text(words) == said


@given(st.text(min_size=1, max_size=80))
def test_any_words_are_read(words):
    said = parse_text(words)
    assert all(said.unwanted)


def test_words_become_terms():
    assert text_terms("mug not blue", 2.0)[0] == [TextTerm("mug", 2.0), TextTerm("blue", 2.0 * AVOID)]
    terms, parsed = text_terms("not blue, cheaper", with_others=True)
    assert terms == [TextTerm("blue", AVOID)] and parsed.cheaper


def test_words_that_nobody_will_read_are_not_read():
    with ProcessorTime() as spell:
        assert text_terms("a" + " " * 200_000 + "b, cheaper x")[1].cheaper is False
        assert parse_text("a" + " " * 200_000 + "b, cheaper x").cheaper
    assert spell.seconds < 1.0 * speed()


def test_a_limit_in_words_is_a_filter():
    assert QueryBuilder().text("mug under 15").build().filter.on("price") == Between("price", None, 15.0)


def test_only_what_is_not_wanted_are_words_like_any_others_when_nothing_stands_beside():
    terms, parsed = text_terms("not too long dress")
    assert terms == [TextTerm("dress"), TextTerm("long", AVOID)] and not parsed.cheaper and parsed.limit is None
    assert text_terms("cheaper") == ([TextTerm("cheaper")], ParsedText("cheaper"))


def priced(price):
    return Product("a", "a", (), price=None if price is None else Decimal(price), currency="EUR")


def test_cheaper_is_below_the_cheapest_of_the_products():
    query = narrow_to_cheaper(Query((ProductTerm("a"),)), [priced("20"), priced("12.50"), priced(None)])
    assert query.filter.on("price") == Between("price", None, 12.49, "EUR")


def test_cheaper_keeps_what_was_asked_of_the_price():
    asked = Query((ProductTerm("a"),), filter=parse_filter({"price": {"min": 5, "max": 9}, "brand": "x"}))
    narrowed = narrow_to_cheaper(asked, [priced("20")]).filter
    assert narrowed.on("price") == Between("price", 5.0, 9.0, "EUR")
    assert narrowed.on("brand")


def test_without_a_price_the_cheap_ones_come_first():
    assert narrow_to_cheaper(Query((TextTerm("mug"),)), []).sort == "price"


def test_nothing_is_cheaper_than_nothing():
    with pytest.raises(BadQuery, match="costs nothing"):
        narrow_to_cheaper(Query((ProductTerm("a"),)), [priced("0")])


def test_a_term_said_again_takes_the_place_of_the_former():
    query = merge_terms(Query((TextTerm("mug"), ProductTerm("a", 0.5))), feedback_terms([], ["a"]))
    assert query.terms == (TextTerm("mug"), ProductTerm("a", -0.3))
