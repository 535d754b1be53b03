"""A server reads stored forecasts by memory map, follows the current version, and says nothing that holds no more."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from catalog.errors import BadQuery, DamagedStore
from catalog.files.child_environment import child_environment
from catalog.home import ShopHome
from search.fitting.version_follower import VersionFollower
from search.pricing.flags.measured_flags import MeasuredFlags
from search.pricing.flags.precision import measure_rules
from search.pricing.learning.forecast_files import ForecastTable
from search.pricing.learning.price_fit import fit_prices
from search.pricing.learning.price_models import MAX_AGE_S, PriceModels
from search.pricing.learning.price_store import price_versions, rollback_forecasts, stored_forecast_versions
from search.pricing.series.weekly_prices import WEEK_S, week_start
from tests.search.pricing.learning.forecasters import FIRST, WEEKS, Cycles, Falling, drawn_prices, options

NOW = week_start(FIRST + WEEKS) + 3_600
IDS = ["mug", "Mug", "mug-1", "żółty kubek", "杯子", "", "a" * 200]


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """A shop with forecasts of Cycles, over those of a shop whose prices stay."""
    home = tmp_path_factory.mktemp("prices")
    fit_prices(home, options(drawn_prices(promoted=False)))
    fit_prices(home, options(drawn_prices(), Cycles))
    return home


@pytest.fixture
def home(two_versions, tmp_path):
    shutil.copytree(two_versions, tmp_path / "home")
    return tmp_path / "home"


def made_now(monkeypatch, at=NOW):
    """Let the fit be of the week that the drawn prices end with."""
    monkeypatch.setattr("search.pricing.learning.price_fit.time.time", lambda: at)


def table_of(ids, **changes):
    n = len(ids)
    values = {
        "forecasts": np.arange(n * 12, dtype=np.float32).reshape(n, 4, 3) + 1,
        "last_prices": np.ones(n, np.float32),
        "drop_probabilities": np.full(n, np.nan, np.float32),
    }
    return ForecastTable.of(ids, ["EUR"] * n, **values | changes)


def test_every_id_is_found_again_and_no_other(tmp_path):
    table_of(IDS).save(tmp_path)
    table = ForecastTable.load(tmp_path, ("EUR",))
    assert isinstance(table.forecasts, np.memmap)
    for place, name in enumerate(IDS):
        assert table.forecasts[table.row(name), 0, 0] == place * 12 + 1
    for name in ("mug-", "mug-11", "a", "a" * 201, "\udcff", "zz"):
        assert table.row(name) is None


def test_a_table_without_products_can_be_opened(tmp_path):
    table_of([]).save(tmp_path)
    assert ForecastTable.load(tmp_path, ()).row("mug") is None


def test_products_without_a_forecast_or_a_price_are_left_out():
    forecasts = np.ones((3, 4, 3), np.float32)
    forecasts[0, 2, 1] = np.nan
    table = table_of(["a", "b", "c"], forecasts=forecasts, last_prices=np.array([1, 0, 2], np.float32))
    assert [table.row(name) for name in "abc"] == [None, None, 0]


def test_weeks_that_have_passed_are_no_forecast(two_versions):
    models = PriceModels.open(two_versions)
    weeks = [models.forecast("p7", now=NOW + ahead * WEEK_S) for ahead in range(5)]
    assert [None if found is None else len(found.weeks) for found in weeks] == [4, 3, 2, 1, None]
    assert weeks[2].weeks[0].week == FIRST + WEEKS + 2


def test_old_forecasts_are_not_served(tmp_path, monkeypatch):
    made_now(monkeypatch, NOW - MAX_AGE_S - 3_601)  # as where the clock was wrong
    fit_prices(tmp_path, options(drawn_prices()))
    assert PriceModels.open(tmp_path).forecast("p7", now=NOW) is None
    assert PriceModels.open(tmp_path).forecast("p7", now=NOW - 3_602) is not None


def test_a_forecast_in_another_currency_or_for_another_price_is_not_served(two_versions):
    models = PriceModels.open(two_versions)
    found = models.forecast("p7", now=NOW)  # p7 costs EUR
    assert models.forecast("p7", currency="EUR", now=NOW) == found
    assert models.forecast("p7", currency="USD", now=NOW) is None
    first = found.weeks[0]
    for price in (first.low, first.middle, first.high):
        assert models.forecast("p7", price=price, now=NOW) == found
    for price in (first.low * 0.9, first.high * 1.1, 0.0, float("nan")):
        assert models.forecast("p7", price=price, now=NOW) is None


def test_that_a_price_stays_is_not_expected_once_it_changed(home):
    rollback_forecasts(home)
    models, last = PriceModels.open(home), float(drawn_prices(promoted=False).prices[7, -1])
    for now in (NOW, NOW - WEEK_S):
        assert models.forecast("p7", price=round(last, 2), now=now).flat
        for price in (last + 0.01, last - 0.01):
            assert models.forecast("p7", price=price, now=now) is None


def test_before_the_first_week_the_last_price_holds_too(two_versions):
    models, weekly = PriceModels.open(two_versions), drawn_prices()
    rows = np.flatnonzero(
        weekly.prices[:, -4] < 0.9 * weekly.prices[:, -1]
    )  # cheaper in the first week of the forecast
    name, last = weekly.product_ids[rows[0]], float(weekly.prices[rows[0], -1])
    assert models.forecast(name, price=last, now=NOW - WEEK_S) is not None
    assert models.forecast(name, price=last, now=NOW) is None


def test_the_probability_of_a_drop_is_not_told_once_its_weeks_pass(tmp_path):
    fit_prices(tmp_path, options(drawn_prices(), drops=Falling))
    models = PriceModels.open(tmp_path)
    assert models.drop_probability("p1", NOW - WEEK_S) == models.drop_probability("p1", NOW) > 0.2
    assert models.drop_probability("p1", NOW + WEEK_S) is None
    assert models.drop_probability("other", NOW) is None


def test_flags_have_the_precision_that_the_fit_measured(tmp_path):
    weekly = drawn_prices()
    fit_prices(tmp_path, options(weekly, drops=Falling))
    models = PriceModels.open(tmp_path)
    measured = models.flags
    assert measured.precisions["often_cheaper"] == Falling.precision
    assert measured.threshold == Falling.threshold
    rules = measure_rules(weekly, weekly.weeks)
    assert {name: measured.precisions.get(name) for name in rules if name != "often_cheaper"} == {
        name: precision for name, precision in rules.items() if name != "often_cheaper"
    }
    price = float(weekly.prices[1, -1])
    probability = models.drop_probability("p1", NOW)
    assert models.waits("p1", currency="EUR", price=price, now=NOW) is (probability >= Falling.threshold)
    waiting = [models.waits(f"p{i}", currency="", price=float(weekly.prices[i, -1]), now=NOW) for i in range(1, 40, 2)]
    assert waiting == [False] * 20  # in another currency
    every = [
        models.waits(name, currency=currency, price=price, now=NOW)
        for name, currency, price in zip(
            weekly.product_ids, weekly.currencies, weekly.prices[:, -1].tolist(), strict=True
        )
    ]
    assert True in every
    name = weekly.product_ids[every.index(True)]
    currency, last = weekly.currencies[every.index(True)], float(weekly.prices[every.index(True), -1])
    assert models.waits(name, currency=currency, price=last * 1.02, now=NOW) is False
    assert models.waits(name, currency=currency, price=last, now=NOW + 2 * WEEK_S) is False
    assert models.waits("other", currency="EUR", price=1.0, now=NOW) is False


def test_without_a_version_or_a_model_nothing_is_expected(tmp_path):
    models = PriceModels.open(tmp_path)
    assert models.flags == MeasuredFlags()
    assert models.waits("p1", currency="EUR", price=1.0, now=NOW) is None
    fit_prices(tmp_path, options(drawn_prices()))
    models = PriceModels.open(tmp_path)
    assert not models.flags.modelled
    assert models.waits("p1", currency="EUR", price=1.0, now=NOW) is None


def test_a_new_version_and_a_rollback_are_followed(home):
    models = PriceModels.open(home)
    assert not models.forecast("p7", now=NOW).flat
    assert rollback_forecasts(home) == (2, 1)
    assert models.forecast("p7", now=NOW).flat
    assert rollback_forecasts(home, 2) == (1, 2)
    assert not models.forecast("p7", now=NOW).flat
    with pytest.raises(BadQuery, match=r"no version 7.*disk: 1, 2"):
        rollback_forecasts(home, 7)


def test_any_damaged_file_lets_the_version_before_be_served(home):
    folder = price_versions(home).path(2)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 6 + 1 + 1  # arrays, forecaster, manifest
    for path in files:
        whole = path.read_bytes()
        middle = len(whole) // 2
        for harm in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], b""):
            path.write_bytes(harm)
            models = PriceModels.open(home)
            assert models.forecast("p7", now=NOW).flat
            assert models.degraded == ("version 2 of the price forecasts is damaged; version 1 is served",)
        assert [version.damaged != "" for version in stored_forecast_versions(home)] == [True, False]
        path.write_bytes(whole)
    (folder / "manifest.json").unlink()
    rollback_forecasts(home)
    with pytest.raises(DamagedStore, match="windowshop prices fit"):
        rollback_forecasts(home, 2)


def test_without_a_pointer_the_newest_forecasts_are_served(home):
    ShopHome(home).prices_current.unlink()
    models = PriceModels.open(home)
    assert models.forecast("p7", now=NOW) is not None
    assert "pointer to the current version of the price forecasts is missing" in models.degraded[0]


def test_a_shop_without_forecasts_has_none_until_the_first_fit(tmp_path):
    models = PriceModels.open(tmp_path)
    assert models.forecast("p7") is None and models.drop_probability("p7") is None and models.degraded == ()
    fit_prices(tmp_path, options(drawn_prices()))
    assert models.forecast("p7", now=NOW) is not None


def test_serving_needs_numpy_alone(two_versions):
    code = f"""
import sys
from pathlib import Path
from search.pricing.learning.price_models import PriceModels
assert PriceModels.open(Path({str(two_versions)!r})).forecast("p7", now={NOW}).weeks
heavy = {{"sklearn", "scipy", "onnxruntime", "torch", "statsforecast", "arch", "pandas"}}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_question_is_of_one_version_whose_flags_are_read_once(tmp_path, monkeypatch):
    weekly = drawn_prices()
    fit_prices(tmp_path, options(weekly, drops=Falling))
    models, seen, parsed = PriceModels.open(tmp_path), [], []
    follow, from_json = VersionFollower.follow, MeasuredFlags.from_json
    monkeypatch.setattr(VersionFollower, "follow", lambda self: (seen.append(1), follow(self)))
    monkeypatch.setattr(MeasuredFlags, "from_json", lambda stored: (parsed.append(1), from_json(stored))[1])
    for _ in range(3):
        assert models.waits("p1", currency="EUR", price=float(weekly.prices[1, -1]), now=NOW) is not None
    assert (len(seen), len(parsed)) == (3, 1)
