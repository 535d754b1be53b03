"""Check that the history of prices agrees with the products, and that it can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from catalog.errors import DamagedStore
from catalog.price_history import segments
from catalog.price_history.price_change import PriceChange, entry_of


def present_faults(rows: Iterable[tuple[Any, ...]]) -> tuple[int, list[str]]:
    """Return what is wrong with products, as `PriceStatements.present` selects them, and the last key; 0 for none.

    The last change of each must be what the product costs now.
    """
    faults, last_key = [], 0
    for last_key, product_id, *values, segment in rows:  # noqa: B007  the last one is returned
        present = entry_of(values)
        last = None if segment is None else _newest(segment)
        if isinstance(last, str):
            faults.append(f"product {product_id[:100]!r}: {last}")
        elif last is None or not last.same_state_as(present):
            ends = "has no history" if last is None else f"has a history that ends with {_text(last)}"
            faults.append(f"product {product_id[:100]!r} is at {_text(present)} and {ends}")
    return last_key, faults


def absent_faults(rows: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Yield what is wrong with products that left the catalogue: their histories must end with that."""
    for product_id, segment in rows:
        last = _newest(segment)
        if isinstance(last, str):
            yield f"product {product_id[:100]!r}: {last}"
        elif last.present:
            yield f"product {product_id[:100]!r} is not in the catalogue and has a history that ends with {_text(last)}"


def history_faults(product_id: str, newest_first: list[bytes]) -> Iterator[str]:
    """Yield what is wrong with the whole history of one product: parts that cannot be read, a change recorded twice."""
    try:
        changes = [change for segment in newest_first for change in segments.unpack(segment)]
    except DamagedStore as error:
        yield f"product {product_id[:100]!r}: {error.message}"
        return
    for newer, older in pairwise(changes):
        if newer.at < older.at:
            yield f"product {product_id[:100]!r} has a change that is older than the one before it"
        elif newer.same_state_as(older) and newer.imported == older.imported:
            yield f"product {product_id[:100]!r} has one change recorded twice"


def _newest(segment: bytes) -> PriceChange | str:
    """Return the newest change of a segment, or why it cannot be read."""
    try:
        return segments.newest(segment)[0]
    except DamagedStore as error:
        return error.message


def _text(change: PriceChange) -> str:
    price = "no price" if change.price is None else f"{change.price} {change.currency}".strip()
    before = "" if change.list_price is None else f" (list price {change.list_price})"
    return price + before + ("" if change.in_stock else ", out of stock") + ("" if change.present else ", removed")
