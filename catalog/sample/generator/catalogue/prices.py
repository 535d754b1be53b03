"""Compute the prices of sample products from family, size, material and brand, with a little noise."""

from __future__ import annotations

from functools import cache

import numpy as np

from catalog.sample.generator.catalogue.plan import BRANDS, SEED, Item, items
from catalog.sample.generator.shapes.families import FAMILIES
from catalog.sample.generator.shapes.materials import FINISHES

SALE_SHARE, DISCOUNT = 0.1, 0.2
PATTERN_FACTOR = {"plain": 1.0, "speckle": 1.03, "stripes": 1.06, "dots": 1.06, "checks": 1.08, "two-tone": 1.1}


def _bulk(item: Item) -> float:
    width, depth, height = item.measures
    return float(max(width, height) * (width * depth * height) ** (1 / 6))


@cache
def _middling(family: str) -> float:
    return float(np.mean([_bulk(item) for item in items() if item.family.key == family and item.id.endswith("a")]))


def price(item: Item) -> float:
    """Return the product's price in euros: a whole amount less ten cents, as shops write them."""
    family = FAMILIES[item.family.key]
    materials = [FINISHES[name].price for name in family.finishes]
    factor = FINISHES[item.look.finish].price / float(np.mean(materials))
    factor *= (_bulk(item) / _middling(family.key)) ** 0.7
    factor *= BRANDS[item.brand] * PATTERN_FACTOR[item.look.pattern]
    number = [ord(c) for c in item.id]
    noise = float(np.exp(np.random.default_rng([SEED, *number]).normal(0, 0.06)))
    return float(max(4, round(family.price * factor * noise))) - 0.1


def list_price(item: Item) -> float | None:
    """Return the price in euros before a sale; None for a product that is not on sale."""
    if np.random.default_rng([SEED, 1, *(ord(c) for c in item.id)]).random() >= SALE_SHARE:
        return None
    return float(round(price(item) / (1 - DISCOUNT))) + 0.9
