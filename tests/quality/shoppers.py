"""A simulated log of shoppers, drawn from the feed's attributes alone, and how well the next views are foretold.

Nothing here reads a vector, or the simulation would only repeat what the engine believes. How it is drawn:

- Each product has an appeal, rank ** -ZIPF over a random order of the shop.
- A shopper has an audience (gender), up to three kinds of things (categories), two colours, a use and a price level,
  all taken from products drawn by appeal for that audience.
- A visit has 4 to 16 views. A view stays with the kind of the one before (0.75) or goes to one of the shopper's kinds.
  Within it products are drawn by appeal * taste: e**1.5 for a liked colour, e for the use, a normal curve over the
  logarithm of the price (0.4), 1, 0.7 or 0.02 for the own, both or another gender. One view in ten is any product, by
  appeal alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from search.evaluation.statistics import mean, measured
from search.recommend.content.session import popular, session
from search.recommend.content.substitutes import RecommenderShop
from search.recommend.events.event_log import VIEW, StoredEvent
from search.recommend.events.event_statistics import EventStatistics, compute_statistics
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sample_shop import SampleShop

ZIPF = 0.7
STAY, STRAY = 0.75, 0.1
SHORTEST, LONGEST, MORE = 4, 16, 5.0
K = 20
TUNE, JUDGE = (1, 2), (11, 12)  # seeds of the log and of the shoppers who are foretold: to choose with, to report

VISITS, JUDGED = 500, 300

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Taste:
    """What a shopper likes, as weights over all products, and the kinds of things that are looked for."""

    weights: Floats
    kinds: NDArray[np.int64]


class Shoppers:
    """Draws visits to one shop; the shop's appeal is fixed by `seed`, visits by their own."""

    def __init__(self, products: Sequence[Product], seed: int = 0, zipf: float = ZIPF) -> None:
        self.ids = [product.id for product in products]
        rng = np.random.default_rng(seed)
        self.appeal = (rng.permutation(len(products)) + 1.0) ** -zipf
        self.kind = _codes([product.category for product in products])
        self.colour = _codes([product.attributes.get("colour", "") for product in products])
        self.gender = _codes([product.attributes.get("gender", "") for product in products])
        self.use = _codes([product.attributes.get("usage", "") for product in products])
        both = [product.attributes.get("gender", "") in ("", "Unisex") for product in products]
        self.both = np.array(both)
        prices = [float(product.price or 0) for product in products]
        self.price = np.log(np.where(np.array(prices) > 0, prices, 1.0))

    def visits(self, count: int, seed: int) -> list[list[str]]:
        """The ids viewed in each of so many visits, in order; every visit is another shopper's."""
        rng = np.random.default_rng(seed)
        return [[self.ids[view] for view in self.visit(self.taste(rng), rng)] for _ in range(count)]

    def taste(self, rng: np.random.Generator, on_sale: Floats | float = 1.0) -> Taste:
        """What a shopper likes who knows the products on sale, 1 or 0 for each product."""
        appeal = self.appeal * on_sale
        first = _draw(appeal, rng)
        suits = np.where(self.gender == self.gender[first], 1.0, np.where(self.both, 0.7, 0.02))
        liked = [first, *(_draw(appeal * suits, rng) for _ in range(2))]
        weights = self.appeal * suits
        weights = weights * np.exp(1.5 * self.liking_of_colours(self.colour[liked[:2]]))
        weights = weights * np.exp(self.use == self.use[first])
        weights = weights * np.exp(-((self.price - self.price[first]) ** 2) / (2 * 0.4**2))
        return Taste(weights, self.kind[liked])

    def liking_of_colours(self, liked: NDArray[np.int64]) -> Floats:
        """How much each product has a liked colour, from 0 to 1, by the codes of these colours."""
        return np.isin(self.colour, liked).astype(float)

    def visit(self, taste: Taste, rng: np.random.Generator, on_sale: Floats | float = 1.0) -> list[int]:
        """The products viewed in a visit, in order, of those on sale."""
        length = min(SHORTEST + rng.geometric(1 / MORE) - 1, LONGEST)
        kind = taste.kinds[0]
        views = []
        for _ in range(length):
            if rng.random() < STRAY:
                views.append(_draw(self.appeal * on_sale, rng))
                continue
            kind = kind if rng.random() < STAY else rng.choice(taste.kinds)
            views.append(_draw(np.where(self.kind == kind, taste.weights * on_sale, 0.0), rng))
        return views


def log_of(visits: Sequence[Sequence[str]], now: float) -> list[StoredEvent]:
    """The visits as events of the last ten days, ten seconds between two views."""
    return [
        StoredEvent(int(now - 864_000 * (1 - i / len(visits)) + 10 * place), VIEW, view, i.to_bytes(16, "big"))
        for i, visit in enumerate(visits)
        for place, view in enumerate(visit)
    ]


def halves(visit: Sequence[str]) -> tuple[list[str], set[str]]:
    """What is known of a visit and what is to be foretold: its first half, and what is new in its second."""
    known = list(visit[: len(visit) // 2])
    return known, set(visit[len(visit) // 2 :]) - set(known)


def recalls(visits: Sequence[Sequence[str]], foretell: Callable[[list[str]], Sequence[str]]) -> list[float]:
    """The share of each visit's later views that is among the K foretold; visits without a new view are left out."""
    found = []
    for visit in visits:
        known, later = halves(visit)
        if later:
            found.append(len(later & set(foretell(known)[:K])) / len(later))
    return found


def next_views(shop: SampleShop) -> Outcome:
    """Later views of simulated visits to the sample shop, foretold from the earlier ones."""
    figures = session_figures(shop.engine, list(shop.products.values()), VISITS, JUDGED)
    names = {"popular": "popular", "popular_of_the_categories": "popular of the categories viewed"}
    names |= {"session_without_events": "session, no events", "session": "session"}
    section = Section(
        title="What a shopper views next",
        how=f"{VISITS:,} simulated visits are the log; the later half of {JUDGED:,} others is foretold from the rest, "
        f"{K} products each. Shoppers are drawn from the feed's attributes, never from a vector, as "
        "tests/quality/shoppers.py says, so the figures compare ways of recommending and promise nothing about a shop.",
        tables=(
            Table(
                ("way", f"recall@{K}"),
                tuple((said, Share.of(figures, f"{name}_recall_at_{K}")) for name, said in names.items()),
            ),
        ),
    )
    ours, theirs = (f"{name}_recall_at_{K}" for name in ("session", "popular"))
    headline = Headline(f"Next views, recall@{K}", Share.of(figures, ours), JUDGED, floor=figures[theirs])
    return Outcome("next_views", figures, section, (headline,))


def session_figures(
    shop: RecommenderShop, products: Sequence[Product], visits: int, judged: int, seeds: tuple[int, int] = JUDGE
) -> dict[str, Any]:
    """Recall@20 of later views, each with its interval, of `judged` visits after a log of `visits`."""
    shoppers, now = Shoppers(products), time.time()
    trends = compute_statistics(log_of(shoppers.visits(visits, seeds[0]), now), shop.find, now)
    asked = shoppers.visits(judged, seeds[1])
    ways: Mapping[str, Callable[[list[str]], Sequence[str]]] = {
        "popular": lambda known: [one.product.id for one in popular(shop, trends, K, known)],
        "popular_of_the_categories": lambda known: _popular_of(shop, trends, known),
        "session_without_events": lambda known: [one.product.id for one in session(shop, EventStatistics(), known, K)],
        "session": lambda known: [one.product.id for one in session(shop, trends, known, K)],
    }
    figures: dict[str, Any] = {"visits": visits, "judged": judged}
    for name, way in ways.items():
        figures |= measured(f"{name}_recall_at_{K}", mean, recalls(asked, way))
    return figures


def _popular_of(shop: RecommenderShop, trends: EventStatistics, known: list[str]) -> list[str]:
    """A harder rival than popularity: the popular products of the categories that were viewed."""
    kinds = {product.category for product in shop.find(known).values()}
    found = shop.find([one for one in trends.popular if one not in known])
    return [one for one, product in found.items() if product.category in kinds][:K]


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _draw(weights: Floats, rng: np.random.Generator) -> int:
    sums = np.cumsum(weights)
    return int(min(np.searchsorted(sums, rng.random() * sums[-1], side="right"), len(sums) - 1))
