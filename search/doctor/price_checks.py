"""Prices far from those of look-alikes, and products that no words a shopper might type bring up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from indexer.layout import WORDS
from indexer.numeric import chunks, sigmoid
from search.doctor.audit_rows import AT_ONCE, LEAST_SURE, AuditRows, Finding, Step
from search.query.terms import Query, TextTerm

NEIGHBOURS = 15
LEAST_PRICED = 5
FLOOR = 0.12  # of the spread of log prices: a few equal prices say less than they seem to
LEAST_FACTOR = 3.0  # of the usual price, below which nothing is an outlier
STEEP, SPREADS = 3.0, 2.9  # logistic curve over spreads: at how many an outlier is half sure
NAMED = 3  # look-alikes that are shown
REACH = 50  # hits among which a product's own title must bring it
MOST_ASKED = 500  # products whose title is asked of the whole search, after the vectors did not bring them
UNREACHED = 0.5


def price_findings(shop: AuditRows, step: Step) -> Iterator[Finding]:
    """Products that cost a multiple, or a fraction, of what their look-alikes of the same category cost."""
    products = shop.products
    logs = np.array([math.log(float(p.price)) if p.price else np.nan for p in products])
    if np.isfinite(logs).sum() <= LEAST_PRICED:
        return
    weights = dict(shop.generation.manifest.weights["picture"])
    told: set[str] = set()
    for part in chunks(len(shop), AT_ONCE):
        step("prices", part.start, len(shop))
        near = shop.nearest(shop.asking(part, weights), 2 * NEIGHBOURS)[1]
        for i, found in enumerate(near.tolist(), part.start):
            product = products[i]
            if not np.isfinite(logs[i]) or product.id in told:
                continue
            alike = {
                products[j].id: j
                for j in found
                if j > -1
                and np.isfinite(logs[j])
                and products[j].id != product.id
                and (products[j].currency, products[j].category) == (product.currency, product.category)
            }
            used = list(alike.values())[:NEIGHBOURS]
            if len(used) < LEAST_PRICED:
                continue
            usual = float(np.median(logs[used]))
            spread = 1.4826 * float(np.median(np.abs(logs[used] - usual))) + FLOOR
            away = abs(logs[i] - usual)
            sure = sigmoid(STEEP * (away / spread - SPREADS))
            if away < math.log(LEAST_FACTOR) or sure < LEAST_SURE:
                continue
            told.add(product.id)
            side = "more" if logs[i] > usual else "less"
            why = (
                f"Costs {product.price} {product.currency}; {len(used)} look-alikes of its category cost"
                f" {math.exp(usual):.2f} in the middle: {math.exp(away):.1f} times {side}."
            )
            yield Finding("price", product, sure, why, "price", "", tuple(products[j] for j in used[:NAMED]))


def reach_findings(shop: AuditRows, step: Step) -> Iterator[Finding]:
    """Products that neither their own title nor what they are ("colour kind") brings among the first 50."""
    if WORDS not in shop.layout.names:
        return
    missed: list[int] = []
    for part in chunks(len(shop), AT_ONCE):
        step("what words reach", part.start, len(shop))
        near = shop.nearest(shop.titles(part), REACH)[1]
        for i, found in enumerate(near.tolist(), part.start):
            if not any(j > -1 and shop.products[j].id == shop.products[i].id for j in found):
                missed.append(i)
    kinds = Counter(_plain(shop, i) for i in range(len(shop)))
    for number, i in enumerate(missed[:MOST_ASKED]):
        step("what words reach", number, min(len(missed), MOST_ASKED))
        product = shop.products[i]
        asked = [words for words in dict.fromkeys((product.title, _plain(shop, i))) if words.strip()]
        pages = shop.engine.search_many([Query((TextTerm(words[:1_000]),), k=REACH, collapse=False) for words in asked])
        if any(hit.product.id == product.id for page in pages for hit in page.hits):
            continue
        others = kinds[_plain(shop, i)] - 1
        why = f"Neither its title nor “{_plain(shop, i)}” ({others} others are called so) brings it among {REACH}."
        yield Finding("not found", product, UNREACHED, why, "title")


def _plain(shop: AuditRows, place: int) -> str:
    product = shop.products[place]
    kind = product.category_path[-1] if product.category_path else ""
    return " ".join(part for part in (product.attributes.get("colour", ""), kind) if part)
