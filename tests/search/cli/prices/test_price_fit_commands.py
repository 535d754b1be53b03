"""The commands that fit, show and roll back forecasts of prices."""

import json

import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.cli.prices import price_fit_commands
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_store import DemandManifest, StoredDemand, publish_demand, serving_demand
from search.pricing.learning import price_fit, price_store
from search.pricing.learning.price_store import price_fit_lock, price_versions
from search.pricing.series.weekly_prices import WEEK_S, week_start
from tests.search.pricing.demand.made_demand import made_weekly
from tests.search.pricing.learning.forecasters import FIRST, WEEKS, Cycles, drawn_prices, options

NOW = week_start(FIRST + WEEKS)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Runs a command on a home whose history ends now."""
    Catalogue.open(ShopHome(tmp_path).catalogue).close()
    weekly = drawn_prices()
    clock = [NOW]
    for module in (price_fit, price_fit_commands):
        monkeypatch.setattr(module.time, "time", lambda: clock[0])
    series = {"weekly": weekly}
    monkeypatch.setattr(price_fit_commands, "shop_price_options", lambda: options(series["weekly"], Cycles))

    def run(*arguments):
        return CliRunner().invoke(main, ["prices", *arguments, "--home", str(tmp_path)])

    run.home, run.clock, run.series = tmp_path, clock, series
    return run


def test_a_fit_says_what_was_measured_and_what_is_served(shop):
    found = shop("fit")
    assert found.exit_code == 0, found.output
    assert "made by cycles, which is the best on this shop's past prices" in found.output
    assert "Version 1 has forecasts of 40 products." in found.output
    figures = json.loads(shop("fit", "--json").stdout)
    assert figures["version"] == 2 and figures["served"] == 1
    assert figures["figures"]["cycles"]["pinball_ratio_relative"] < 0.2
    assert figures["cpu_seconds"] >= 0


def test_too_little_history_is_a_plain_sentence(shop):
    shop.series["weekly"] = drawn_prices(weeks=7)
    found = shop("fit")
    assert found.exit_code == 1 and "not enough history of prices: 7 of 20 weeks" in found.output
    assert "7 of 20 weeks" in shop("status").output


def test_the_status_lists_versions_and_says_when_their_weeks_have_passed(shop):
    assert "No prices are forecast yet" in shop("status").output
    shop("fit")
    assert "1 (served)" in shop("status").output and "have passed" not in shop("status").output
    shop.clock[0] = NOW + 3 * WEEK_S
    assert json.loads(shop("status", "--json").stdout)["versions"][0]["weeks_ahead"] == 1
    shop.clock[0] = NOW + 4 * WEEK_S
    assert "The weeks of the served forecasts have passed" in shop("status").output


def test_a_rollback_serves_the_version_before(shop):
    assert "no earlier version" in shop("rollback").output
    shop("fit")
    shop("fit")
    assert "Version 1 of the price forecasts is served, in place of 2." in shop("rollback").output
    assert json.loads(shop("rollback", "--to", "2", "--json").stdout) == {"left": 1, "current": 2}


def test_the_status_names_damage_and_an_interrupted_fit(shop):
    shop("fit")
    path = price_versions(shop.home).path(1) / "forecasts" / "forecasts.npy"
    path.write_bytes(path.read_bytes()[:-4] + b"????")
    assert "1 (current, damaged)" in shop("status").output
    ShopHome(shop.home).prices_progress.write_text('{"done": 3, "total": 17}')
    assert "A fit was interrupted after step 3 of 17" in shop("status").output
    with price_fit_lock(shop.home):
        assert json.loads(shop("status", "--json").stdout)["interrupted"] is None


@pytest.mark.parametrize("command", ["status", "rollback"])
def test_a_folder_without_a_shop_is_named(tmp_path, command):
    found = CliRunner().invoke(main, ["prices", command, "--home", str(tmp_path)])
    assert found.exit_code == 1 and "There is no shop in" in found.output


def demand_of(price_fit_commands, monkeypatch, *, error):
    calls = []

    def fit_demand(home, read_series):
        calls.append(home)
        raise error

    monkeypatch.setattr(price_fit_commands, "fit_demand", fit_demand)
    return calls


def test_an_error_of_demand_stops_no_forecasts_and_is_reported(shop, monkeypatch):
    demand_of(price_fit_commands, monkeypatch, error=BadFeed("promotions.csv cannot be read."))
    found = shop("fit")
    assert found.exit_code == 1 and "promotions.csv cannot be read." in found.output
    assert "Version 1 has forecasts of 40 products." in found.output
    report = json.loads(shop("fit", "--json").stdout)
    assert report["version"] == 2 and report["demand"]["outcome"] == "failed"
    assert report["demand"]["reason"] == "bad_feed" and "promotions.csv" in report["demand"]["message"]


def test_demand_is_fitted_and_reported_where_the_history_is_too_short(shop):
    shop.series["weekly"] = drawn_prices(weeks=7)
    found = shop("fit", "--json")
    report = json.loads(found.stdout)
    assert found.exit_code == 1 and report["outcome"] == "too_little_history"
    assert report["demand"]["reason"] == "too_few_sales"


def test_demand_is_not_fitted_during_another_fit(shop, monkeypatch):
    calls = demand_of(price_fit_commands, monkeypatch, error=AssertionError)
    monkeypatch.setattr(price_store, "LOCK_TIMEOUT_S", 0.05)
    with price_fit_lock(shop.home):
        assert "Another fit" in shop("fit").output
    assert not calls


def test_the_status_says_why_there_is_no_model_of_demand(shop):
    assert "No model of demand is fitted yet" in shop("status").output
    shop("fit")
    assert "No model of demand is stored: 0 units in 0 weeks were sold" in shop("status").output
    demand = json.loads(shop("status", "--json").stdout)["demand"]
    assert demand["versions"] == [] and demand["last"]["reason"] == "too_few_sales"


def test_the_model_of_demand_is_shown_and_rolled_back_apart(shop):
    model = DemandModel.fit(made_weekly(products=20, weeks=30)[0], unsold="dropped")
    for ratio in (0.9, 0.8):
        manifest = DemandManifest(0, NOW, 30, len(model), {"deviance_ratio": ratio})
        publish_demand(shop.home, StoredDemand(manifest, model))
    assert "2 (served)" in shop("status").output and "0.80" in shop("status").output
    shop("fit")
    shop("fit")
    assert "model of demand: unchanged" in shop("rollback").output
    assert serving_demand(shop.home).version == 2
    assert "Version 1 of the model of demand is served" in shop("rollback", "--demand").output
    assert serving_demand(shop.home).version == 1
    shown = json.loads(shop("status", "--json").stdout)
    assert [each["current"] for each in shown["demand"]["versions"]] == [False, True]
    assert [each["current"] for each in shown["versions"]] == [False, True]
