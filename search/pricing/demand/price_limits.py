"""The owner's limits of prices and the costs of products, as files in the shop's home."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Generic, TypeVar

from catalog.errors import BadFeed, BadQuery
from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from catalog.product import Product, categories_down, levels_of
from catalog.text.labelled_csv import LabelledRow, bad_line, read_labelled_csv

LIMIT_COLUMNS = ("lowest", "highest", "largest_change_percent", "smallest_margin_percent")
LIMIT_HEADER = ("product_id", "category", *LIMIT_COLUMNS)
COST_HEADER = ("product_id", "cost", "currency")
MAX_BYTES = 64 * 2**20
_MAX_AMOUNT = 10**12
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """What an owner allows for a price; None where there is no limit.

    `lowest` and `highest` are prices. `largest_change_percent` is the largest change from the present price,
    `smallest_margin_percent` the smallest share of the price that must be left after the cost.
    """

    lowest: Decimal | None = None
    highest: Decimal | None = None
    largest_change_percent: Decimal | None = None
    smallest_margin_percent: Decimal | None = None

    def over(self, other: PriceLimits) -> PriceLimits:
        """Return these limits, with the other's where there is none."""
        own = {part.name: getattr(self, part.name) for part in fields(self)}
        return PriceLimits(**{
            name: getattr(other, name) if value is None else value for name, value in own.items()
        })  # fmt: skip

    def broken_by(self, price: Decimal, current: Decimal | None, cost: Decimal | None) -> tuple[str, ...]:
        """Return the names of the limits that a price breaks, in the order of LIMIT_COLUMNS.

        The smallest margin is not checked where the cost is not known.
        """
        broken = []
        if self.lowest is not None and price < self.lowest:
            broken.append("lowest")
        if self.highest is not None and price > self.highest:
            broken.append("highest")
        change, margin = self.largest_change_percent, self.smallest_margin_percent
        if change is not None and current is not None and abs(price - current) * 100 > change * current:
            broken.append("largest_change_percent")
        if margin is not None and cost is not None and (price - cost) * 100 < margin * price:
            broken.append("smallest_margin_percent")
        return tuple(broken)


NO_LIMITS = PriceLimits()


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of a shop: its own, those of categories by path, those of products by id."""

    shop: PriceLimits
    categories: Mapping[str, PriceLimits]
    products: Mapping[str, PriceLimits]

    def of_product(self, product: Product) -> PriceLimits:
        """Return the limits of a product: each from the product, else its deepest category with one, else the shop."""
        found = self.products.get(product.id, NO_LIMITS)
        for path in reversed(list(categories_down(product.category_path))):
            found = found.over(self.categories.get(path, NO_LIMITS))
        return found.over(self.shop)


@dataclass(frozen=True, slots=True)
class ProductCost:
    """What one unit of a product costs the shop; `currency` is "" for that of the product."""

    cost: Decimal
    currency: str = ""

    def within(self, currency: str) -> Decimal | None:
        """Return the cost of a product with this currency; None where it is in another."""
        return self.cost if self.currency in ("", currency) else None


class OwnerFiles:
    """The costs and limits of one shop as its owner wrote them, read again when a file changes. Threads may share it.

    Each method raises BadFeed, which names the line, where its file cannot be read.
    """

    def __init__(self, home: Path) -> None:
        shop = ShopHome(home)
        self._costs: _FollowedFile[Mapping[str, ProductCost]] = _FollowedFile(shop.costs, lambda: read_costs(home))
        self._limits: _FollowedFile[LimitTable] = _FollowedFile(shop.price_limits, lambda: read_price_limits(home))

    def costs(self) -> Mapping[str, ProductCost]:
        """Return the costs by product id."""
        return self._costs.value()

    def limits(self) -> LimitTable:
        """Return the limits of all products."""
        return self._limits.value()

    def cost_of(self, product: Product) -> Decimal | None:
        """Return what one unit of a product costs, in its currency; None where that is not known."""
        found = self.costs().get(product.id)
        return None if found is None else found.within(product.currency)


class _FollowedFile(Generic[T]):
    """What a file says, read again when it changes; an error is remembered too, as long as the file is the same."""

    def __init__(self, path: Path, read: Callable[[], T]) -> None:
        self._path = path
        self._read = read
        self._lock = threading.Lock()
        self._found: tuple[tuple[int, int, int] | None, T | BadFeed] | None = None

    def value(self) -> T:
        with self._lock:
            mark = stat_mark(self._path)
            if self._found is None or self._found[0] != mark:
                self._found = mark, self._or_error()
            found = self._found[1]
        if isinstance(found, BadFeed):
            raise BadFeed(found.message, found.hint)
        return found

    def _or_error(self) -> T | BadFeed:
        try:
            return self._read()
        except BadFeed as error:
            return error


def read_price_limits(home: Path) -> LimitTable:
    """Read HOME/price-limits.csv; without the file there are no limits. Raises BadFeed, which names the line.

    A row with a product_id is about that product, one with a category about its products, one with neither about the
    shop.
    """
    path = ShopHome(home).price_limits
    shop, categories, products = NO_LIMITS, dict[str, PriceLimits](), dict[str, PriceLimits]()
    for row in _rows(path, LIMIT_HEADER):
        product_id, category = row.values["product_id"], " > ".join(levels_of(row.values["category"]))
        if product_id and category:
            raise bad_line(path, row.line, "it names a product and a category", "Leave one of them empty.")
        limits = _limits(path, row)
        if product_id:
            products[product_id] = limits.over(products.get(product_id, NO_LIMITS))
        elif category:
            categories[category] = limits.over(categories.get(category, NO_LIMITS))
        else:
            shop = limits.over(shop)
    return LimitTable(shop, categories, products)


def read_costs(home: Path) -> Mapping[str, ProductCost]:
    """Read HOME/costs.csv by product id; without the file no cost is known. Raises BadFeed, which names the line."""
    path = ShopHome(home).costs
    costs = {}
    for row in _rows(path, COST_HEADER):
        cost = _number(path, row, "cost")
        if not row.values["product_id"] or cost is None:
            raise bad_line(path, row.line, "no product_id, or no cost", "For example: B-17,4.20,EUR.")
        costs[row.values["product_id"]] = ProductCost(cost, row.values["currency"].upper())
    return costs


def parse_amount(text: str | None, name: str) -> Decimal | None:
    """Return an amount above 0 that a merchant typed; None for none. Raises BadQuery, which names it."""
    if text is None or not text.strip():
        return None
    value = _decimal(text.strip())
    if value is None or value == 0:
        raise BadQuery(f"The {name} {text[:40]!r} is no number above 0.", "Write it with a point: 12.50.")
    return value


def _rows(path: Path, header: tuple[str, ...]) -> list[LabelledRow]:
    if not path.is_file():
        return []
    return [row for row in read_labelled_csv(path, header, max_bytes=MAX_BYTES) if any(row.values.values())]


def _limits(path: Path, row: LabelledRow) -> PriceLimits:
    limits = PriceLimits(**{name: _number(path, row, name) for name in LIMIT_COLUMNS})
    if limits.lowest is not None and limits.highest is not None and limits.lowest > limits.highest:
        raise bad_line(path, row.line, "the lowest price is above the highest", "Exchange them.")
    margin = limits.smallest_margin_percent
    if margin is not None and margin >= 100:
        raise bad_line(
            path, row.line, "a margin of 100 percent or more", "A margin is a share of the price: below 100."
        )
    return limits


def _number(path: Path, row: LabelledRow, column: str) -> Decimal | None:
    text = row.values[column]
    if not text:
        return None
    value = _decimal(text)
    if value is None:
        hint = "Write it with a point, without a currency: 12.50."
        raise bad_line(path, row.line, f"{column} is {text[:40]!r}, which is no number of 0 or more", hint)
    return value


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value < _MAX_AMOUNT else None
