"""What the rules do to one query on one state of the shop: masks, score parts and places, ready for the ranking."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.merchandising.rule_set import QueryRules
from search.merchandising.rules import MAX_FACTOR, MIN_FACTOR
from search.state.column_store import ProductColumns

RULE_PART = "rules"  # the part of a score that boosts and buries gave
RULE_SHARE = 0.05  # its largest size: so small beside kind and values that neither gives way to it
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class AppliedRules:
    """The pins as (position from 1, key), the mask of `hidden` products (n,), boosts as parts of scores (n,).

    Pinned products are in the shop, and none is hidden. None stands for no product hidden or boosted.
    """

    pins: tuple[tuple[int, int], ...] = ()
    hidden: Mask | None = None
    boosts: Floats | None = None
    redirect: str = ""

    @property
    def score_part(self) -> tuple[dict[str, Floats], float]:
        """The boosts as a part of scores by its name, and the largest size of that; nothing where none is boosted."""
        return ({}, 0.0) if self.boosts is None else ({RULE_PART: self.boosts}, RULE_SHARE)

    @property
    def change_order(self) -> bool:
        """Whether products are pinned, boosted or buried."""
        return bool(self.pins) or self.boosts is not None

    def pinned(self, columns: ProductColumns) -> Mask:
        """Return the mask (n,) of the pinned products."""
        return columns.mask_of(np.array([key for _, key in self.pins], np.int64))

    def placed(self, keys: Ids) -> tuple[dict[int, int], Ids]:
        """Return the position of each pinned product by its place among `keys`, and these places in that order."""
        places = {key: place for place, key in enumerate(keys.tolist())}
        positions = {places[key]: position for position, key in self.pins if key in places}
        return positions, np.array(list(positions), np.int64)

    def less_hidden(self, allowed: Mask) -> Mask:
        """Return a mask (n,) of allowed products without the hidden ones."""
        return allowed if self.hidden is None else allowed & ~self.hidden

    def without_hidden(self, allowed: Mask | None) -> Mask | None:
        """Return a mask (n,) of allowed products, None for all, without the hidden ones."""
        if self.hidden is None:
            return allowed
        return ~self.hidden if allowed is None else self.less_hidden(allowed)


NOT_RULED = AppliedRules()


def apply_rules(found: QueryRules, columns: ProductColumns) -> AppliedRules:
    """Return the rules of a query for the products of one state. A pinned product that is hidden stays hidden."""
    if not found:
        return NOT_RULED
    hidden = None if found.hidden is None else columns.matching(found.hidden)
    pins = []
    for position, product_id in found.pins:
        for key in columns.keys_of([product_id]):
            if hidden is None or not hidden[columns.ordinals(np.array([key]))[0]]:
                pins.append((position, key))
    return AppliedRules(tuple(pins), hidden, _boosts(found, columns), found.redirect or "")


def _boosts(found: QueryRules, columns: ProductColumns) -> Floats | None:
    """Return a part of the score for each product: the logarithm of its factors' product, within RULE_SHARE of 0."""
    if not found.boosts:
        return None
    logarithms: Floats = np.zeros(len(columns), np.float32)
    for filter, factor in found.boosts:
        logarithms[columns.matching(filter)] += np.float32(math.log(factor))
    bounded = np.clip(logarithms, math.log(MIN_FACTOR), math.log(MAX_FACTOR))
    return np.asarray(bounded / np.float32(math.log(MAX_FACTOR)) * np.float32(RULE_SHARE), np.float32)


def page_with_pins(
    pins: Sequence[tuple[int, T]], offset: int, count: int, fetch: Callable[[int, int], Sequence[T]]
) -> list[T]:
    """Return the items ranked `offset` to `offset + count` of a list with pins at their positions, from 1.

    `fetch` returns `count` items from an offset on of the list without the pinned ones, fewer at its end. Where that
    list ends before a pin's position, the pin comes after it. Each item is on one page, and on one only.
    """
    last = pins[-1][0] if pins else 0
    if offset >= last:
        return list(fetch(offset - len(pins), count))
    others = list(fetch(0, offset + count))
    merged: list[T] = []
    for position, item in pins:
        before = position - 1 - len(merged)
        merged += others[:before]
        others = others[before:]
        merged.append(item)
    return [*merged, *others][offset : offset + count]
