"""Simulated customers of a shop over some weeks, whose views, carts and purchases become a log of events.

What is assumed, beyond the visits that tests/quality/shoppers.py describes:

- A liked colour is liked by eye: another colour is liked less, the farther it is, as a normal curve with a deviation
  of 20 over the difference of the named colours in CIELAB (terracotta and coral are 25 apart, red and yellow 112).
  `BY_NAME` likes a colour by its name alone, as tests/quality/shoppers.py does: coral is then as far from terracotta as
  navy.
- A customer keeps one taste for the whole time, drawn from what is on sale at the beginning, and visits the shop in any
  week with a probability of 0.5.
- A share of the products is new: each goes on sale at a time drawn evenly from the last four weeks, has an appeal like
  any other, and a customer likes it for its attributes as much as an old one. No product leaves.
- A view becomes a cart with 0.25, and a cart a purchase with 0.5, whatever the product. Everybody sees everything on
  sale, so what is bought does not depend on what a shop recommends.

Nothing reads a picture, a title or a vector; pictures help only so far as the feed's colours, kinds, genders and uses
can be seen in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from catalog.product import Product
from indexer.encoders.colour_encoder import srgb_to_lab
from search.recommend.events.event_log import CART, PURCHASE, VIEW
from search.recommend.events.interactions import KIND_CODES, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import DAY_S, WEEK_S
from tests.quality.shoppers import Shoppers
from web.facets.colours import swatch

WEEKS, NEW_WEEKS = 16, 4
VISITS_A_WEEK = 0.5
CART_SHARE, PURCHASE_SHARE = 0.25, 0.5
DEVIATION = 20.0  # of nearness, in CIELAB
BY_EYE, BY_NAME = "by_eye", "by_name"
SECONDS_A_VIEW = 30


class Customers(Shoppers):
    """Shoppers who like colours by eye: by their nearness in CIELAB, from the swatches that pages show of names."""

    def __init__(self, products: Sequence[Product], seed: int) -> None:
        super().__init__(products, seed)
        names = list(dict.fromkeys(product.attributes.get("colour", "") for product in products))
        self.nearness = np.array([[_nearness(_lab_of(a), _lab_of(b)) for b in names] for a in names])
        np.fill_diagonal(self.nearness, 1.0)

    def liking_of_colours(self, liked: NDArray[np.int64]) -> NDArray[np.float64]:
        """How near each product's colour is to a liked one, from 0 to 1."""
        return np.asarray(self.nearness[liked].max(axis=0)[self.colour])


SIMULATIONS: dict[str, type[Shoppers]] = {BY_EYE: Customers, BY_NAME: Shoppers}


def simulate(
    shoppers: Shoppers, products: Sequence[Product], customers: int, new_share: float, seed: int
) -> tuple[Interactions, ProductTable]:
    """The log of so many customers of a shop, and the table of its products; `seed` fixes both."""
    rng = np.random.default_rng(seed)
    released = np.where(rng.random(len(products)) < new_share, WEEKS - NEW_WEEKS * rng.random(len(products)), 0.0)
    rows: list[tuple[int, int, int, str]] = []
    for customer in range(customers):
        taste = shoppers.taste(rng, (released == 0).astype(float))
        for week in np.flatnonzero(rng.random(WEEKS) < VISITS_A_WEEK).tolist():
            at = week + rng.random()
            begin = int(at * WEEK_S) + DAY_S
            views = shoppers.visit(taste, rng, (released <= at).astype(float))
            for place, product in enumerate(views):
                seconds = begin + place * SECONDS_A_VIEW
                rows.append((customer, product, seconds, VIEW))
                if rng.random() < CART_SHARE:
                    rows.append((customer, product, seconds + 10, CART))
                    if rng.random() < PURCHASE_SHARE:
                        rows.append((customer, product, begin + SECONDS_A_VIEW * len(views), PURCHASE))
    return _interactions(rows, customers), ProductTable.of(products)


def _interactions(rows: Sequence[tuple[int, int, int, str]], customers: int) -> Interactions:
    who, products, seconds, kinds = zip(*rows, strict=True)
    unknown = np.full(len(rows), np.nan, np.float32)
    columns = History(
        np.array(products, np.int32),
        np.array(seconds, np.int64),
        np.array([KIND_CODES[kind] for kind in kinds], np.uint8),
        np.ones(len(rows), np.float32),
        unknown,
    )
    return Interactions.of([b"%d" % customer for customer in range(customers)], np.array(who, np.int32), columns)


@cache
def _lab_of(name: str) -> tuple[tuple[float, ...], ...]:
    """The colours that a name lists, in CIELAB; none where it is not known."""
    known = [ImageColor.getrgb(colour) for colour in swatch(name) if colour.startswith("#")]
    return tuple(tuple(srgb_to_lab(np.array([colour]) / 255).ravel().tolist()) for colour in known)


def _nearness(some: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """How near two lists of colours are, from 0 to 1: each colour with the nearest one of the other list."""
    if not some or not others:
        return 0.0
    distances = np.linalg.norm(np.array(some)[:, None] - np.array(others)[None], axis=2)
    nearest = np.concatenate([distances.min(axis=0), distances.min(axis=1)])
    return float(np.exp(-(nearest**2) / (2 * DEVIATION**2)).mean())
