"""Currencies: their codes, how many decimals shops write in them, and the symbols and words that stand for them.

`currencies.csv` has the marks that mean a currency by themselves (`own`: "zł", "US$") and those that it shares with
others (`shared`: "kr"). A mark that is one currency's own and shared by others ("$") means the former when nothing else
says which. The decimals are those of ISO 4217, but none for IQD, whose thousandths nobody writes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from catalog.money.amounts import USUAL_DECIMALS, plain_text

_TABLE = Path(__file__).with_name("currencies.csv")


class CurrencyMark(NamedTuple):
    """The codes that a symbol or word may stand for, and the one that it means when nothing else says; "" for none."""

    codes: frozenset[str]
    usual: str = ""


def fold_mark(text: str) -> str:
    """Return a symbol or word as the tables have it: case and width do not count."""
    return plain_text(text).casefold()


def currency_of(text: str) -> CurrencyMark | None:
    """Return what a whole text like "EUR", "€" or "zł" stands for; None when it is no currency."""
    return MARKS.get(" ".join(fold_mark(text).split()))


def decimals_of(code: str) -> int:
    """Return how many decimals a currency has, two for a code that the table lacks."""
    return DECIMALS.get(code, USUAL_DECIMALS)


def decimal_text(amount: Decimal, code: str) -> str:
    """Return an amount as an exact text: "12.90" for 12.9 EUR, "500" for 500.00 JPY, "0.0125" for 0.0125 EUR.

    It has the decimals of its currency, and more only where they say something.
    """
    decimals = max(decimals_of(code), -int(amount.normalize().as_tuple().exponent))
    return f"{amount:.{decimals}f}"


def _rows() -> Iterator[dict[str, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _marks() -> dict[str, CurrencyMark]:
    own: dict[str, set[str]] = {}
    shared: dict[str, set[str]] = {}
    for row in _rows():
        own.setdefault(row["code"].casefold(), set()).add(row["code"])
        for column, marks in (("own", own), ("shared", shared)):
            for mark in filter(None, row[column].split("|")):
                marks.setdefault(fold_mark(mark), set()).add(row["code"])
    return {
        mark: CurrencyMark(
            frozenset(own.get(mark, set()) | shared.get(mark, set())),
            min(own[mark]) if len(own.get(mark, ())) == 1 else "",
        )
        for mark in own.keys() | shared.keys()
    }


DECIMALS: dict[str, int] = {row["code"]: int(row["decimals"]) for row in _rows()}
MARKS: dict[str, CurrencyMark] = _marks()  # by folded mark; every code is a mark too
