"""Prices that did not change for long while those of the category moved.

That a price never changed is no fault by itself: most prices of a calm category stay for years. So a price counts as
stale only where the others of its category, taken together, went one way meanwhile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from catalog.price_history.price_change import PriceChange
from search.pricing.owners.rules.price_finding import STALE, PriceFinding
from search.pricing.owners.rules.price_spans import DAY_S, spans_of, usual_price, within

WINDOW_DAYS = 180  # the price must have stayed for so long, and the others are compared over it
EDGE_DAYS = 28  # the usual price of so many days at each end is compared, so that a promotion is no move
MIN_OTHERS = 8  # products of the category that were for sale all the time
MIN_MOVE = 0.05  # least median move of the category
MOVED = 0.02  # a product moved if its price did by so much
MIN_SHARE = 2 / 3  # of the products, which moved the same way


@dataclass(frozen=True, slots=True)
class LongTermMove:
    """How the usual price of a product changed over the window: `log_ratio` of now to then; `constant` without any
    change of the price at all. `since` is when the price that is in force began."""

    category: str
    currency: str
    log_ratio: float
    constant: bool
    since: int


@dataclass(frozen=True, slots=True)
class CategoryMove:
    """The median move of a category's prices as a log ratio, over `products` of which `moved` went the same way."""

    log_ratio: float
    products: int
    moved: int


def long_term_move(changes: Sequence[PriceChange], category: str, now: int) -> LongTermMove | None:
    """Return the move of a price over the window before `now`; None where it was not for sale all the time."""
    spans = spans_of(changes, now)
    start = now - WINDOW_DAYS * DAY_S
    window = within(spans, start, now)
    if sum(span.seconds for span in window) < WINDOW_DAYS * DAY_S:
        return None
    then = usual_price(within(window, start, start + EDGE_DAYS * DAY_S))
    present = usual_price(within(window, now - EDGE_DAYS * DAY_S, now))
    if then is None or present is None:
        return None
    ratio = math.log(float(present / then))
    return LongTermMove(category, changes[-1].currency, ratio, len(window) == 1, spans[-1].start)


def category_moves(moves: Iterable[LongTermMove]) -> dict[tuple[str, str], CategoryMove]:
    """Return the move of each category and currency that went one way; categories that stayed are left out."""
    by_category: dict[tuple[str, str], list[float]] = defaultdict(list)
    for move in moves:
        by_category[move.category, move.currency].append(move.log_ratio)
    found = {}
    for key, ratios in by_category.items():
        middle = median(ratios)
        direction = math.copysign(1, middle)
        moved = sum(ratio * direction >= math.log1p(MOVED) for ratio in ratios)
        if len(ratios) > MIN_OTHERS and abs(middle) >= math.log1p(MIN_MOVE) and moved >= MIN_SHARE * len(ratios):
            found[key] = CategoryMove(middle, len(ratios), moved)
    return found


def stale_finding(
    move: LongTermMove, categories: Mapping[tuple[str, str], CategoryMove], now: int
) -> PriceFinding | None:
    """Return the finding where a price stayed while its category, itself included, went one way; None otherwise."""
    category = categories.get((move.category, move.currency))
    if category is None or not move.constant or not move.category:
        return None
    facts: dict[str, str | int | float] = {
        "since": move.since,
        "days": (now - move.since) // DAY_S,
        "move": round(math.expm1(category.log_ratio), 4),
        "products": category.products - 1,
        "moved": category.moved,
    }
    return PriceFinding(STALE, category.moved / category.products, facts)
