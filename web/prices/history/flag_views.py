"""What a product's page says of its price: a short text, why it is said, and how often that was right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from web.i18n.language import language
from web.i18n.languages import percent_text
from web.i18n.money import money
from web.prices.history.wording import price_text, rounded

if TYPE_CHECKING:
    from search.pricing.flags.price_flag import PriceFlag

# Texts by code: the flag, why it is said, and what was right of it. "Good price" says what "lowest" says.
LABELS = {
    "good_price": "flag_good_price",
    "lower_than_usual": "flag_lower_than_usual",
    "lowest_13_weeks": "flag_lowest_13_weeks",
    "often_cheaper": "flag_often_cheaper",
}
REASONS = {
    "good_price": "why_good_price",
    "lower_than_usual": "why_lower_than_usual",
    "lowest_13_weeks": "why_lowest_13_weeks",
    "often_cheaper": "why_often_cheaper",
}
RIGHT = {
    "good_price": "right_no_cheaper",
    "lower_than_usual": "right_lower_than_usual",
    "lowest_13_weeks": "right_no_cheaper",
    "often_cheaper": "right_often_cheaper",
}
MEASURED = {"shop": "measured_shop", "reference": "measured_reference"}
MOST_PERCENT = 99  # what was always right in so many cases need not be so in the next
CONTAINED = {"good_price": "lowest_13_weeks"}  # flags that say another one too


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag in words: its text, and the sentences that are shown on demand. `waits` says that it advises against."""

    label: str
    sentences: tuple[str, ...]
    waits: bool


def flag_views(flags: Sequence[PriceFlag], currency: str) -> tuple[FlagView, ...]:
    """Return flags in words, without those that another one says too."""
    contained = {CONTAINED.get(flag.code) for flag in flags}
    known = {flag.code: flag for flag in flags if flag.code in LABELS and flag.code not in contained}
    return tuple(_view(known[code], currency) for code in LABELS if code in known)


def _view(flag: PriceFlag, currency: str) -> FlagView:
    usual = "" if flag.usual is None else money(rounded(flag.usual, currency), currency)
    sentences = [price_text(REASONS[flag.code], usual=usual, cheaper=flag.cheaper_weeks, known=flag.known_weeks)]
    if flag.precision is not None and flag.count is not None and flag.measured is not None:
        percent = percent_text(min(math.floor(flag.precision * 100), MOST_PERCENT), language())
        sentences.append(price_text(RIGHT[flag.code], percent=percent, cases=flag.count))
        sentences.append(price_text(MEASURED[flag.measured]))
    return FlagView(price_text(LABELS[flag.code]), tuple(sentences), flag.code == "often_cheaper")
