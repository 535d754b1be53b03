"""What is measured of demand models on weeks that they have not seen."""

import numpy as np
import pytest

from search.pricing.demand.evaluation import default_origins, evaluate_demand
from tests.search.pricing.demand.made_demand import made_weekly


@pytest.fixture(scope="module")
def figures():
    weekly, _ = made_weekly(products=150, promotions=True, spread=0.8)
    return evaluate_demand(weekly, [52, 56])


def test_a_model_that_knows_prices_is_better_than_one_that_does_not(figures):
    known = figures["with_calendar"]
    assert known["deviance_ratio"] < figures["deviance_ratio"] < 0.9
    assert known["deviance_ratio"] < known["single_elasticity_deviance_ratio"]
    assert known["deviance_ratio"] < known["without_price_deviance_ratio"] < 1
    assert figures["without_price_deviance_ratio"] == 1  # without a calendar it knows nothing
    assert known["negative_share"] > 0.9
    assert known["direction_accuracy"] > 0.6
    assert 0.75 <= known["coverage_80"] <= 0.93
    assert known["weeks"] == 150 * 8


def test_where_price_does_not_matter_nothing_is_gained():
    weekly, _ = made_weekly(products=150, spread=0.0, centre=0.0)
    found = evaluate_demand(weekly, [56])
    assert found["deviance_ratio"] == pytest.approx(1, abs=0.03)
    assert "with_calendar" not in found


def test_later_weeks_are_not_looked_at():
    weekly, _ = made_weekly(products=60)
    first = evaluate_demand(weekly, [48])
    weekly.units[:, 52:] = np.float32(1000)
    weekly.prices[:, 52:] = np.float32(0.5)
    assert evaluate_demand(weekly, [48]) == first


def test_origins_are_the_last_five_times_four_weeks():
    assert default_origins(52) == [32, 36, 40, 44, 48]
    assert default_origins(10) == [6]
    assert default_origins(3) == []
    assert evaluate_demand(made_weekly(products=3, weeks=3)[0])["deviance_ratio"] is None
