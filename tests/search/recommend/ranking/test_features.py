"""Features of a visitor and candidates, worked out by hand."""

import numpy as np
import pytest

from search.recommend.ranking.features import FEATURES, MODELS, features_of
from search.recommend.ranking.product_statistics import ProductStatistics
from search.recommend.ranking.visitor_profile import VisitorProfile
from tests.search.recommend.purchases import DAY_S, make_events, make_table

NOW = 70 * DAY_S
ROWS = [*((0, 0, day) for day in (49, 56, 63)), (0, 2, 63), (0, 4, 69, "view"), (1, 1, 69), (1, 5, 69, "cart")]


def features(visitor, candidates, rows=(), now=NOW):
    events = make_events([*ROWS, *rows])
    statistics = ProductStatistics.fit(events, make_table(6), NOW)
    profile = VisitorProfile.of(events.history(visitor), statistics, now)
    scores = {name: np.arange(len(candidates), dtype=np.float32) for name in MODELS}
    table = features_of(profile, statistics, np.array(candidates), scores)
    assert table.shape == (len(candidates), len(FEATURES))
    assert not np.isinf(table).any()
    return [dict(zip(FEATURES, row.tolist(), strict=True)) for row in table]


def test_own_purchases():
    bought, once, looked, other = features(0, [0, 2, 4, 1])
    assert (bought["own_count"], once["own_count"], looked["own_count"], other["own_count"]) == (3, 1, 0, 0)
    assert bought["own_since"] == bought["own_gap"] == 7
    assert np.isnan([once["own_gap"], looked["own_since"], other["own_since"]]).all()
    assert (bought["own_last_basket"], looked["own_last_basket"]) == (1, 0)
    assert bought["own_due"] == pytest.approx(1)
    assert looked["own_looks"] == pytest.approx(0.5 ** (1 / 7))
    assert bought["own_basket_share"] == 1


def test_categories():
    bought, other = features(0, [4, 1])  # products 0, 2 and 4 are of one kind, 1 of another
    assert bought["type_products"] == 2
    assert bought["type_since"] == 7
    assert bought["type_short"] == pytest.approx(sum(0.5 ** (days / 28) for days in (7, 7, 14, 21)), rel=1e-5)
    assert (other["type_products"], other["type_short"]) == (0, 0)
    assert np.isnan(other["type_since"])


def test_prices_are_compared_with_what_the_visitor_pays():
    row = features(0, [4])[0]
    weights = 0.5 ** (np.array([21, 14, 7, 7]) / 91)
    paid = (weights * [1, 1, 1, 3]).sum() / weights.sum()
    assert row["price_to_type"] == pytest.approx(5 / paid, rel=1e-5)
    assert row["price_to_mean"] == pytest.approx(5 / 1.5)


def test_scores_of_models_come_with_their_share():
    first, second = features(1, [1, 5])
    assert (first["ease"], second["ease"], second["ease_share"]) == (0, 1, 1)
    assert second["own_carts"] > 0


def test_what_comes_later_changes_no_feature():
    later = [(0, 0, 70.5), (0, 5, 80), (1, 1, 90)]
    np.testing.assert_equal(features(0, [0, 1, 5], later), features(0, [0, 1, 5]))


def test_a_visitor_without_events_has_features():
    row = features(2, [0], [(2, 3, 200)])[0]
    assert row["baskets"] == 0
    assert row["own_count"] == 0
    assert np.isnan(row["idle_days"])
