"""Price limits in shoppers' words: which numbers are money, in which spelling, and which words are left."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.money.currencies import currency_of
from search.query.builder import QueryBuilder, resolve_query
from search.query.filters import PRICE, Between, Filter, parse_filter
from search.query.price_limit import PriceLimit, meant_currency, split_price_limit, within_limit
from search.query.terms import TextTerm
from tests.catalog.money.test_spellings import AMOUNTS, STYLES, written
from tests.timing import ProcessorTime, speed

# A text without words, least and most has no limit.
with Path(__file__).with_name("price_limits.csv").open(encoding="utf-8", newline="") as _file:
    LIMITS = [tuple(row.values()) for row in csv.DictReader(_file)]


@pytest.mark.parametrize(("text", "words", "least", "most", "currency"), LIMITS, ids=[row[0] for row in LIMITS])
def test_a_limit_is_read_and_the_words_around_it_stay(text, words, least, most, currency):
    rest, limit = split_price_limit(text)
    if not least and not most:
        assert (rest, limit) == (text, None)
        return
    assert limit is not None
    assert (rest, limit.minimum, limit.maximum) == (
        words,
        float(least) if least else None,
        float(most) if most else None,
    )
    assert (limit.currency.usual if limit.currency else "") == currency


@given(AMOUNTS, st.sampled_from(sorted(STYLES)), st.sampled_from(("€{}", "{} EUR", "{}€", "{} euros", "EUR {}")))
def test_a_limit_is_read_in_every_style_of_numbers(amount, style, form):
    rest, limit = split_price_limit(f"red mug under {form.format(written(amount, style))} with handle")
    assert rest == "red mug with handle"
    assert limit == PriceLimit(None, float(amount), currency_of("EUR")._replace(codes=limit.currency.codes))
    assert limit.currency.codes == {"EUR"}


@given(st.text(max_size=80))
def test_any_text_is_split(text):
    rest, limit = split_price_limit(text)
    assert limit is not None or rest == text


PIECES = ("under", "over", "up to", "20", "50", "€", ",", "cm", "-", "between", "and", "元", "以下", "1,000", "人")


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_what_is_left_has_no_further_limit_unless_there_were_many(words):
    rest, limit = split_price_limit(" ".join(words))
    if limit is None:
        assert rest == " ".join(words)
    elif limit.minimum is not None and limit.maximum is not None:
        assert limit.minimum <= limit.maximum


def test_many_numbers_take_little_time():
    with ProcessorTime() as spell:
        split_price_limit("under 5 x " * 100)
        split_price_limit("for price of " * 80 + "1")
        split_price_limit("1 " * 500)
        split_price_limit("一" * 1000)
    assert spell.seconds < 0.5 * speed()


def test_a_limit_lies_within_the_range_of_the_filter():
    given_range = parse_filter({"price": {"min": 5, "max": 50, "currency": "EUR"}, "brand": "x"})
    assert within_limit(None, None) is None
    assert within_limit(given_range, PriceLimit(maximum=20)).on(PRICE) == Between(PRICE, 5.0, 20, "EUR")
    assert within_limit(given_range, PriceLimit(minimum=20)).on(PRICE) == Between(PRICE, 20, 50.0, "EUR")
    assert within_limit(given_range, PriceLimit(2, 99)).on(PRICE) == Between(PRICE, 5.0, 50.0, "EUR")
    assert within_limit(given_range, PriceLimit(maximum=2)).on(PRICE) == Between(PRICE, 2, 2, "EUR")
    assert within_limit(given_range, PriceLimit(maximum=20)).on("brand")


@pytest.mark.parametrize(
    ("mark", "known", "code"),
    [
        ("€", ["EUR", "USD"], "EUR"),
        ("€", ["EUR"], ""),  # a shop of one currency needs no choice, and prices without a currency stay
        ("$", ["EUR"], ""),
        ("$", ["EUR", "USD", "CAD"], "USD"),
        ("$", ["EUR", "CAD"], "CAD"),
        ("$", ["AUD", "CAD"], ""),
        ("kr", ["SEK", "EUR"], "SEK"),
        ("kr", ["SEK", "DKK"], ""),
        ("元", [], ""),
    ],
)
def test_the_currency_of_a_limit_counts_where_the_shop_has_it_among_others(mark, known, code):
    assert meant_currency(currency_of(mark), known) == code


def test_a_query_takes_the_currency_from_the_shop():
    query = QueryBuilder().text("mug under 20 €").build()
    assert query.terms == (TextTerm("mug"),) and query.filter == Filter((Between(PRICE, None, 20.0),))
    two = resolve_query(query, (), lambda _: None, lambda: ["EUR", "USD"])
    assert two.filter.on(PRICE) == Between(PRICE, None, 20.0, "EUR") and two.price_currency is None
    other = resolve_query(query, (), lambda _: None, lambda: ["SEK", "USD"])
    assert other.filter.on(PRICE) == Between(PRICE, None, 20.0)


def test_a_limit_alone_browses():
    query = QueryBuilder().text("under 20 euros").build()
    assert query.terms == () and query.filter.on(PRICE) == Between(PRICE, None, 20.0)
