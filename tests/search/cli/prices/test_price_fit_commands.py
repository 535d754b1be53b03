"""The commands that fit, show and roll back forecasts of prices."""

import json

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from search.__main__ import main
from search.cli.prices import price_fit_commands
from search.fitting import priority
from search.pricing.learning import price_fit
from search.pricing.learning.price_store import price_fit_lock, price_versions
from search.pricing.series.weekly_prices import WEEK_S, week_start
from tests.search.pricing.learning.forecasters import FIRST, WEEKS, Cycles, drawn_prices, options

NOW = week_start(FIRST + WEEKS)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Runs a command on a home whose history ends now."""
    monkeypatch.setattr(priority.os, "nice", lambda by: 0)
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
