"""The features of a visitor and candidate products, by which the second stage ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.recommend.ranking.product_statistics import HALF_LIVES_WEEKS, ProductStatistics
from search.recommend.ranking.visitor_profile import VisitorProfile

OWN = ("count", "short", "middle", "long", "since", "gap", "quantity", "looks", "carts", "last_basket")
GROUP = ("short", "middle", "since", "products", "looks")
OF_VISITOR = ("baskets", "recent_baskets", "idle_days", "distinct_products", "repeat_share")
MODELS = ("ease", "together")
FEATURES = (
    *(f"own_{name}" for name in (*OWN, "due", "basket_share", "type_share")),
    *(f"type_{name}" for name in (*GROUP, "due")),
    *(f"parent_{name}" for name in GROUP),
    *(f"brand_{name}" for name in ("middle", "products")),
    *(f"{name}{part}" for name in MODELS for part in ("", "_share")),
    *(f"popularity_{half_life:g}" for half_life in HALF_LIVES_WEEKS),
    *("trend", "buyers", "repeat_rate", "gap_days", "share_of_type", "age_weeks"),
    *("price", "discount", "price_to_type", "price_to_mean"),
    *OF_VISITOR,
)


def features_of(
    profile: VisitorProfile, statistics: ProductStatistics, candidates: NDArray[np.int64], models: Mapping[str, Floats]
) -> Floats:
    """Return float32 (candidates, len(FEATURES)); `models` are the scores (candidates,) of each of MODELS.

    What is not known, such as the days since a purchase that never was, is NaN.
    """
    types = profile.types.of(statistics.types[candidates])
    with np.errstate(divide="ignore", invalid="ignore"):
        columns: list[Floats | float] = [
            *_own(profile, statistics, candidates, types["middle"]),
            *(types[name] for name in GROUP),
            types["since"] / statistics.gap_days[candidates],
            *_groups(profile, statistics, candidates),
            *(part for name in MODELS for part in _with_share(models[name])),
            *_of_products(profile, statistics, candidates, types["price"]),
            *(profile.visitor[name] for name in OF_VISITOR),
        ]
    table = np.empty((len(candidates), len(FEATURES)), np.float32)
    for place, column in enumerate(columns):
        table[:, place] = column
    table[~np.isfinite(table)] = np.nan
    return table


def _own(
    profile: VisitorProfile, statistics: ProductStatistics, candidates: NDArray[np.int64], of_type: Floats
) -> list[Floats]:
    own = profile.own.of(candidates)
    usual = statistics.gap_days[candidates]
    # The visitor's own gap is drawn towards the usual one, as a few purchases say little.
    gap = np.where(np.isnan(own["gap"]), usual, (own["gap"] * own["count"] + usual) / (own["count"] + 1))
    due = np.asarray(own["since"] / gap, np.float32)
    basket_share = own["count"] / np.float32(profile.visitor["baskets"])
    return [*(own[name] for name in OWN), due, basket_share, own["middle"] / of_type]


def _groups(profile: VisitorProfile, statistics: ProductStatistics, candidates: NDArray[np.int64]) -> list[Floats]:
    parents = profile.parents.of(statistics.parents[candidates])
    brands = profile.brands.of(statistics.brands[candidates])
    return [*(parents[name] for name in GROUP), brands["middle"], brands["products"]]


def _of_products(
    profile: VisitorProfile, statistics: ProductStatistics, candidates: NDArray[np.int64], type_price: Floats
) -> list[Floats]:
    popularity = statistics.popularity[candidates]
    price = statistics.prices[candidates]
    return [
        *popularity.T,
        np.asarray(popularity[:, 0] / popularity[:, 2]),
        statistics.buyers[candidates],
        statistics.repeat_rate[candidates],
        statistics.gap_days[candidates],
        statistics.type_share[candidates],
        statistics.age_weeks[candidates],
        price,
        statistics.discount[candidates],
        price / type_price,
        price / np.float32(profile.visitor["mean_price"]),
    ]


def _with_share(scores: Floats) -> tuple[Floats, Floats]:
    """Return scores, and their share of the highest one: visitors with long histories have higher ones."""
    return scores, scores / np.float32(max(float(scores.max(initial=0.0)), 1e-6))
