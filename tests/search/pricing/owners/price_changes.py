"""Histories of prices written as days and prices."""

from decimal import Decimal

from catalog.price_history.price_change import PriceChange

DAY_S = 86_400
NOW = 1_800_000_000


def history(*steps, currency="EUR", list_price=None, now=NOW):
    """The changes of `(days ago, price)` steps, oldest first; a price "-" is out of the catalogue, None is unknown.

    A third member of a step is its list price.
    """
    changes = []
    for ago, price, *rest in steps:
        at = now - round(ago * DAY_S)
        if price == "-":
            last = changes[-1]
            changes.append(PriceChange(at, last.price, last.list_price, last.currency, last.in_stock, False))
            continue
        announced = rest[0] if rest else list_price
        known = None if price is None else Decimal(price)
        changes.append(PriceChange(at, known, Decimal(announced) if announced else None, currency))
    return tuple(changes)
