"""Demand models find the elasticities that series were made with, and say honestly how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from search.pricing.demand.demand_model import SOURCES, DemandModel
from search.pricing.demand.regression.count_quantiles import Z_80, count_quantiles
from tests.search.pricing.demand.made_demand import CATEGORIES, made_weekly


@pytest.fixture(scope="module")
def made():
    weekly, elasticity = made_weekly()
    return weekly, elasticity, DemandModel.fit(weekly)


def test_elasticities_are_found(made):
    _, elasticity, model = made
    assert np.corrcoef(model.effects[:, 0], elasticity)[0, 1] > 0.7
    assert abs(np.mean(model.effects[:, 0] - elasticity)) < 0.1


def test_intervals_hold_what_they_promise():
    covered = []
    for seed in range(4):
        weekly, elasticity = made_weekly(seed, products=150)
        model = DemandModel.fit(weekly)
        reach = Z_80 * np.sqrt(model.covariance[:, 0, 0])
        covered += (np.abs(model.effects[:, 0] - elasticity) <= reach).tolist()
    assert 0.74 <= np.mean(covered) <= 0.87


def test_shrinkage_is_nearer_to_the_truth_than_one_elasticity_for_all_and_than_each_alone(made):
    weekly, elasticity, model = made
    pooled = DemandModel.fit(weekly, pooled=True)
    assert np.ptp(pooled.effects[:, 0]) < 0.05
    error = np.mean((model.effects[:, 0] - elasticity) ** 2)
    assert error < 0.8 * np.mean((pooled.effects[:, 0] - elasticity) ** 2)
    alone = [
        DemandModel.fit(weekly.rows(np.array([place]))).effects[0, 0] - elasticity[place] for place in range(0, 200, 10)
    ]
    assert np.mean((model.effects[::10, 0] - elasticity[::10]) ** 2) < np.mean(np.square(alone))


def test_a_product_whose_price_never_moved_gets_its_category_with_a_wider_interval(made):
    weekly, _, _ = made
    prices = weekly.prices.copy()
    prices[0] = np.nanmedian(prices[0])
    model = DemandModel.fit(replace(weekly, prices=prices))
    node = model.tree.node_of(weekly.categories[0])
    assert model.effects[0, 0] == pytest.approx(model.node_effects[node, 0], abs=0.02)
    assert SOURCES[model.sources[0]] == "category"
    assert model.facts.moved[0] == 0
    same = [place for place in range(1, len(weekly)) if weekly.categories[place] == weekly.categories[0]]
    assert model.covariance[0, 0, 0] > np.median(model.covariance[same, 0, 0])


def test_noisier_units_give_wider_intervals():
    calm, _ = made_weekly(shape=1e6)
    noisy, _ = made_weekly(shape=1.5)
    deviations = [np.median(np.sqrt(DemandModel.fit(weekly).covariance[:, 0, 0])) for weekly in (calm, noisy)]
    assert deviations[1] > 1.3 * deviations[0]


def test_promotions_are_told_apart_from_prices_where_the_calendar_is_known():
    weekly, elasticity = made_weekly(promotions=True, products=300)
    known, unknown = DemandModel.fit(weekly), DemandModel.fit(replace(weekly, calendar=None))
    assert known.names == ("price", "mailer", "display")
    assert known.node_effects[0, 1:] == pytest.approx([0.7, 0.4], abs=0.15)
    bias = [np.mean(model.effects[:, 0] - elasticity) for model in (known, unknown)]
    assert abs(bias[0]) < 0.15
    assert bias[1] < -0.4  # without the calendar the promotion's effect counts as the price's


def test_expected_units_follow_level_season_and_price(made):
    weekly, _, model = made
    places = np.arange(len(weekly))
    x = np.zeros((len(weekly), 2, 1))
    x[:, 1] = np.log(0.8)
    mean, log_variance = model.expected(places, x)
    assert mean[:, 1] == pytest.approx(mean[:, 0] * 0.8 ** model.effects[:, 0])
    assert (log_variance > 0).all()
    recent = weekly.units[:, -8:].mean()
    assert mean[:, 0].mean() == pytest.approx(recent, rel=0.35)


def test_a_shop_without_sales_or_prices_has_a_model_that_knows_nothing():
    weekly, _ = made_weekly(products=5, weeks=3)
    nothing = np.full_like(weekly.prices, np.nan)
    for other in (replace(weekly, prices=nothing), replace(weekly, units=nothing), weekly.rows(np.zeros(5, bool))):
        model = DemandModel.fit(other)
        assert np.isfinite(model.effects).all()
        assert {SOURCES[code] for code in model.sources} <= {"prior"}


def test_facts_count_weeks_at_other_prices():
    weekly, _ = made_weekly(products=2, weeks=20)
    prices = np.full((2, 20), 5.0, np.float32)
    prices[0, [2, 3, 4, 9]] = 4
    prices[0, 15] = 6
    facts = DemandModel.fit(replace(weekly, prices=prices)).facts
    assert (facts.moved[0], facts.reduced[0], facts.lasting[0], facts.weeks[0]) == (5, 4, 3, 20)
    assert (facts.moved[1], facts.lasting[1]) == (0, 0)
    assert (facts.lowest[0], facts.usual[0], facts.highest[0]) == (4, 5, 6)


def test_unsold_weeks_count_as_sold_nothing_at_the_usual_price_or_are_left_out():
    weekly, _ = made_weekly(products=100)
    prices = np.where(weekly.units > 0, weekly.prices, np.nan)
    log = replace(weekly, prices=prices)
    usual, dropped = DemandModel.fit(log), DemandModel.fit(log, unsold="dropped")
    assert usual.facts.units.sum() == dropped.facts.units.sum()
    assert usual.facts.weeks.sum() > dropped.facts.weeks.sum()
    places, x = np.arange(100), np.zeros((100, 1))
    assert usual.expected(places, x)[0].sum() < dropped.expected(places, x)[0].sum()


def test_quantiles_of_counts_are_those_of_the_negative_binomial():
    rng = np.random.default_rng(0)
    for mean, variance in ((0.2, 0.25), (3.0, 9.0), (40.0, 400.0), (300.0, 9_000.0)):
        shape = mean**2 / (variance - mean)
        drawn = rng.poisson(rng.gamma(shape, mean / shape, 200_000))
        expected = np.quantile(drawn, (0.1, 0.5, 0.9), method="inverted_cdf")
        found = count_quantiles(np.array([mean]), np.array([variance]), (0.1, 0.5, 0.9))[0]
        assert found == pytest.approx(expected, rel=0.02, abs=0.01)


def test_categories_of_all_depths_have_their_place_in_the_tree(made):
    _, _, model = made
    assert set(model.tree.paths) == {"", "Food", "Home", *CATEGORIES}
    assert model.tree.node_of("Food > Cheese > Soft") == model.tree.node_of("Food")
    assert model.tree.node_of("Toys") == 0
    assert (model.tree.parents[1:] < np.arange(1, len(model.tree))).all()
