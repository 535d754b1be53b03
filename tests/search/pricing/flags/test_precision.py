"""Precisions of flags, by hand: what is counted, when a statement holds, and which one is shown."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from catalog.price_history.price_change import PriceChange
from search.pricing.flags.calibration import LogitScale
from search.pricing.flags.measured_flags import MeasuredFlags
from search.pricing.flags.outcomes import discounted, fell, no_cheaper
from search.pricing.flags.precision import (
    MIN_CASES,
    REFERENCE,
    FlagPrecision,
    choose_threshold,
    measure_rules,
    precision_of,
)
from search.pricing.flags.price_flag import price_flags
from search.pricing.flags.rules import FLAG_CODES
from search.pricing.series.weekly_prices import WEEK_S, week_start
from tests.search.pricing.flags.drawn_prices import drawn, weekly_of

NAN = float("nan")
GOOD = FlagPrecision(0.93, 0.9, 0.95, 400, 0.1, 0.6)


def test_outcomes_by_hand():
    prices = np.array([[10, NAN, 9.4, NAN, NAN, NAN, NAN, NAN]], np.float32)
    np.testing.assert_array_equal(fell(prices), [[1, 1, NAN, NAN, NAN, NAN, NAN, NAN]])
    np.testing.assert_array_equal(no_cheaper(prices), [[0, NAN, NAN, NAN, NAN, NAN, NAN, NAN]])
    steady = np.array([[10, 10, 10, 10, 10, 9.6]], np.float32)
    np.testing.assert_array_equal(fell(steady), [[0, 0, NAN, NAN, NAN, NAN]])
    np.testing.assert_array_equal(no_cheaper(steady), [[1, 0, NAN, NAN, NAN, NAN]])
    np.testing.assert_array_equal(fell(np.array([[10, 0, 10, 10, 10, 0]], np.float32))[0, :2], [0, 0])  # 0 is no price
    listed = discounted(np.array([[9, 10, NAN, 0]], np.float32), np.array([[10, 10, 10, 10]], np.float32))
    np.testing.assert_array_equal(listed, [[1, 0, NAN, NAN]])


def test_a_precision_by_hand():
    fired = np.array([1, 1, 1, 0, 1], bool)
    outcomes = np.array([1, 0, NAN, 1, 1], np.float32)
    found = precision_of(fired, outcomes, np.array([0, 0, 1, 1, 2]))
    assert found is not None
    assert (found.precision, found.n, found.fired, found.base) == (2 / 3, 3, 3 / 4, 3 / 4)
    assert 0.5 <= found.low < found.precision < found.high <= 1
    assert precision_of(np.zeros(5, bool), outcomes, np.arange(5)) is None


def test_cases_of_one_product_are_no_independent_cases():
    outcomes = np.repeat(np.arange(40) % 2, 25).astype(np.float32)
    every = np.ones(1_000, bool)
    by_product = precision_of(every, outcomes, np.repeat(np.arange(40), 25))
    by_case = precision_of(every, outcomes, np.arange(1_000))
    assert by_product is not None and by_case is not None
    assert by_product.high - by_product.low > 3 * (by_case.high - by_case.low)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [({}, True), ({"n": MIN_CASES - 1}, False), ({"precision": 0.8}, False), ({"low": 0.59}, False)],
)
def test_a_precision_holds_with_enough_cases_above_chance(changed, holds):
    assert replace(GOOD, **changed).holds("good_price") is holds


def shown(measured=None, wait=None, now_price=9):
    start = week_start(2_450)
    changes = [PriceChange(start, Decimal(10)), PriceChange(start + 20 * WEEK_S, Decimal(now_price))]
    return {flag.code: flag for flag in price_flags(changes, start + 21 * WEEK_S - 1, measured, wait)}


def test_the_precision_of_the_shop_comes_before_the_reference():
    few = shown({"good_price": replace(GOOD, n=99)})
    assert (few["good_price"].measured, few["good_price"].count) == ("reference", REFERENCE["good_price"].n)
    own = shown({"good_price": GOOD})["good_price"]
    assert (own.measured, own.precision, own.count) == ("shop", 0.93, 400)


def test_the_reference_is_not_shown_against_what_a_shop_knows():
    wrong = FlagPrecision(0.2, 0.1, 0.3, 99, 0.1, 0.6)
    flags = shown({"good_price": wrong, "lower_than_usual": wrong})
    assert "good_price" not in flags
    assert flags["lower_than_usual"].precision is None
    too_few = shown({"good_price": replace(wrong, n=19)})["good_price"]
    wide = shown({"good_price": replace(wrong, high=REFERENCE["good_price"].low)})["good_price"]
    assert too_few.measured == wide.measured == "reference"


def test_advice_that_did_not_hold_is_not_shown_but_facts_are():
    wrong = replace(GOOD, precision=0.5, low=0.4)
    flags = shown({"good_price": wrong, "lowest_13_weeks": wrong, "lower_than_usual": wrong})
    assert set(flags) == {"lowest_13_weeks", "lower_than_usual"}
    assert {flag.precision for flag in flags.values()} == {None}
    assert flags["lower_than_usual"].usual == 10


def test_wait_needs_a_model_that_holds_and_a_past_that_was_cheaper():
    start = week_start(2_450)
    prices = [10, 8] * 8 + [10]
    changes = [PriceChange(start + week * WEEK_S, Decimal(price)) for week, price in enumerate(prices)]
    now = start + len(prices) * WEEK_S - 1
    model = {"often_cheaper": replace(GOOD, precision=0.8)}
    (flag,) = price_flags(changes, now, model, wait=True)
    assert (flag.code, flag.measured, flag.cheaper_weeks, flag.known_weeks) == ("often_cheaper", "shop", 7, 13)
    assert price_flags(changes, now, model, wait=False) == ()
    assert price_flags(changes, now, {}, wait=True) == ()  # the reference says nothing of a shop's own model
    (past,) = price_flags(changes, now)  # without a model, the past alone
    assert (past.code, past.measured) == ("often_cheaper", "reference")
    assert shown(model, wait=True, now_price=11) == {}  # a new price is no price that was often lower


def test_a_shop_is_measured_on_its_past():
    weekly = drawn(90, 60, seed=2)
    measured = measure_rules(weekly, 60)
    assert measured["good_price"].n > 100
    assert measured["good_price"].precision > measured["good_price"].base
    assert "lower_than_usual" not in measured  # without list prices nothing is known of it
    altered = replace(weekly, prices=weekly.prices.copy())
    altered.prices[:, 50:] = 1
    assert measure_rules(weekly, 50) == measure_rules(altered, 50)
    assert measure_rules(weekly, 4) == {} == measure_rules(weekly, 0)


def test_a_sale_of_a_weekend_is_something_cheaper():
    """A week in 17 costs 9; in 8 % of all weeks 8.50 is asked from Friday to Sunday, after which 9 is no lowest."""
    rng = np.random.default_rng(0)
    rows = np.where((np.arange(60) + np.arange(300)[:, None]) % 17 == 13, 9.0, 10.0)
    weekly = weekly_of(rows)
    lows = np.where(rng.random(rows.shape) < 0.08, 8.5, rows).astype(np.float32)
    longest, seen = measure_rules(weekly, 60), measure_rules(replace(weekly, lows=lows), 60)
    assert longest["good_price"].precision == 1 and longest["good_price"].holds("good_price")
    assert seen["good_price"].precision == pytest.approx(0.92**4, abs=0.1)
    assert seen["good_price"].n < 0.5 * longest["good_price"].n
    assert not seen["good_price"].holds("good_price")


def test_a_week_that_is_not_over_is_no_outcome():
    weekly = drawn(90, 60, seed=2)
    altered = replace(weekly, prices=weekly.prices.copy(), last_runs=True)
    altered.prices[:, 59:] = 1
    assert measure_rules(altered, 60) == measure_rules(weekly, 59)


def test_a_model_decides_on_waiting_only_where_it_knows():
    weekly = drawn(60, 60, seed=2)
    rules = MeasuredFlags.measure(weekly, 60, None)
    assert rules.precisions == measure_rules(weekly, 60)
    assert rules.waits(0.99) is None
    model = replace(rules, modelled=True, threshold=0.7)
    assert [model.waits(probability) for probability in (0.7, 0.69, None)] == [True, False, False]
    assert replace(model, threshold=None).waits(0.99) is False


def test_reference_holds():
    assert set(REFERENCE) == set(FLAG_CODES)
    assert all(precision.holds(code) for code, precision in REFERENCE.items())


def test_lower_than_usual_is_measured_by_list_prices():
    rows = [[10] * 20 + [8, 10] * 5, [12] * 20 + [8, 12] * 5]
    measured = measure_rules(weekly_of(rows, list_price=9), 30)
    assert measured["lower_than_usual"].precision == 1
    measured = measure_rules(weekly_of(rows, list_price=8), 30)
    assert measured["lower_than_usual"].precision == 0


def test_measured_flags_are_stored_as_json():
    for measured in (MeasuredFlags(), MeasuredFlags(REFERENCE, True, 0.7)):
        assert MeasuredFlags.from_json(json.loads(json.dumps(measured.as_json()))) == measured
    other = MeasuredFlags(REFERENCE).as_json()
    other["precisions"]["cheapest_ever"] = {}
    assert MeasuredFlags.from_json(other).precisions == REFERENCE


def test_a_threshold_is_the_lowest_with_the_wanted_precision():
    rng = np.random.default_rng(3)
    probabilities = rng.random(4_000).astype(np.float32)
    labels = rng.random(4_000) < probabilities
    products = rng.integers(300, size=4_000)
    threshold, precision = choose_threshold(probabilities, labels, products, np.ones(4_000, bool))
    assert threshold == pytest.approx(0.6, abs=0.08)  # the mean above 0.6 is 0.8
    assert precision is not None
    assert precision.precision == pytest.approx(0.8, abs=0.05)
    assert choose_threshold(probabilities, np.zeros(4_000, bool), products, np.ones(4_000, bool)) == (None, None)
    assert choose_threshold(probabilities, labels, products, np.zeros(4_000, bool)) == (None, None)


def test_an_improbable_fall_is_no_reason_to_wait():
    probabilities = np.repeat(np.array([0.9, 0.3], np.float32), 200)
    threshold, precision = choose_threshold(probabilities, np.ones(400, bool), np.arange(400), np.ones(400, bool))
    assert threshold == 0.5
    assert precision is not None and (precision.n, precision.precision) == (100, 1)


def test_calibration_finds_a_scale_and_leaves_few_cases_alone():
    rng = np.random.default_rng(4)
    stated = rng.uniform(0.02, 0.98, 20_000).astype(np.float32)
    true = LogitScale(0.6, -0.5)
    labels = rng.random(20_000) < true.of(stated)
    found = LogitScale.fit(stated, labels)
    assert (found.slope, found.offset) == (pytest.approx(0.6, abs=0.05), pytest.approx(-0.5, abs=0.06))
    few = LogitScale.fit(np.array([0.5], np.float32), np.array([True]))
    assert few.slope == pytest.approx(1, abs=0.05)
    assert LogitScale().of(stated) == pytest.approx(stated, abs=1e-5)
