"""Prices that are a multiple or a fraction of those of look-alikes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from indexer.numeric import chunks, sigmoid
from search.doctor.audit_rows import MIN_CONFIDENCE, ROWS_PER_CHUNK, AuditRows, Finding, ReportProgress

CHECKED_NEIGHBOURS = 15
MIN_PRICED = 5
MIN_SPREAD = 0.12  # least spread of log prices: a few equal prices are no proof of a narrow range
MIN_FACTOR = 3.0  # prices within this factor of the usual price are no outliers
SLOPE, HALF_CONFIDENT = 3.0, 2.9  # logistic curve over the distance in spreads: at which distance confidence is 0.5
MAX_EXAMPLES = 3  # look-alikes named in a finding


def price_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find products that cost a multiple, or a fraction, of what look-alikes of their category cost."""
    products = shop.products
    logs = np.array([math.log(float(product.price)) if product.price else np.nan for product in products])
    if np.isfinite(logs).sum() <= MIN_PRICED:
        return
    weights = dict(shop.generation.manifest.weights["picture"])
    reported: set[str] = set()
    for part in chunks(len(shop), ROWS_PER_CHUNK):
        progress("prices", part.start, len(shop))
        neighbours = shop.nearest(shop.picture_queries(part, weights), 2 * CHECKED_NEIGHBOURS)[1]
        for place, near in enumerate(neighbours.tolist(), part.start):
            product = products[place]
            if not np.isfinite(logs[place]) or product.id in reported:
                continue
            look_alikes = {
                products[other].id: other
                for other in near
                if other > -1
                and np.isfinite(logs[other])
                and products[other].id != product.id
                and (products[other].currency, products[other].category) == (product.currency, product.category)
            }
            used = list(look_alikes.values())[:CHECKED_NEIGHBOURS]
            if len(used) < MIN_PRICED:
                continue
            usual = float(np.median(logs[used]))
            spread = 1.4826 * float(np.median(np.abs(logs[used] - usual))) + MIN_SPREAD
            distance = abs(logs[place] - usual)
            confidence = sigmoid(SLOPE * (distance / spread - HALF_CONFIDENT))
            if distance < math.log(MIN_FACTOR) or confidence < MIN_CONFIDENCE:
                continue
            reported.add(product.id)
            side = "more" if logs[place] > usual else "less"
            why = (
                f"Costs {product.price} {product.currency}; {len(used)} look-alikes of its category cost"
                f" {math.exp(usual):.2f} in the middle: {math.exp(distance):.1f} times {side}."
            )
            examples = tuple(products[other] for other in used[:MAX_EXAMPLES])
            yield Finding("price", product, confidence, why, "price", others=examples)
