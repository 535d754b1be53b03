"""The flags of a product at a moment, from its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from catalog.money.computed import computed_amount
from catalog.price_history.price_change import PriceChange
from search.pricing.flags.history_window import window_of_changes
from search.pricing.flags.precision import MIN_CASES, REFERENCE, FlagPrecision
from search.pricing.flags.rules import FLAG_CODES, LONG, SHORT, FlagCode, PriceWindow

# Facts of the past, which are shown with or without a precision. The others advise, and are shown only with one.
ARITHMETIC: frozenset[FlagCode] = frozenset(("lower_than_usual", "lowest_13_weeks"))

FEW_CASES = 20  # of a shop's own, from which on their interval is compared with that of the reference


@dataclass(frozen=True, slots=True)
class PriceFlag:
    """A statement about a product's price by its code, and how often it was right.

    `precision` is the share of `count` past cases in which it was, `measured` where; they are None where that is not
    known. `usual` is the median price of the weeks before, which the price is compared with; `cheaper_weeks` of
    `known_weeks` had a price that was at least 5 % lower.
    """

    code: FlagCode
    precision: float | None = None
    count: int | None = None
    measured: Literal["shop", "reference"] | None = None
    usual: Decimal | None = None
    cheaper_weeks: int | None = None
    known_weeks: int | None = None


def price_flags(
    changes: Sequence[PriceChange],
    now: int,
    measured: Mapping[FlagCode, FlagPrecision] | None = None,
    wait: bool | None = None,
) -> tuple[PriceFlag, ...]:
    """Return the flags of a product at `now`, unix seconds, from its changes, oldest first; none where it has no price.

    `measured` is what the shop's own past says of each flag. `wait` is whether a model expects a lower price of it at
    the price that it has now, None where there is no model. A clock behind the last change counts as its time.
    """
    if not changes:
        return ()
    window = window_of_changes(changes, max(now, changes[-1].at))
    if window is None:
        return ()
    holds = {code: bool(mask[0]) for code, mask in window.flags().items()}
    if wait is not None:
        holds["often_cheaper"] = wait and bool(window.was_cheaper()[0])
    stated = {code: _statement(code, (measured or {}).get(code), modelled=wait is not None) for code in FLAG_CODES}
    flags = (stated[code] for code in FLAG_CODES if holds[code])
    return tuple(_with_facts(flag, window, changes) for flag in flags if flag is not None)


def _statement(code: FlagCode, own: FlagPrecision | None, *, modelled: bool) -> PriceFlag | None:
    """Return a flag with its precision, None for advice that was not right often enough.

    A shop with too few cases states the precision of the reference, unless FEW_CASES or more of its own speak against
    that. There is no reference for a shop's own model.
    """
    bare = PriceFlag(code) if code in ARITHMETIC else None
    if own is not None and own.n >= MIN_CASES:
        return PriceFlag(code, own.precision, own.n, "shop") if own.holds(code) else bare
    reference = REFERENCE.get(code)
    if reference is None or (modelled and code == "often_cheaper"):
        return bare
    if own is not None and own.n >= FEW_CASES and own.high < reference.low:
        return bare
    return PriceFlag(code, reference.precision, reference.n, "reference")


def _with_facts(flag: PriceFlag, window: PriceWindow, changes: Sequence[PriceChange]) -> PriceFlag:
    """Return a flag with the figures of the past that it rests on."""
    if flag.code == "often_cheaper":
        cheaper, known = window.cheaper_weeks()
        return replace(flag, cheaper_weeks=int(cheaper[0]), known_weeks=int(known[0]))
    usual = float(window.usual(SHORT if flag.code == "lower_than_usual" else LONG)[0])
    prices = {change.price for change in changes if change.price is not None}
    return replace(flag, usual=computed_amount(usual, changes[-1].currency, prices))
