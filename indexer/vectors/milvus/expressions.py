"""Conditions as Milvus expressions that hold nothing but our own field names and numbers.

Labels are compared by a 63-bit digest, so that no text of a feed or of a shopper is ever part of an expression: no
quote, backslash or letter can change what it says, on no version of Milvus.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from indexer.vectors.conditions import (
    AllHold,
    AnyHolds,
    HasLabel,
    HoldsNot,
    IsInStock,
    IsOnSale,
    OfProducts,
    PriceWithin,
    RowCondition,
)

ROW, KEY, SHA256, LABELS, PRICE, IN_STOCK, ON_SALE, FACTS, VECTOR = (
    "row",
    "key",
    "sha256",
    "labels",
    "price",
    "in_stock",
    "on_sale",
    "facts",
    "vector",
)
MAX_LABELS = 1_024  # of a product; one with more passes every condition on labels
UNKNOWN_LABELS = 0
NO_PRICE, LOWEST_PRICE = -1e300, -1e299  # nulls would make `not` of a range false
EVERYTHING, NOTHING = f"{ROW} >= 0", f"{ROW} < 0"


def label_code(field: str, label: str) -> int:
    """Return the number that a folded label of a field is compared by: int64, above 0."""
    digest = hashlib.blake2b(f"{field}\0{label}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 1) or 1


def label_codes(labels: Mapping[str, Sequence[str]]) -> list[int]:
    """Return the codes of a product's labels, sorted; [0] when there are too many, which passes every condition."""
    codes = sorted({label_code(field, label) for field, texts in labels.items() for label in texts})
    return codes if len(codes) <= MAX_LABELS else [UNKNOWN_LABELS]


def expression(condition: RowCondition, holds: bool = True) -> str:
    """Return a condition, or that it does not hold, as a Milvus expression."""
    match condition:
        case HasLabel(field=field, labels=labels):
            codes = sorted({label_code(field, label) for label in labels})
            passing = f"array_contains_any({LABELS}, {[UNKNOWN_LABELS, *codes] if holds else codes})"
            return passing if holds else f"not {passing}"
        case AllHold(conditions=conditions) | AnyHolds(conditions=conditions):
            all_hold = isinstance(condition, AllHold) == holds
            parts = [f"({expression(part, holds)})" for part in conditions]
            return (" and " if all_hold else " or ").join(parts) or (EVERYTHING if all_hold else NOTHING)
        case HoldsNot(condition=inner):
            return expression(inner, not holds)
    return _number_condition(condition) if holds else f"not ({_number_condition(condition)})"


def _number_condition(condition: PriceWithin | IsInStock | IsOnSale | OfProducts) -> str:
    match condition:
        case PriceWithin(low=low, high=high):
            bound = LOWEST_PRICE if low is None else float(low)
            return f"{PRICE} >= {bound!r}" + ("" if high is None else f" and {PRICE} <= {float(high)!r}")
        case IsInStock(in_stock=value):
            return f"{IN_STOCK} == {'true' if value else 'false'}"
        case IsOnSale(on_sale=value):
            return f"{ON_SALE} == {'true' if value else 'false'}"
    return any_of(KEY, condition.keys)


def any_of(field: str, numbers: Iterable[int]) -> str:
    """Return the expression that a field has one of these numbers."""
    listed = [int(number) for number in numbers]
    return f"{field} in {listed}" if listed else NOTHING


def within(low: int, high: int) -> str:
    """Return the expression for rows from `low` up to `high`, which is not included."""
    return f"{ROW} >= {int(low)} and {ROW} < {int(high)}"
