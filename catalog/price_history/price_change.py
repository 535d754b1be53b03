"""A change of a product's price, list price or stock, as the catalogue records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What a product cost from `at` on, until its next change.

    `at` is in unix seconds and never before the change before it, whatever the clock said. `price` is None while it is
    not known. `list_price` is what it cost before an announced discount, None without one. `present` is False from the
    moment on when the product left the catalogue; the other fields are then those before. `imported` is True where the
    change was read from a file of past prices, False where the catalogue recorded it itself.
    """

    at: int
    price: Decimal | None
    list_price: Decimal | None = None
    currency: str = ""
    in_stock: bool = True
    present: bool = True
    imported: bool = False

    def same_state_as(self, other: PriceChange) -> bool:
        """Return whether two changes lead to the same price, stock and presence, whenever each was recorded."""
        return self._state() == other._state()

    def _state(self) -> tuple[Decimal | None, Decimal | None, str, bool, bool]:
        return self.price, self.list_price, self.currency, self.in_stock, self.present


def entry_of(values: Sequence[str | int | None]) -> PriceChange:
    """Return what a product costs, of its columns price, list_price, currency and in_stock; at no time yet."""
    price, list_price = (None if text is None else known_amount(Decimal(text)) for text in values[:2])
    currency, in_stock = values[2:]
    return PriceChange(0, price, list_price, str(currency), bool(in_stock))


def known_amount(amount: Decimal | None) -> Decimal | None:
    """Return an amount; None for one that is no number, which the catalogue does not refuse."""
    return amount if amount is not None and amount.is_finite() else None
