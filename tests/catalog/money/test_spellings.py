"""Amounts and currencies as shops write them: a table of spellings, and every number in the styles of many places."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadRow
from catalog.money.amounts import number_text, plain_text, read_number
from catalog.money.currencies import DECIMALS, MARKS, currency_of
from catalog.money.price_text import MAX_PRICE
from catalog.money.prices import parse_price

# The table has the text of a price, that of its currency column, and the amount: "none" without a price, or "bad".
with Path(__file__).with_name("spellings.csv").open(encoding="utf-8", newline="") as _file:
    SPELLINGS = [tuple(row.values()) for row in csv.DictReader(_file)]

DIGITS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙")
# Mark of groups and decimal mark.
STYLES = {
    "English": (",", "."),
    "German": (".", ","),
    "French": ("\u202f", ","),
    "Polish": ("\u00a0", ","),
    "typographic": ("\u2009", ","),
    "Swiss": ("’", "."),
    "Swiss, typed": ("'", "."),
    "Liechtenstein": ("’", ","),
    "Arabic": ("٬", "٫"),
    "plain": ("", "."),
    "plain, comma": ("", ","),
    "spaced": (" ", "."),
}


@pytest.mark.parametrize(
    ("text", "column", "amount", "currency"), SPELLINGS, ids=[f"{t} ({c})" for t, c, *_ in SPELLINGS]
)
def test_a_spelling_is_read(text, column, amount, currency):
    if amount == "bad":
        with pytest.raises(BadRow, match=r"^bad (price|currency) "):
            parse_price(text, column)
    else:
        found, code = parse_price(text, column)
        assert ("none" if found is None else str(found), code) == (amount, currency)


def test_the_table_has_every_kind_of_currency():
    named = {currency for *_, currency in SPELLINGS}
    assert len(SPELLINGS) > 200 and len(named) > 40


def grouped(whole, mark, sizes=(3,)):
    """Group the digits of a whole number from its end: the first group has `sizes[0]` digits, the others the last."""
    parts, rest = [], whole
    size = sizes[0]
    while len(rest) > size:
        parts.insert(0, rest[-size:])
        rest, size = rest[:-size], sizes[-1]
    return mark.join([rest, *parts])


def written(amount, style, digits=DIGITS[0], indian=False):
    whole, _, decimals = str(amount).partition(".")
    group, mark = STYLES[style]
    text = grouped(whole, group, (3, 2) if indian else (3,)) + (mark + decimals if decimals else "")
    return text.translate(dict(zip(map(ord, "0123456789"), digits, strict=True)))


AMOUNTS = st.decimals(min_value=0, max_value=99_999_999, places=2)


@given(AMOUNTS, st.sampled_from(sorted(STYLES)), st.sampled_from(DIGITS), st.sampled_from(("EUR", "SEK", "INR", "USD")))
def test_an_amount_reads_back_in_every_style(amount, style, digits, code):
    number = written(amount, style, digits)
    assert parse_price(number)[0] == amount
    for text in (f"{number} {code}", f"{code}\u00a0{number}", f"\u200f{code.lower()}{number}"):
        assert parse_price(text) == (amount, code)


@given(st.integers(0, 99_999_999), st.sampled_from(sorted(STYLES)), st.sampled_from(("EUR", "JPY", "KRW", "PLN")))
def test_a_whole_amount_reads_back_when_its_currency_has_no_thousandths(amount, style, code):
    assert parse_price(f"{written(amount, style)} {code}") == (amount, code)
    assert parse_price(f"{written(amount, style)},- {code}") == (amount, code)
    assert parse_price(written(amount, style), code) == (amount, code)


@given(
    st.decimals(min_value=0, max_value=999_999, places=3), st.sampled_from(("KWD", "BHD", "TND", "OMR", "JOD", "LYD"))
)
def test_thousandths_read_back_in_currencies_that_have_them(amount, code):
    for style in STYLES:
        assert parse_price(f"{written(amount, style)} {code}") == (amount, code)


@given(AMOUNTS)
def test_lakhs_read_back(amount):
    assert parse_price(f"₹{written(amount, 'English', indian=True)}") == (amount, "INR")


@given(AMOUNTS, st.sampled_from(sorted(DECIMALS)))
def test_an_amount_reads_back_behind_and_before_each_mark_of_its_currency(amount, code):
    for mark, meaning in MARKS.items():
        if code in meaning.codes:
            for text in (f"{mark} {amount}", f"{amount} {mark}", f"{amount}{mark}"):
                found, currency = parse_price(text, code)
                assert (float(found), currency) == (
                    pytest.approx(float(amount), abs=0.51 if not DECIMALS[code] else 0),
                    code,
                )


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_the_noise_of_floats_is_no_part_of_a_price(amount):
    rounded = round(amount, 2)
    found, _ = parse_price(number_text(rounded + 1e-9), "EUR")
    assert float(found) == pytest.approx(rounded, abs=0.0001)
    assert -found.as_tuple().exponent <= (2 if rounded >= 0.1 else 4)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.299, "1.2990"),
        ("1.299", "1.2990"),
        (1299, "1299"),
        (1.5e3, "1500.0"),
        ("1.299E3", "1299"),
        (12.9, "12.9"),
        ("NaN", "NaN"),
    ],
)
def test_a_number_of_json_can_be_read_in_one_way(number, text):
    assert number_text(number) == text


@given(st.text(max_size=60))
def test_any_text_is_a_price_or_a_bad_row(text):
    try:
        amount, currency = parse_price(text)
    except BadRow as error:
        assert error.message
    else:
        assert amount is None or amount >= 0
        assert currency == "" or currency in DECIMALS
    assert read_number(plain_text(text)) is None or any(character.isdigit() for character in text)


def test_a_price_longer_than_any():
    with pytest.raises(BadRow, match="bad price"):
        parse_price("1" + " " * 100_000 + "x")
    with pytest.raises(BadRow, match="bad price"):
        parse_price("1" * (MAX_PRICE + 1))


def test_a_mark_of_several_currencies_means_one_only_where_that_is_usual():
    assert currency_of("$").usual == "USD" and "CAD" in currency_of("$").codes
    assert currency_of("kr").usual == "" and {"SEK", "NOK", "DKK", "ISK"} == currency_of("kr").codes
    assert currency_of("ZŁ").codes == {"PLN"}
    assert currency_of("guineas") is None


def test_every_code_means_itself():
    assert all(currency_of(code).usual == code for code in DECIMALS)
    assert {DECIMALS[code] for code in ("KWD", "BHD", "TND", "OMR", "JOD", "LYD")} == {3}
    assert {DECIMALS[code] for code in ("JPY", "KRW", "VND", "CLP")} == {0}
    assert Decimal(0) == parse_price("0 EUR")[0]
