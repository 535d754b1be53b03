"""Say a filter as a condition on rows, for an engine that filters by itself.

What cannot be said is left out, so that the condition holds for all products that pass the filter, and perhaps for
more. Below a `not` that is the other way round: there a part is left out unless it is said exactly.
"""

from __future__ import annotations

from indexer.columns.fields import CURRENCY, VALUE_SEPARATOR
from indexer.vectors.conditions import (
    AllHold,
    AnyHolds,
    HasLabel,
    HoldsNot,
    IsInStock,
    IsOnSale,
    PriceWithin,
    RowCondition,
)
from search.query.filters import (
    BASE_COLOUR,
    ID,
    PRICE,
    AnyOf,
    Between,
    Condition,
    Filter,
    InStock,
    Not,
    OneOf,
    OnSale,
    folded,
)

NOT_STORED = (ID, BASE_COLOUR)  # ids are few and listed by row; base colours are worked out from colours


def row_condition(narrowed: Filter) -> RowCondition | None:
    """Return a condition that every product that passes the filter meets; None where nothing of it can be said."""
    return _all_of(narrowed, exact=False)


def _all_of(narrowed: Filter, exact: bool) -> RowCondition | None:
    translated = [_translated(condition, exact) for condition in narrowed.conditions]
    parts = [part for part in translated if part is not None]
    if not parts or (exact and len(parts) < len(translated)):
        return None
    return parts[0] if len(parts) == 1 else AllHold(tuple(parts))


def _translated(condition: Condition, exact: bool) -> RowCondition | None:
    match condition:
        case OneOf(field=field, values=values):
            return None if field in NOT_STORED else _one_of(field, values, exact)
        case Between(field=field, minimum=low, maximum=high, currency=currency):
            if field != PRICE:
                return None
            within = PriceWithin(low, high)
            return AllHold((within, HasLabel(CURRENCY, (folded(currency),)))) if currency else within
        case InStock(in_stock=in_stock):
            return IsInStock(in_stock)
        case OnSale(on_sale=on_sale):
            return IsOnSale(on_sale)
        case Not(filter=inner):
            # To say `not` exactly takes an exact inside; to say at least as much does too.
            translated = _all_of(inner, exact=True)
            return None if translated is None else HoldsNot(translated)
        case AnyOf(filters=filters):
            alternatives = [_all_of(inner, exact) for inner in filters]
            parts = tuple(part for part in alternatives if part is not None)
            return AnyHolds(parts) if len(parts) == len(alternatives) else None
    return None


def _one_of(field: str, values: tuple[str, ...], exact: bool) -> RowCondition | None:
    """Return the condition that a field has one of these values; a value may list several labels, which all count."""
    labels = HasLabel(field, tuple(folded(value) for value in values))
    lists = [[folded(part) for part in value.split(VALUE_SEPARATOR) if part.strip()] for value in values]
    lists = [parts for parts in lists if len(parts) > 1]
    if not lists:
        return labels
    if exact:  # whether the value or its parts count depends on which labels the shop has
        return None
    together = [AllHold(tuple(HasLabel(field, (part,)) for part in parts)) for parts in lists]
    return AnyHolds((labels, *together))
