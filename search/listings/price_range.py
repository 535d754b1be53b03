"""A price range from what look-alikes cost, as wide as the shop's own products kept aside say it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.labels.heads import softmax

LEVEL = 0.8  # share of true prices that a range is to hold
LEAST_PRICED = 30  # products with a price, before a range is given; and of a category, before it has its own width
LEAST_NEIGHBOURS = 3
NEIGHBOURS = 15
SHARPNESS = 60.0  # of the weights: variants of the same thing, where there are any, nearly decide alone
FLOOR = 0.15  # of the spread of log prices: five equal prices say less than they seem to

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What a thing would cost: `low` to `high` at `level`, `middle` between; from `neighbours`, ids with prices.

    `products` is how many of the shop's own the width was fitted on.
    """

    low: float
    middle: float
    high: float
    currency: str
    level: float
    products: int
    neighbours: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, prices with two decimals."""
        return {
            **{name: round(getattr(self, name), 2) for name in ("low", "middle", "high")},
            "currency": self.currency,
            "level": self.level,
            "products": self.products,
            "neighbours": [{"id": one, "price": price} for one, price in self.neighbours],
        }


@dataclass(frozen=True, slots=True)
class PriceScale:
    """How many spreads of its neighbours' log prices a product's own may lie away, by category where many are known.

    Split conformal prediction with normalised residuals (Lei et al. 2018, doi:10.1080/01621459.2017.1307116), each
    product predicted from all others, its variants too: most things that are listed have some.
    """

    width: float
    products: int
    by_category: Mapping[str, tuple[float, int]]

    def of(self, category: str) -> tuple[float, int]:
        """The width for a category, and the products that it was fitted on."""
        return self.by_category.get(category, (self.width, self.products))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> PriceScale:
        """What `to_dict` wrote."""
        by_category = {str(name): (float(width), int(count)) for name, (width, count) in told["by_category"].items()}
        return cls(float(told["width"]), int(told["products"]), by_category)


def centre_and_spread(log_prices: Numbers, scores: NDArray[np.floating]) -> tuple[float, float]:
    """The neighbours' weighted mean log price (k,) and its spread, never less than `FLOOR`; scores may be -inf."""
    known = np.isfinite(scores)
    log_prices, scores = log_prices[known], scores[known]
    if not len(scores):
        return 0.0, FLOOR
    weights = softmax((scores * SHARPNESS).astype(np.float32)).astype(np.float64)
    centre = float(weights @ log_prices)
    return centre, float(np.sqrt(weights @ (log_prices - centre) ** 2)) + FLOOR


def fit_prices(
    log_prices: Numbers, categories: Sequence[str], scores: NDArray[np.floating], neighbours: Numbers
) -> PriceScale | None:
    """The scale from priced products, log prices (n,), and log prices and scores of their neighbours, (n, k).

    None when there are fewer than 30.
    """
    if len(log_prices) < LEAST_PRICED or neighbours.shape[1] < LEAST_NEIGHBOURS:
        return None
    away = np.empty(len(log_prices))
    for i in range(len(away)):
        centre, spread = centre_and_spread(neighbours[i], scores[i])
        away[i] = abs(log_prices[i] - centre) / spread
    named = np.array(categories)
    counts = Counter(categories)
    own = {
        name: (_quantile(away[named == name]), count)
        for name, count in counts.items()
        if name and count >= LEAST_PRICED
    }
    return PriceScale(_quantile(away), len(away), own)


def price_range(scale: PriceScale, priced: Sequence[tuple[str, str, str, float]], category: str) -> PriceRange | None:
    """The range from neighbours, best first: (id, price as text, currency, score). None with fewer than three.

    Only those in the currency that most of them have are used.
    """
    if not priced:
        return None
    currency = Counter(currency for _, _, currency, _ in priced).most_common(1)[0][0]
    used = [(one, price, score) for one, price, of, score in priced if of == currency and float(price) > 0]
    used = used[:NEIGHBOURS]
    if len(used) < LEAST_NEIGHBOURS:
        return None
    logs = np.log([float(price) for _, price, _ in used])
    centre, spread = centre_and_spread(logs, np.array([score for _, _, score in used]))
    width, products = scale.of(category)
    low, middle, high = np.exp([centre - width * spread, centre, centre + width * spread]).tolist()
    neighbours = tuple((one, price) for one, price, _ in used)
    return PriceRange(low, middle, high, currency, LEVEL, products, neighbours)


def _quantile(away: Numbers) -> float:
    """The conformal quantile: the smallest width that at least the level's share (with one more) lies within."""
    rank = min(len(away), int(np.ceil(LEVEL * (len(away) + 1))))
    return float(np.sort(away)[rank - 1])
