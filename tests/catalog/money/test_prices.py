"""What a product costs while it is on sale, and when it is not."""

from datetime import datetime, timedelta, timezone

import pytest

from catalog.errors import BadRow
from catalog.money.prices import current_price, read_price

NOW = datetime.now(timezone.utc)


def priced(**cells):
    price, currency, list_price, _ = current_price({name: [value] for name, value in cells.items()})
    return str(price), currency, list_price and str(list_price)


def span(start, end, form="%Y-%m-%dT%H:%M+0000"):
    return "/".join((NOW + timedelta(days=days)).strftime(form) for days in (start, end))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"price": "20 EUR"}, ("20", "EUR", None)),
        ({"price": "20 EUR", "sale_price": "15 EUR"}, ("15", "EUR", "20")),
        ({"price": "20", "sale_price": "15", "currency": "eur"}, ("15", "EUR", "20")),
        ({"price": "20", "sale_price": "15"}, ("15", "", "20")),
        ({"price": "20 EUR", "sale_price": "20 EUR"}, ("20", "EUR", None)),
        # Exporters write 0 where there is no sale; what is given away has a price of 0.
        ({"price": "20 EUR", "sale_price": "0"}, ("20", "EUR", None)),
        ({"price": "20 EUR", "sale_price": "0.00 EUR"}, ("20", "EUR", None)),
        ({"price": "20 EUR", "sale_price": "0,000000"}, ("20", "EUR", None)),
        ({"price": "20 EUR", "sale_price": "N/A"}, ("20", "EUR", None)),
        ({"price": "0 EUR", "sale_price": "0"}, ("0", "EUR", None)),
        ({"price": "0 EUR"}, ("0", "EUR", None)),
        ({"sale_price": "0"}, ("None", "", None)),
        ({"sale_price": "15 EUR"}, ("15", "EUR", None)),
        # Other exporters write what it costs now, and what it cost before.
        ({"price": "15 EUR", "list_price": "20 EUR"}, ("15", "EUR", "20")),
        ({"price": "15", "list_price": "19,99 €", "currency": "EUR"}, ("15", "EUR", "19.99")),
        ({"price": "15 EUR", "list_price": "15 EUR"}, ("15", "EUR", None)),
        ({"price": "15 EUR", "list_price": "9 EUR"}, ("15", "EUR", None)),
        ({"price": "15 EUR", "list_price": "20 USD"}, ("15", "EUR", None)),
        ({"price": "15 EUR", "list_price": "on request"}, ("15", "EUR", None)),
        ({"price": "15 EUR", "list_price": "twenty"}, ("15", "EUR", None)),
        ({"price": "0 EUR", "list_price": "20 EUR"}, ("0", "EUR", None)),
        ({"list_price": "20 EUR"}, ("None", "", None)),
        ({}, ("None", "", None)),
    ],
)
def test_the_lower_price_counts(cells, expected):
    assert priced(**cells) == expected


@pytest.mark.parametrize(
    ("dates", "on_sale"),
    [
        (span(-1, 1), True),
        (span(-1, 1, "%Y-%m-%dT%H:%MZ"), True),
        (span(-2, 2, "%Y-%m-%dT%H:%M:%S-11:00"), True),
        (span(-2, 2, "%Y-%m-%d"), True),
        (span(-1, 1).replace("/", " / "), True),
        (span(1, 2), False),
        (span(-2, -1), False),
        ("0001-01-01T00:00+14:00/9999-12-31T23:59-14:00", True),
    ],
    ids=["now", "Z", "-11:00", "days", "spaces", "later", "over", "always"],  # not the dates, which change each minute
)
def test_a_sale_lasts_as_long_as_its_dates(dates, on_sale):
    price, _, _ = priced(price="20", sale_price="15", sale_price_effective_date=dates)
    assert price == ("15" if on_sale else "20")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"price": "20 EUR", "sale_price": "cheap"}, "bad price 'cheap'"),
        ({"price": "20 EUR", "sale_price": "-1 EUR"}, "negative"),
        ({"price": "20 EUR", "sale_price": "15 USD"}, "in EUR and the sale_price in USD"),
        ({"price": "20", "sale_price": "1", "sale_price_effective_date": "today"}, "bad sale_price_effective_date"),
        ({"price": "20", "sale_price": "1", "sale_price_effective_date": "2026-13-01/2026-14-01"}, "write it like"),
    ],
)
def test_a_sale_that_does_not_tell(cells, reason):
    with pytest.raises(BadRow, match=reason):
        priced(**cells)


def notes(text, currency=""):
    return read_price(text, currency).notes


def test_a_reading_that_was_a_choice_is_noted():
    assert notes("1.299 €") == ("a price of the form 1.299 EUR was read as 1299",)
    assert notes("1.299") == ("a price of the form 1.299 was read as 1.299",)
    assert notes("2,450", "USD") == ("a price of the form 1,299 USD was read as 1299",)
    assert notes("49,900 TND") == ("a price of the form 1,299 TND was read as 1.299",)
    assert notes("129 kr") == ("the currency 'kr' may be DKK, ISK, NOK, SEK: name it in a column, or by its code",)
    assert notes("¥12.90") == ("the currency '¥' was read as CNY",)
    assert notes("10 - 20 EUR") == ("a range of prices: the lower one counts",)


@pytest.mark.parametrize(
    "text", ["12.90", "12,90 €", "1.299,00 €", "1.299.000 €", "$12.90", "1.299 KWD", "¥1,299", "₩12,000", "0.999 €", ""]
)
def test_a_reading_that_is_no_choice_is_not_noted(text):
    assert notes(text, "JPY" if text.startswith("¥") else "") == ()
