"""The types of price alerts, and the rule that says when one fires."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog.product import Product

MAX_REFERENCE = 200  # characters
MAX_TITLE = 300
PENDING, SENT, FAILED, NOT_SENT = "pending", "sent", "failed", ""  # states of the delivery to the shop's webhook


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """What a visitor asks for: to be told when a product costs `at_most`, or with None anything less than now.

    `reference` is the shop's own name for the visitor or the alert. It comes back in the webhook.
    """

    product: Product
    visitor: str
    at_most: Decimal | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PriceAlert:
    """An alert that waits. `price` is what the product cost when the alert was set, `at` that time in unix seconds.

    `title` is the product's at that time, for when the product is gone. `visitor` is the keyed hash of the visitor id.
    """

    id: str
    product_id: str
    title: str
    at_most: Decimal | None
    price: Decimal
    currency: str
    reference: str
    at: int
    visitor: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """An alert that fired: the price that fired it, when the server saw that price, and the state of its delivery."""

    alert: PriceAlert
    price: Decimal
    at: int
    delivery: str = NOT_SENT


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many alerts wait and of how many visitors, how many fired, and how many deliveries are in each state.

    `fired_visitors` says of how many visitors the deliveries in each state are.
    """

    waiting: int
    visitors: int
    fired: int
    deliveries: dict[str, int]
    fired_visitors: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        states = {f"webhook_{state}": self.deliveries.get(state, 0) for state in (PENDING, SENT, FAILED)}
        return {"waiting": self.waiting, "visitors": self.visitors, "fired": self.fired, **states}


def has_price(product: Product) -> bool:
    """Tell whether a product has a price that can be compared. A price of 0 is none."""
    return product.price is not None and product.price > 0


def fires(alert: PriceAlert, product: Product) -> bool:
    """Tell whether a product, as it is now, fires an alert: in stock, in the alert's currency, and cheap enough."""
    if product.price is None or product.price <= 0 or not product.in_stock or product.currency != alert.currency:
        return False
    return product.price < alert.price if alert.at_most is None else product.price <= alert.at_most
