"""Random queries of every form: words, photos, photos with words, products, browsing; some filtered, some sorted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog.product import CATEGORY_SEPARATOR, Product
from search.query.terms import NEWEST, PRICE_DOWN, PRICE_UP, RELEVANCE, Query

FORMS = {"words": 8, "photo": 4, "photo and words": 3, "product": 3, "product and words": 2, "browsing": 4}
FILTERED, SORTED = 0.3, 0.25
OTHER_WORDS = ("red", "blue", "in green", "cheaper", "not white", "dishwasher", "xqzzy flurb", "something for soup")


def random_queries(products: Sequence[Product], photos: Sequence[Path], count: int, seed: int = 0) -> Iterator[Query]:
    """Yield so many queries, made of the facts of random products and of photos; the same ones by the same seed."""
    rng = random.Random(seed)
    for form in rng.choices(list(FORMS), list(FORMS.values()), k=count):
        parts: dict[str, Any] = {}
        if "words" in form:
            parts["text"] = _words(rng.choice(products), rng)
        if "photo" in form:
            parts["picture"] = rng.choice(photos)
        if "product" in form:
            parts["product_id"] = rng.choice(products).id
        if form == "browsing" or rng.random() < FILTERED:
            parts["filter"] = _filter(rng.choice(products), rng)
        sort = rng.choice((PRICE_UP, PRICE_DOWN, NEWEST)) if rng.random() < SORTED else RELEVANCE
        yield Query.of(**parts, sort=sort)


def _words(product: Product, rng: random.Random) -> str:
    title = product.title.replace(",", "").lower().split()
    start = rng.randint(0, max(0, len(title) - 2))
    kind = product.category_path[-1].lower() if product.category_path else ""
    colour = product.attributes.get("colour", "").lower()
    chinese = product.attributes.get("title_zh", "").split(" ")[-1]
    wordings = (kind, f"{colour} {kind}", " ".join(title[start : start + 3]), chinese, rng.choice(OTHER_WORDS))
    return rng.choice([text for text in wordings if text.strip()])


def _filter(product: Product, rng: random.Random) -> dict[str, Any]:
    """A filter that lets this product through: by its category, brand, price, stock, or an attribute."""
    path = product.category_path
    conditions: list[dict[str, Any]] = [{"in_stock": product.in_stock}]
    if path:
        conditions.append({"category": CATEGORY_SEPARATOR.join(path[: rng.randint(1, len(path))])})
    if product.brand:
        conditions.append({"brand": [product.brand]})
    if product.price is not None:
        conditions.append({"price": {"max": float(product.price) * rng.uniform(1, 2)}})
    short = {name: value for name, value in product.attributes.items() if 0 < len(value) < 60}  # no descriptions
    if short:
        name = rng.choice(sorted(short))
        conditions.append({"attributes": {name: [short[name]]}})
    return rng.choice(conditions)
