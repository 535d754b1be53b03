"""The model of falling prices: it learns a rhythm, looks at nothing later, and is stored without pickle."""

import json
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import DamagedStore, TooFewEvents
from search.pricing.flags.drop_features import DropFeatures
from search.pricing.flags.drop_model import SETTINGS, DropModel
from search.pricing.flags.evaluation import evaluate_flags
from search.pricing.flags.outcomes import fell
from search.trees.grouped_predictions import GroupedPredictions
from tests.search.pricing.flags.drawn_prices import drawn, weekly_of

pytest.importorskip("sklearn")
END = 44


@pytest.fixture(scope="module", autouse=True)
def few_trees():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "max_iter", 25)
        patch.setitem(SETTINGS, "learning_rate", 0.2)
        yield


@pytest.fixture(scope="module")
def weekly():
    return drawn(90, 56, seed=8)


@pytest.fixture(scope="module")
def model(weekly):
    return DropModel.fit(weekly, END, calendar=False)


def altered(weekly, end):
    """The series with other prices, list prices and gaps from the column `end` on."""
    prices, listed = weekly.prices.copy(), weekly.list_prices.copy()
    prices[:, end:] = 0.01
    prices[::2, end:] = np.nan
    listed[:, end:] = 99
    return replace(weekly, prices=prices, list_prices=listed)


@pytest.mark.parametrize("calendar", [False, True])
def test_features_look_at_nothing_later(weekly, calendar):
    later = altered(weekly, END)
    for end in (1, 3, 9, 30, END):
        found = DropFeatures(weekly, calendar=calendar).at(end)
        np.testing.assert_array_equal(found, DropFeatures(later, calendar=calendar).at(end))
    assert np.isfinite(DropFeatures(weekly, calendar=calendar).at(56)).any(axis=0).all()


def test_a_fit_and_a_prediction_look_at_nothing_later(weekly, model):
    later = altered(weekly, END)
    np.testing.assert_array_equal(
        DropModel.fit(later, END, calendar=False).predict(later, END), model.predict(weekly, END)
    )


def test_the_model_finds_the_rhythm(weekly, model):
    outcomes = fell(weekly.prices)
    cases = [(model.predict(weekly, end), outcomes[:, end - 1]) for end in range(END, 53)]
    found, labels = (np.concatenate(column) for column in zip(*cases, strict=True))
    known = ~np.isnan(labels) & ~np.isnan(found)
    figures = GroupedPredictions(found[known], labels[known] == 1, np.arange(known.sum()), int(known.sum())).figures()
    assert figures["auroc"] > 0.85
    assert figures["ece"] < 0.12


def test_a_planned_promotion_is_expected(weekly):
    fitted = DropModel.fit(weekly, END, calendar=True)
    promoted = replace(weekly, calendar=replace(weekly.calendar, shares=weekly.calendar.shares.copy()))
    promoted.calendar.shares[:, END : END + 4] = 0
    none = fitted.predict(promoted, END)
    promoted.calendar.shares[:, END : END + 4] = 1
    usual = weekly.prices[:, END - 1] >= np.nanmax(weekly.prices, axis=1)  # not lower already
    assert np.nanmean(fitted.predict(promoted, END)[usual]) > np.nanmean(none[usual]) + 0.15


def test_the_calendar_is_used_where_something_is_planned_ahead(weekly):
    assert DropModel.fit(weekly, END).uses_calendar
    over = replace(weekly, calendar=replace(weekly.calendar, shares=weekly.calendar.shares[:, :END]))
    assert not DropModel.fit(over, END).uses_calendar


def test_a_product_without_a_recent_price_has_no_probability(weekly, model):
    prices = weekly.prices.copy()
    prices[0], prices[1, END - 4 :], prices[2, :] = np.nan, np.nan, 0
    prices[3, : END - 3] = np.nan  # three weeks old
    found = model.predict(replace(weekly, prices=prices), END)
    assert np.isnan(found[:3]).all()
    assert 0 < found[3] < 1
    assert not model.waits(found)[:3].any()


def test_a_stored_model_predicts_the_same(weekly, model, tmp_path):
    model.save(tmp_path)
    stored = DropModel.load(tmp_path)
    np.testing.assert_array_equal(stored.predict(weekly, END), model.predict(weekly, END))
    assert (stored.threshold, stored.precision, stored.scale) == (model.threshold, model.precision, model.scale)
    described = json.loads((tmp_path / "drops.json").read_text(encoding="utf-8"))
    (tmp_path / "drops.json").write_text(json.dumps({**described, "scale": {"steepness": 1}}), encoding="utf-8")
    with pytest.raises(DamagedStore, match="falling prices"):
        DropModel.load(tmp_path)


def test_too_few_or_too_calm_prices_are_refused(weekly):
    for end in (0, 5, 12, 20):
        with pytest.raises(TooFewEvents, match="too few"):
            DropModel.fit(weekly, end)
    with pytest.raises(TooFewEvents):
        DropModel.fit(weekly_of(np.full((60, 50), 10.0)), 50)


def test_the_figures_of_a_log(weekly):
    figures = evaluate_flags(weekly, (END,))
    assert figures["drop_auroc"] > 0.85
    assert figures["drop_auroc_with_calendar"] > figures["drop_auroc"]
    low, high = figures["drop_auroc_interval"]
    assert low < figures["drop_auroc"] < high
    assert figures["good_price_precision"] > figures["good_price_base"]
    assert 0 < figures["good_price_fired"] < 0.5
    assert json.loads(json.dumps(figures)) == figures
