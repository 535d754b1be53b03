"""The outlook of a visitor of the shop, from the fitted models and the visitor's stored events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.product import Product
from search.recommend.events.event_columns import history_of
from search.recommend.events.event_log import CART, DISMISS, PURCHASE, StoredEvent
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.outlook.outlook import LikelyCategory, LikelyProduct

MAX_EVENTS = 10_000  # newest events of a visitor that are read
_DECISIONS = (CART, DISMISS, PURCHASE)
MAX_PREDICTED = 1_000  # products predicted for a visitor, of which the best that the shop has are returned
Find = Callable[[Sequence[str]], Mapping[str, Product]]


@dataclass(frozen=True, slots=True)
class PredictedProduct:
    """A product of the shop, and what is predicted of it."""

    product: Product
    likely: LikelyProduct

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        gap = self.likely.gap_days
        return {
            "product_id": self.product.id,
            "title": self.product.title,
            "in_stock": self.product.in_stock,
            "probability": round(self.likely.probability, 4),
            "times": self.likely.times,
            "gap_days": None if gap is None else round(gap, 1),
            "since_days": self.likely.since_days,
        }


@dataclass(frozen=True, slots=True)
class VisitorOutlook:
    """What a visitor probably buys within `days`, most probable first, and what it is time to buy again.

    `model` is the version of the fitted models, None without an outlook among them. A visitor without events on
    products that they know has empty lists.
    """

    model: int | None = None
    days: int | None = None
    categories: tuple[LikelyCategory, ...] = ()
    products: tuple[PredictedProduct, ...] = ()
    due: tuple[PredictedProduct, ...] = ()

    @property
    def personalised(self) -> bool:
        """Whether anything is predicted for this visitor."""
        return bool(self.categories or self.products)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "personalised": self.personalised,
            "model": self.model,
            "days": self.days,
            "categories": [
                {"category": found.path, "probability": round(found.probability, 4)} for found in self.categories
            ],
            "products": [item.to_dict() for item in self.products],
            "due": [item.to_dict() for item in self.due],
        }


def outlook_of(
    models: FittedModels | None, events: Sequence[StoredEvent], find: Find, now: int, k: int
) -> VisitorOutlook:
    """Return the outlook of a visitor with these events, oldest first, at most k of each list.

    Products that the shop no longer has are left out. What is due is no reminder where it is not in stock, or where
    the visitor put it into the cart or dismissed it after the last purchase of it.
    """
    if models is None or models.outlook is None:
        return VisitorOutlook()
    outlook, history = models.outlook, history_of(events, models.table)
    likely = outlook.products(history, now, MAX_PREDICTED)
    newest = {event.product_id: event.kind for event in events if event.kind in _DECISIONS}
    settled = {product_id for product_id, kind in newest.items() if kind != PURCHASE}
    due = [item for item in outlook.due(history, now, MAX_PREDICTED) if models.table.ids[item.product] not in settled]
    found = find([models.table.ids[item.product] for item in likely])

    def predicted(items: Sequence[LikelyProduct], *, stocked: bool) -> tuple[PredictedProduct, ...]:
        products = [(found.get(models.table.ids[item.product]), item) for item in items]
        present = [(product, item) for product, item in products if product is not None]
        return tuple(PredictedProduct(*pair) for pair in present if pair[0].in_stock or not stocked)[:k]

    return VisitorOutlook(
        models.version,
        outlook.days,
        tuple(outlook.categories(history, now, k)),
        predicted(likely, stocked=False),
        predicted(due, stocked=True),
    )
