"""Append changes that happen now to the packed history of a product."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalog.errors import DamagedStore
from catalog.price_history import segments
from catalog.price_history.price_change import PriceChange, known_amount
from catalog.product import Product


def changes_of(old: Product | None, new: Product | None) -> list[PriceChange]:
    """Return what to append after a change of a product: its entries before and after, [] for a price as before.

    `old` is None for a product that was added, `new` for one that was removed; their ids are the same.
    """
    before = [] if old is None else [_entry(old)]
    if new is not None:
        after = _entry(new)
        return [] if before and before[0].same_state_as(after) else [*before, after]
    return [*before, *(replace(entry, present=False) for entry in before)]


def appended(last: tuple[int, bytes] | None, changes: Iterable[PriceChange], now: int) -> dict[int, bytes]:
    """Return the segments to write, by number, when changes follow the `last` segment, given as number and bytes.

    Changes are in this order, without those that say what the change before says. One is never earlier than the one
    before it, also when the clock went back. A segment that cannot be read gets no further change, so that damage to
    the history of a product does not prevent changes of the product.
    """
    number, length = (0, 0) if last is None else (last[0], len(last[1]))
    newest, rest = (None, b"") if last is None else _newest(last[1])
    written: dict[int, bytes] = {}
    for change in changes:
        if newest is not None and newest.same_state_as(change):
            continue
        new = _at(change, now if newest is None else max(now, newest.at))
        full = length >= segments.MAX_BYTES or (newest is None and length > 0)
        number += full
        rest = b"" if full or newest is None else segments.older_part(new, newest, rest)
        written[number] = segments.with_newest(new, rest)
        newest, length = new, len(written[number])
    return written


def _newest(segment: bytes) -> tuple[PriceChange | None, bytes]:
    try:
        return segments.newest(segment)
    except DamagedStore:
        return None, b""


def _entry(product: Product) -> PriceChange:
    price, list_price = known_amount(product.price), known_amount(product.list_price)
    return PriceChange(0, price, list_price, product.currency, product.in_stock)


def _at(change: PriceChange, at: int) -> PriceChange:
    return PriceChange(at, change.price, change.list_price, change.currency, change.in_stock, change.present)
