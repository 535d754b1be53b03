"""Statistics of products, worked out by hand."""

import numpy as np
import pytest

from search.recommend.ranking.product_statistics import PRIOR_BUYERS, ProductStatistics
from tests.search.recommend.purchases import DAY_S, make_events, make_table

NOW = 70 * DAY_S
# Product 0 is bought weekly by visitor 0 and once by visitor 1; 1 once by each of three; 2 never; 3 was looked at.
ROWS = [
    *((0, 0, day) for day in (7, 14, 21)),
    *((0, 0, 21), (1, 0, 63)),
    *((visitor, 1, 69) for visitor in range(3)),
    (2, 3, 69, "view"),
]


@pytest.fixture(scope="module")
def statistics():
    return ProductStatistics.fit(make_events(ROWS), make_table(4), NOW)


def test_buyers_are_visitors(statistics):
    assert statistics.buyers.tolist() == [2, 3, 0, 0]


def test_a_repeat_is_a_purchase_on_another_day(statistics):
    whole = 1 / 5  # one of five buyers came back
    of_kind = (1 + PRIOR_BUYERS * whole) / (2 + PRIOR_BUYERS)
    assert statistics.repeat_rate[0] == pytest.approx((1 + PRIOR_BUYERS * of_kind) / (2 + PRIOR_BUYERS))
    assert statistics.repeat_rate[0] > statistics.repeat_rate[2] > statistics.repeat_rate[1]


def test_the_gap_is_that_of_returning_visitors(statistics):
    assert statistics.gap_days[0] == pytest.approx(7)
    assert statistics.gap_days[2] == pytest.approx(7)  # what is known of its kind


def test_popularity_halves_and_looks_count_little(statistics):
    assert statistics.popularity[1, 0] == pytest.approx(3 * 0.5 ** (1 / 7), rel=1e-3)
    assert 0 < statistics.popularity[3, 0] < 0.05
    assert statistics.popularity[2].tolist() == [0, 0, 0, 0]


def test_ages_and_discounts_are_not_known_of_what_nobody_bought(statistics):
    assert statistics.age_weeks[:2].tolist() == pytest.approx([9, 1 / 7])
    assert np.isnan(statistics.age_weeks[2])
    assert np.isnan(statistics.discount[2])
    assert statistics.discount[1] == 1


def test_a_shop_without_repeats_sells_durables():
    found = ProductStatistics.fit(make_events([(0, 0, 1), (1, 0, 2), (2, 1, 3)]), make_table(4), NOW)
    assert found.repeat_rate.max() == 0


def test_no_events_are_no_error():
    found = ProductStatistics.fit(make_events([], visitors=0), make_table(3), NOW)
    assert found.repeat_rate.max() == 0
    assert found.recent.tolist() == [0, 0, 0]


def test_statistics_outlive_their_arrays(statistics):
    copy = ProductStatistics.from_arrays(statistics.arrays())
    np.testing.assert_array_equal(copy.popularity, statistics.popularity)
