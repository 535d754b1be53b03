"""Join the variants of a product: the lowest price, in stock when one is, and the values of its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from catalog.errors import BadRow
from catalog.feeds.platforms.column_names import free_name
from catalog.feeds.platforms.quantities import quantity_sign
from catalog.feeds.platforms.row_groups import overlong
from catalog.feeds.platforms.row_spool import ExportRow
from catalog.feeds.platforms.sale_dates import sale_span
from catalog.feeds.rows.row import MAX_CELL, FeedRow
from catalog.money.prices import current_price

# What tells a variant from the others of its product: () when nothing does, None for a row that is no variant.
Identity = tuple[str, ...] | None


@dataclass(slots=True)
class Variant:
    """One variant: its line, whether it can be bought, its prices under Google's names, and its options and numbers.

    `named` are values like {"size": "S", "sku": "M-1"}, which the product collects.
    """

    line: int
    in_stock: bool = True
    prices: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ProductDraft:
    """A product while its rows are joined: its cells under the names of other feeds, pictures, faults and notes."""

    line: int
    product_id: str
    cells: dict[str, str] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    faults: list[FeedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    collected: dict[str, dict[str, None]] = field(default_factory=dict)

    def leave_out(self, line: int, reason: str) -> None:
        """Report a row that is no part of the product."""
        fault = f"a variant of {self.product_id[:80]!r} is left out: {reason}"
        self.faults.append(FeedRow(line, fault=fault, product_id=self.product_id))

    def add_duplicate(self, line: int, first_line: int, difference: str = "") -> None:
        """Report a row that lists another product with the same id."""
        fault = f"duplicate id {self.product_id[:80]!r}: line {first_line} has it too{difference}"
        self.faults.append(FeedRow(line, fault=fault, product_id=self.product_id))

    def own_rows(
        self, rows: Sequence[ExportRow], main: ExportRow, title: str, identity: Callable[[dict[str, str]], Identity]
    ) -> list[ExportRow]:
        """Return the rows but those of another product with the same id, and variants that are given twice.

        A row with another title is another product's, and so are the rows without a title that follow it at once.
        """
        own: list[ExportRow] = []
        lines: dict[tuple[str, ...], int] = {}
        stranger = -2
        name = _folded(main.cells.get(title, ""))
        for row in rows:
            own_name = _folded(row.cells.get(title, ""))
            if (own_name and own_name != name) or (not own_name and stranger == row.number - 1):
                stranger = row.number
                self.add_duplicate(row.line, main.line, ", with another title")
                continue
            key = identity(row.cells)
            if key or (key is not None and own_name):  # a variant without a name, when it is a whole product again
                if key in lines:
                    self.leave_out(row.line, f"line {lines[key]} has it too")
                    continue
                lines[key] = row.line
            own.append(row)
        return own

    def add_variants(self, variants: Sequence[Variant]) -> None:
        """Set what the product has from its variants; nothing without variants."""
        if not variants:
            return
        self.cells["in_stock"] = "yes" if any(variant.in_stock for variant in variants) else "no"
        self.cells |= self._lowest(variants)
        for variant in variants:
            for name, value in variant.named.items():
                self.collect(name, value)

    def collect(self, name: str, *values: str) -> None:
        """Add values of an attribute that the product does not have yet."""
        for value in filter(None, values):
            self.collected.setdefault(name, {})[value] = None

    def set_attribute(self, name: str, value: str) -> None:
        """Set an attribute that no cell has yet."""
        if value:
            self.cells.setdefault(free_name(name), value)

    def sale_prices(self, price: str, sale: str, starts: str, ends: str) -> dict[str, str]:
        """Return a price and that of a sale under Google's names; without the sale, and with a note, for a bad date."""
        if not sale:
            return {"price": price}
        try:
            span = sale_span(starts, ends)
        except BadRow as error:
            self.notes.append(f"{error.message}; the price before the sale counts")
            return {"price": price}
        return {"price": price, "sale_price": sale, "sale_price_effective_date": span}

    def has_quantity(self, quantity: str, name: str, whose: str = "product") -> bool:
        """Tell whether a quantity is above 0; also, with a note, for one that is no number."""
        sign = quantity_sign(quantity)
        if sign is None:
            self.notes.append(f"the {name} {quantity[:40]!r} is no number; its {whose} is taken as in stock")
        return sign is None or sign > 0

    def not_published(self, reason: str) -> FeedRow:
        """Return the row of a product that its shop does not show."""
        return FeedRow(self.line, fault=f"not published: {reason}", product_id=self.product_id, lists_product=False)

    def refused(self, reason: str) -> FeedRow:
        """Return the row of a product that cannot be read."""
        return FeedRow(self.line, fault=reason, product_id=self.product_id)

    def rejection(self, hidden: str, rows: Sequence[ExportRow], id_name: str = "product") -> FeedRow | None:
        """Return the row of a product that is `hidden` for a reason, or has rows too many or too long; else None."""
        if hidden:
            return self.not_published(hidden)
        fault = overlong(rows, f"the {id_name} {self.product_id[:80]!r}")
        return self.refused(fault) if fault else None

    def row(self) -> FeedRow:
        """Return the row of the product."""
        values = {name: ", ".join(found)[:MAX_CELL] for name, found in self.collected.items()}
        values = self.cells | {name: value for name, value in values.items() if name not in self.cells}
        cells = {"id": [self.product_id]} | {name: [value] for name, value in values.items() if value}
        if pictures := list(filter(None, dict.fromkeys(self.pictures))):
            cells["image"] = pictures
        return FeedRow(self.line, cells, notes=tuple(dict.fromkeys(self.notes)))

    def _lowest(self, variants: Sequence[Variant]) -> Mapping[str, str]:
        """Return the prices of the cheapest variant; those of the first one when no price can be read."""
        if all(variant.prices == variants[0].prices for variant in variants):
            return variants[0].prices
        lowest: tuple[Decimal, Mapping[str, str]] | None = None
        bad: list[tuple[int, str]] = []
        for variant in variants:
            try:
                amount = current_price({name: [price] for name, price in variant.prices.items() if price})[0]
            except BadRow as error:
                bad.append((variant.line, error.message))
                continue
            if amount is not None and (lowest is None or amount < lowest[0]):
                lowest = amount, variant.prices
        if lowest is None:
            return variants[0].prices if not bad else next(v.prices for v in variants if v.line == bad[0][0])
        for line, reason in bad:
            fault = f"the price of a variant of {self.product_id[:80]!r} is left out: {reason}"
            self.faults.append(FeedRow(line, fault=fault, product_id=self.product_id))
        return lowest[1]


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()
