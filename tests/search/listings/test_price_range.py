"""Price ranges: by hand, and that they hold what they promise on prices drawn by chance."""

import numpy as np
import pytest

from search.listings.price_range import MIN_PRICED, MIN_SPREAD, PriceScale, centre_and_spread, fit_prices, price_range

SCALE = PriceScale(2.0, 40, {"Hats": (1.0, 31)})


def near(*prices, currency="EUR", score=0.9):
    return [(str(i), price, currency, score) for i, price in enumerate(prices)]


def test_equal_prices_give_a_range_around_them():
    found = price_range(SCALE, near("10.00", "10.00", "10.00"), "")
    assert found.middle == pytest.approx(10)
    assert (found.low, found.high) == (
        pytest.approx(10 * np.exp(-2 * MIN_SPREAD)),
        pytest.approx(10 * np.exp(2 * MIN_SPREAD)),
    )
    assert found.neighbours == (("0", "10.00"), ("1", "10.00"), ("2", "10.00"))
    assert found.to_dict()["level"] == 0.8 and found.products == 40


def test_a_category_with_prices_enough_has_its_own_width():
    found = price_range(SCALE, near("10", "10", "10"), "Hats")
    assert found.high == pytest.approx(10 * np.exp(MIN_SPREAD)) and found.products == 31


def test_the_most_usual_currency_counts():
    found = price_range(SCALE, [*near("10", "10", "10"), *near("999", "999", currency="JPY")], "")
    assert found.currency == "EUR" and found.middle == pytest.approx(10)


@pytest.mark.parametrize("prices", [(), ("10",), ("10", "12"), ("0", "0", "0")])
def test_too_few_prices_are_no_range(prices):
    assert price_range(SCALE, near(*prices), "") is None


def test_the_nearest_count_most_and_the_missing_not_at_all():
    centre, _ = centre_and_spread(np.array([1.0, 3.0, 99.0]), np.array([0.9, 0.5, -np.inf]))
    assert centre == pytest.approx(1.0, abs=1e-3)


def test_the_level_is_held_on_new_prices():
    rng = np.random.default_rng(0)

    def draw(count):
        middle = rng.normal(3, 1, count)
        return middle + 0.3 * rng.normal(size=count), middle[:, None] + 0.3 * rng.normal(size=(count, 8))

    prices, others = draw(600)
    scale = fit_prices(prices, ["A"] * 300 + ["B"] * 280 + [""] * 20, np.full((600, 8), 0.9), others)
    assert set(scale.by_category) == {"A", "B"} and PriceScale.from_dict(scale.to_dict()) == scale
    prices, others = draw(2000)
    found = [centre_and_spread(of, np.full(8, 0.9)) for of in others]
    held = [abs(price - centre) <= scale.width * spread for price, (centre, spread) in zip(prices, found, strict=True)]
    assert 0.75 <= np.mean(held) <= 0.85


def test_a_few_prices_are_not_enough_to_promise_anything():
    few = MIN_PRICED - 1
    assert fit_prices(np.zeros(few), [""] * few, np.zeros((few, 5)), np.zeros((few, 5))) is None
