"""How the other prices of a feed decide what one price leaves open."""

from threading import Thread

import pytest

from catalog.money.habits import SOME_ROWS, FeedHabits, habits_of
from catalog.money.prices import current_price, read_price


def rows(*prices, **others):
    return [{"price": [price]} | {name: [value] for name, value in others.items()} for price in prices]


def read(text, *prices, **others):
    price = read_price(text, "", FeedHabits(lambda: rows(text, *prices, **others)))
    return str(price.amount), price.currency


@pytest.mark.parametrize(
    ("text", "others", "amount"),
    [
        ("1.299", ("12,90", "1.299,00"), "1299"),
        ("1.299", ("12.90", "1,299.00"), "1.299"),
        ("1,299", ("12,90",), "1.299"),
        ("1,299", ("12.90",), "1299"),
        ("1.299", ("0.990", "12.900"), "1.299"),
        ("1.299", ("12.90 €", "129,00 €", "99,00 €"), "1299"),
        ("1.299", ("899", "499", "1.499"), "1299"),  # whole prices, grouped
        ("1.299", ("899", "1499"), "1.299"),  # whole prices are not grouped
        ("1.299", ("899 EUR", "2500 EUR"), "1299"),  # the feed's currency has no thousandths
        ("1.299", ("12.500 KWD",), "1.299"),
        ("1.299", ("tbd", "", "free"), "1.299"),
        ("1,299", (), "1299"),
        ("1.299", (), "1.299"),
    ],
)
def test_a_bare_price_is_read_as_the_feed_writes_decimals(text, others, amount):
    assert read(text, *others) == (amount, "")


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("1.299 €", ("12.90 €",), ("1299", "EUR")),
        ("1.299 €", ("0.990 €", "12.500 €"), ("1.30", "EUR")),  # this feed writes three decimals
        ("1.299 €", ("1299.000 €",), ("1.30", "EUR")),
        ("1,299 KWD", ("12.500 KWD",), ("1299", "KWD")),
        ("1,299 TND", ("49,900 TND",), ("1.299", "TND")),
        ("1.299 TND", ("49,90 TND", "9,5 TND"), ("1299", "TND")),
    ],
)
def test_three_decimals_are_read_where_the_feed_writes_them(text, others, expected):
    assert read(text, *others) == expected


@pytest.mark.parametrize(
    ("text", "others", "currency"),
    [
        ("129 kr", ("99 SEK",), "SEK"),
        ("129 kr", ("99 kr", "12 DKK"), "DKK"),
        ("129 kr", ("99 SEK", "99 NOK"), ""),
        ("129 kr", ("99 EUR",), ""),
        ("¥1,200", ("1200円",), "JPY"),
        ("¥1,200", ("12.90元",), ""),
        ("¥1,200", ("人民币 12.90",), "CNY"),
        ("12.90", ("99 EUR",), ""),
    ],
)
def test_an_unclear_currency_is_the_one_that_the_feed_names(text, others, currency):
    assert read(text, *others)[1] == currency


def test_the_currency_column_counts_too():
    assert read("1.299", "129 kr", currency="SEK") == ("1299", "")
    assert read("129 kr", "5", currency="SEK") == ("129", "SEK")


def test_both_prices_of_a_row_are_read_alike():
    habits = FeedHabits(lambda: rows("12,90"))
    price = current_price({"price": ["2.499"], "sale_price": ["1.299"]}, habits)
    assert (str(price.amount), str(price.list_price)) == ("1299", "2499")
    assert price.notes == ("a price of the form 1.299 was read as 1299",)


def test_the_feed_is_read_once_and_only_when_a_price_needs_it():
    reads = []

    def reread():
        reads.append(1)
        return rows("12,90")

    habits = FeedHabits(reread)
    for text in ("12,90 €", "1.299,00", "129 SEK", "1299", "tbd"):
        current_price({"price": [text]} if text != "tbd" else {}, habits)
    assert reads == []
    threads = [Thread(target=read_price, args=("1.299", "", habits)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == [1]


def test_a_long_feed_is_read_as_far_as_it_must_be():
    seen = []

    def endless():
        while True:
            seen.append(1)
            yield {"price": ["12,90"]}

    assert habits_of(endless()).marks == {",": SOME_ROWS} and len(seen) == SOME_ROWS
    plain = ({"price": ["1299"]} for _ in range(SOME_ROWS + 5))
    assert habits_of((*plain, {"price": ["12,90"]})).marks == {",": 1}
