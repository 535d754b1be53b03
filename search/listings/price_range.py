"""Suggest a price range from the neighbours' prices, its width calibrated on the shop's own products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.numeric import softmax

COVERAGE = 0.8  # share of true prices that a range should contain
MIN_PRICED = 30  # products with a price, of a shop before ranges are given, of a category before it has a width
MIN_NEIGHBOURS = 3
PRICE_NEIGHBOURS = 15
WEIGHT_SHARPNESS = 60.0  # how fast weights fall with similarity: variants of the same product nearly decide alone
MIN_SPREAD = 0.15  # least spread of log prices: five equal prices prove less than they seem to

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PriceRange:
    """A price range: `low` to `high` contains the price with probability `level`; from `neighbours`, (id, price).

    The width was calibrated on `products` products.
    """

    low: float
    middle: float
    high: float
    currency: str
    level: float
    products: int
    neighbours: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, prices with two decimals."""
        return {
            **{name: round(getattr(self, name), 2) for name in ("low", "middle", "high")},
            "currency": self.currency,
            "level": self.level,
            "products": self.products,
            "neighbours": [{"id": product_id, "price": price} for product_id, price in self.neighbours],
        }


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Half-width of price ranges, in spreads of the neighbours' log prices; by category where many prices are known.

    Split conformal prediction with normalised residuals (Lei et al. 2018, doi:10.1080/01621459.2017.1307116). Each
    product is predicted from all others and its variants, because most listed products have variants.
    """

    width: float
    products: int
    by_category: Mapping[str, tuple[float, int]]

    def of(self, category: str) -> tuple[float, int]:
        """Return the width for a category, and the number of products it was fitted on."""
        return self.by_category.get(category, (self.width, self.products))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PriceScale:
        """Parse what `to_dict` wrote."""
        by_category = {str(name): (float(width), int(count)) for name, (width, count) in values["by_category"].items()}
        return cls(float(values["width"]), int(values["products"]), by_category)


def centre_and_spread(log_prices: Numbers, scores: NDArray[np.floating]) -> tuple[float, float]:
    """Return the weighted mean of log prices (k,) and its spread, at least `MIN_SPREAD`; scores may be -inf."""
    known = np.isfinite(scores)
    log_prices, scores = log_prices[known], scores[known]
    if not len(scores):
        return 0.0, MIN_SPREAD
    weights = softmax((scores * WEIGHT_SHARPNESS).astype(np.float32)).astype(np.float64)
    centre = float(weights @ log_prices)
    return centre, float(np.sqrt(weights @ (log_prices - centre) ** 2)) + MIN_SPREAD


def fit_prices(
    log_prices: Numbers, categories: Sequence[str], scores: NDArray[np.floating], neighbours: Numbers
) -> PriceScale | None:
    """Fit the scale on log prices (n,) of products, and log prices and scores of their neighbours, (n, k).

    Returns None for fewer than 30 products.
    """
    if len(log_prices) < MIN_PRICED or neighbours.shape[1] < MIN_NEIGHBOURS:
        return None
    residuals = np.empty(len(log_prices))
    for i in range(len(residuals)):
        centre, spread = centre_and_spread(neighbours[i], scores[i])
        residuals[i] = abs(log_prices[i] - centre) / spread
    named = np.array(categories)
    counts = Counter(categories)
    own = {
        name: (_quantile(residuals[named == name]), count)
        for name, count in counts.items()
        if name and count >= MIN_PRICED
    }
    return PriceScale(_quantile(residuals), len(residuals), own)


def price_range(scale: PriceScale, priced: Sequence[tuple[str, str, str, float]], category: str) -> PriceRange | None:
    """Return the range from neighbours, best first: (id, price as text, currency, score); None for fewer than three.

    Only prices in the neighbours' most frequent currency are used.
    """
    if not priced:
        return None
    currency = Counter(currency for _, _, currency, _ in priced).most_common(1)[0][0]
    used = [(x, price, score) for x, price, unit, score in priced if unit == currency and float(price) > 0][
        :PRICE_NEIGHBOURS
    ]
    if len(used) < MIN_NEIGHBOURS:
        return None
    logs = np.log([float(price) for _, price, _ in used])
    centre, spread = centre_and_spread(logs, np.array([score for _, _, score in used]))
    width, products = scale.of(category)
    low, middle, high = np.exp([centre - width * spread, centre, centre + width * spread]).tolist()
    neighbours = tuple((product_id, price) for product_id, price, _ in used)
    return PriceRange(low, middle, high, currency, COVERAGE, products, neighbours)


def _quantile(residuals: Numbers) -> float:
    """Return the conformal quantile of the residuals at `COVERAGE`."""
    rank = min(len(residuals), int(np.ceil(COVERAGE * (len(residuals) + 1))))
    return float(np.sort(residuals)[rank - 1])
