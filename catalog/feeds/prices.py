"""Stand in for `catalog.money.prices` until the last importer is changed."""

from catalog.money.prices import current_price, parse_price

__all__ = ["current_price", "parse_price"]
