"""Advice on prices: a verdict only where the interval allows one, within the owner's limits and what was seen."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from catalog.errors import BadFeed
from catalog.product import Product
from search.pricing.demand.advice import advise, decisive_elasticity
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.price_advice import AdviceQuestion
from search.pricing.demand.price_limits import LimitTable, PriceLimits, read_costs, read_price_limits
from tests.search.pricing.demand.made_demand import made_weekly

TEN = Decimal("10.00")


def model_of(elasticity, deviation, usual=10.0, promotions=True, **facts):
    """Return a model of one product, whose price was 7 or 10, with an elasticity and its deviation; a price lasted."""
    weekly, _ = made_weekly(products=1, weeks=40, promotions=promotions)
    weekly = replace(weekly, product_ids=["p"], prices=np.where(np.arange(40) % 4 == 0, 7.0, usual)[None].astype("f4"))
    model = DemandModel.fit(weekly)
    unit = np.eye(len(model.names))[:1]  # promotions have no effect and no doubt
    return replace(
        model,
        effects=elasticity * unit,
        covariance=deviation**2 * (unit.T @ unit)[None],
        sources=np.array([3]),
        facts=replace(model.facts, **{"lasting": np.array([12]), **facts}),
    )


def product(price=TEN, currency="EUR", **values):
    return Product("p", "A loaf", (), "Food > Bread", price, currency, **values)


def advice(model, price=TEN, **question):
    return advise(model, AdviceQuestion(product(price), **question))


@pytest.mark.parametrize(
    ("elasticity", "deviation", "cost", "verdict", "reason"),
    [
        (-0.4, 0.1, None, "raise", "demand_is_inelastic"),
        (-2.0, 0.2, None, "lower", "demand_is_elastic"),
        (-1.3, 0.5, None, "not_known", "interval_spans_decision"),
        (-1.5, 0.2, "6.00", "raise", "below_best_margin"),  # decision at -2.5
        (-2.0, 0.2, "6.00", "keep", "little_to_gain"),
        (-2.5, 0.2, "6.00", "keep", "little_to_gain"),
        (-2.5, 0.8, "6.00", "not_known", "interval_spans_decision"),
        (-4.0, 0.2, "6.00", "lower", "above_best_margin"),
        (-2.0, 0.2, "11.00", "raise", "below_cost"),
        (0.3, 0.1, None, "not_known", "rises_with_price"),
        (-1.0, 0.01, None, "keep", "little_to_gain"),
    ],
)
def test_verdicts(elasticity, deviation, cost, verdict, reason):
    found = advice(model_of(elasticity, deviation), cost=None if cost is None else Decimal(cost))
    assert (found.verdict, found.reason) == (verdict, reason)
    assert (found.suggested is not None) == (verdict in ("raise", "lower"))
    if found.suggested is not None:
        assert (found.suggested > TEN) == (verdict == "raise")


def test_where_promotions_are_not_known_half_of_the_effect_may_be_theirs():
    known, unknown = (advice(model_of(-1.7, 0.1, promotions=known)) for known in (True, False))
    assert (known.verdict, known.promotions_known) == ("lower", True)
    assert (unknown.verdict, unknown.reason, unknown.promotions_known) == (
        "not_known",
        "interval_spans_decision",
        False,
    )
    assert unknown.elasticity.low == known.elasticity.low
    assert unknown.elasticity.high == pytest.approx(known.elasticity.high / 2)
    lowest = [found.candidates[0] for found in (known, unknown)]
    assert lowest[0].price == lowest[1].price and lowest[1].units.low < lowest[0].units.low
    assert advice(model_of(-3.0, 0.1, promotions=False)).verdict == "lower"
    assert advice(model_of(-0.4, 0.1, promotions=False)).verdict == "raise"


def test_what_to_bear_in_mind_is_said():
    short = advice(model_of(-2.0, 0.1, lasting=np.array([7])))
    assert (short.verdict, short.cautions) == ("lower", ("temporary_changes", "revenue_only"))
    lasting = advice(model_of(-2.0, 0.1), cost=Decimal(2))
    assert lasting.cautions == ()
    assert advice(model_of(-2.0, 0.1, promotions=False)).cautions[0] == "promotions_unknown"
    assert advise(None, AdviceQuestion(product())).cautions == ()
    broken = advice(model_of(-2.0, 0.1), limits=PriceLimits(highest=Decimal(9)))
    assert "outside_limits" in broken.cautions
    assert (broken.verdict, broken.suggested) == ("lower", Decimal("8.00"))


@pytest.mark.parametrize(("elasticity", "cost"), [(-0.4, None), (-1.5, Decimal(6))])
def test_raise_needs_the_products_own_lasting_change(elasticity, cost):
    assert advice(model_of(elasticity, 0.1, lasting=np.array([8])), cost=cost).verdict == "raise"
    short = advice(model_of(elasticity, 0.1, lasting=np.array([7])), cost=cost)
    assert (short.verdict, short.reason, short.suggested) == ("not_known", "temporary_changes", None)
    assert "temporary_changes" not in short.cautions  # the reason says it
    of_category = advice(replace(model_of(elasticity, 0.1), sources=np.array([2])), cost=cost)
    assert (of_category.verdict, of_category.reason) == ("not_known", "too_few_data")
    below_cost = advice(model_of(elasticity, 0.1, lasting=np.array([0])), cost=Decimal(11))
    assert (below_cost.verdict, below_cost.reason) == ("raise", "below_cost")


def test_the_decision_is_where_revenue_or_margin_has_its_maximum():
    assert decisive_elasticity(TEN, None) == -1
    assert decisive_elasticity(TEN, Decimal(6)) == pytest.approx(-2.5)
    assert decisive_elasticity(TEN, TEN) is None
    prices = np.linspace(5, 20, 2_000)
    best = prices[np.argmax((prices - 6) * prices**-2.5)]
    assert best == pytest.approx(10, abs=0.02)


def test_a_candidate_has_units_revenue_and_margin():
    found = advice(model_of(-2.0, 0.2), cost=Decimal(6), requested=Decimal("8.00"))
    now = next(candidate for candidate in found.candidates if candidate.price == TEN)
    asked_price = found.requested
    assert asked_price.units.middle == pytest.approx(now.units.middle * 0.8**-2)
    assert asked_price.revenue.middle == pytest.approx(asked_price.units.middle * 8)
    assert asked_price.margin.middle == pytest.approx(asked_price.units.middle * 2)
    for candidate in (now, asked_price):
        for amount in (candidate.units, candidate.week_units, candidate.revenue, candidate.margin):
            assert amount.low <= amount.middle <= amount.high
    assert [candidate.price for candidate in found.candidates] == sorted({c.price for c in found.candidates})


def test_a_price_below_cost_has_a_margin_below_zero_with_its_ends_in_order():
    found = advice(model_of(-2.0, 0.2), cost=Decimal("9.50"), requested=Decimal("8.00"))
    assert found.requested.margin.low <= found.requested.margin.middle <= found.requested.margin.high < 0


def test_prices_outside_what_was_seen_are_extrapolated_and_far_ones_have_no_estimate():
    found = advice(model_of(-0.4, 0.1), requested=Decimal("14.00"))
    by_price = {candidate.price: candidate for candidate in found.candidates}
    assert not by_price[TEN].extrapolated
    assert by_price[Decimal("10.50")].extrapolated and by_price[Decimal("10.50")].units is not None
    assert by_price[Decimal("12.00")].extrapolated and by_price[Decimal("12.00")].units is None
    assert found.requested.extrapolated and found.requested.units is None
    assert found.suggested == Decimal("10.50")  # the most that lies within a twentieth of what was seen
    assert "never_charged" in found.cautions


def test_limits_bound_what_is_suggested():
    model = model_of(-0.4, 0.1)
    assert advice(model, limits=PriceLimits(highest=Decimal("10.40"))).suggested == Decimal("10.40")
    assert advice(model, limits=PriceLimits(largest_change_percent=Decimal(5))).suggested == Decimal("10.50")
    held = advice(model, limits=PriceLimits(highest=TEN))
    assert (held.verdict, held.reason, held.suggested) == ("keep", "limits", None)
    lower = model_of(-4.0, 0.2)
    limits = PriceLimits(smallest_margin_percent=Decimal(35))
    found = advice(lower, cost=Decimal(6), limits=limits)
    assert found.suggested == Decimal("9.50")  # (9.5 - 6) / 9.5 is 37 %, (9 - 6) / 9 is 33 %
    broken = advice(lower, cost=Decimal(6), limits=limits, requested=Decimal(8)).requested
    assert broken.broken_limits == ("smallest_margin_percent",)


def test_a_limit_that_is_no_price_of_the_currency_is_rounded_inwards():
    assert advice(model_of(-0.4, 0.1), limits=PriceLimits(highest=Decimal("10.405"))).suggested == Decimal("10.40")
    limits = PriceLimits(lowest=Decimal("7.991"))
    assert advice(model_of(-4.0, 0.2), limits=limits).suggested == Decimal("8.00")
    prices = [candidate.price for candidate in advice(model_of(-4.0, 0.2), limits=limits).candidates]
    assert min(prices) == Decimal("8.00")


@pytest.mark.parametrize("elasticity", [-0.4, -4.0])
def test_limits_are_not_blamed_where_there_is_no_other_price(elasticity):
    model = replace(model_of(elasticity, 0.1, usual=2.0), currencies=("JPY",))
    model = replace(model, facts=replace(model.facts, lowest=np.array([2.0])))
    found = advise(model, AdviceQuestion(product(Decimal(2), "JPY")))
    assert (found.verdict, found.reason) == ("keep", "little_to_gain")


def test_what_cannot_be_known_is_said():
    model = model_of(-0.4, 0.1)
    assert advise(None, AdviceQuestion(product())).reason == "not_fitted"
    assert advice(model, price=None).reason == "no_price"
    assert advice(model, price=Decimal(0)).reason == "no_price"
    assert advise(model, AdviceQuestion(product(currency="USD"))).reason == "other_currency"
    few = advice(model_of(-0.4, 0.1, weeks=np.array([3])))
    assert (few.verdict, few.reason) == ("not_known", "too_few_data")
    assert all(candidate.units is None for candidate in few.candidates)
    other = advise(model, AdviceQuestion(Product("new", "A loaf", (), "Food > Bread", TEN, "EUR")))
    assert (other.verdict, other.reason) == ("not_known", "too_few_data")
    assert other.elasticity.source in ("category", "shop", "prior") and other.elasticity.weeks == 0


def test_prices_have_the_decimals_of_their_currency_and_no_ending_is_invented():
    model = replace(model_of(-0.4, 0.1, usual=1000.0), currencies=("JPY",))
    found = advise(model, AdviceQuestion(product(Decimal(1000), "JPY")))
    assert {str(candidate.price) for candidate in found.candidates} >= {"950", "1000", "1050"}


def test_limits_and_costs_are_read_from_the_home(tmp_path):
    (tmp_path / "price-limits.csv").write_text(
        "product_id,category,lowest,highest,largest_change_percent,smallest_margin_percent\n"
        ",,,,10,20\n,Food,1,,,\n,Food > Bread,,12,5,\np,,2,,,\n"
    )
    (tmp_path / "costs.csv").write_text("product_id,cost,currency\np,6.20,eur\nq,3,\n")
    limits, costs = read_price_limits(tmp_path), read_costs(tmp_path)
    assert limits.of_product(product()) == PriceLimits(Decimal(2), Decimal(12), Decimal(5), Decimal(20))
    assert limits.of_product(replace(product(), id="x", category="Food > Milk")).lowest == Decimal(1)
    assert limits.of_product(replace(product(), id="x", category="")) == PriceLimits(
        None, None, Decimal(10), Decimal(20)
    )
    assert costs["p"].within("EUR") == Decimal("6.20") and costs["p"].within("USD") is None
    assert costs["q"].within("USD") == Decimal(3)


def test_homes_without_files_have_no_limits_and_no_costs(tmp_path):
    assert read_price_limits(tmp_path) == LimitTable(PriceLimits(), {}, {})
    assert read_costs(tmp_path) == {}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("p,Food,1,,,", "names a product and a category"),
        ("p,,5,4,,", "above the highest"),
        ("p,,five,,,", "'five'"),
        ("p,,-1,,,", "'-1'"),
        ("p,,,,,100", "100 percent"),
    ],
)
def test_a_limit_that_cannot_be_read_is_refused_with_its_line(tmp_path, row, reason):
    header = "product_id,category,lowest,highest,largest_change_percent,smallest_margin_percent"
    (tmp_path / "price-limits.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(BadFeed, match=f"line 2: .*{reason}"):
        read_price_limits(tmp_path)


@pytest.mark.parametrize("row", ["p,,EUR", ",3,EUR", "p,free,EUR"])
def test_a_cost_that_cannot_be_read_is_refused_with_its_line(tmp_path, row):
    (tmp_path / "costs.csv").write_text(f"product_id,cost,currency\n{row}\n")
    with pytest.raises(BadFeed, match="line 2: "):
        read_costs(tmp_path)
