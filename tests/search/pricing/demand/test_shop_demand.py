"""A shop's model of demand: fitted, measured, stored, served, and used for the advice on every price."""

import csv
import json
from contextlib import closing
from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed, BadQuery
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.cli.prices.price_fit_commands import _demand_sentence
from search.cli.prices.prices_command import prices_command
from search.pricing.demand.advice_table import ADVICE_COLUMNS, advice_row
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.demand_store import load_demand, save_demand, serving_demand
from search.pricing.demand.fit_demand import fit_demand
from search.pricing.demand.price_adviser import PriceAdviser
from search.pricing.demand.price_limits import parse_amount
from search.pricing.demand.promotion_effects import promotion_effects
from tests.search.pricing.demand.made_demand import made_weekly


@pytest.fixture(scope="module")
def weekly():
    return made_weekly(products=80, promotions=True)[0]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, weekly):
    home = tmp_path_factory.mktemp("shop")
    report = fit_demand(home, lambda _: weekly)
    products = [
        Product(name, f"=thing {name}", (), category, Decimal(f"{price:.2f}"), "EUR")
        for name, category, price in zip(
            weekly.product_ids, weekly.categories, np.median(weekly.prices, axis=1).tolist(), strict=True
        )
    ]
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        catalogue.put(products)
    return home, report, products


def test_a_fit_is_measured_and_stored(fitted, weekly):
    home, report, _ = fitted
    assert (report.outcome, report.reason, report.version) == ("stored", "better", 1)
    assert report.products == 80 and report.weeks == weekly.weeks
    assert report.figures["with_calendar"]["deviance_ratio"] < 0.8
    json.dumps(report.to_dict())
    assert serving_demand(home).models.manifest.figures == json.loads(json.dumps(report.figures))


def test_a_stored_model_is_the_same(tmp_path, weekly):
    model = DemandModel.fit(weekly)
    save_demand(tmp_path, model)
    read = load_demand(tmp_path)
    for part in fields(DemandModel):
        if part.name not in ("tree", "facts"):
            assert np.array_equal(getattr(read, part.name), getattr(model, part.name)), part.name
    assert read.tree.paths == model.tree.paths and (read.tree.leaves == model.tree.leaves).all()
    assert all(np.array_equal(getattr(read.facts, p.name), getattr(model.facts, p.name)) for p in fields(model.facts))
    assert all(path.suffix in (".npy", ".json") for path in tmp_path.iterdir())


def test_a_model_that_is_no_better_than_none_is_not_stored(tmp_path):
    turned, _ = made_weekly(products=40, centre=-3.0, spread=0.1)
    units = turned.units.copy()
    dearest = turned.prices.max(axis=1, keepdims=True)
    units[:, 52:] = 8 * (turned.prices / dearest)[:, 52:] ** 3  # of late, what is cheap is left on the shelf
    report = fit_demand(tmp_path, lambda _: replace(turned, units=units))
    assert (report.outcome, report.reason, report.version) == ("not_stored", "no_better_than_without_prices", None)
    assert serving_demand(tmp_path).models is None


def test_prices_must_explain_more_than_the_calendar_of_promotions(tmp_path):
    shown, _ = made_weekly(products=40, promotions=True)
    relative = shown.prices / shown.prices.max(axis=1, keepdims=True)
    turns = np.where(np.arange(shown.weeks) < 52, -2.0, 2.0)  # promotions help throughout, low prices only at first
    units = np.round(8 * np.exp(2.0 * shown.calendar.shares[:, :, 1]) * relative**turns).astype(np.float32)
    report = fit_demand(tmp_path, lambda _: replace(shown, units=units))
    figures = report.figures["with_calendar"]
    assert figures["without_price_deviance_ratio"] < figures["deviance_ratio"] < 1
    assert (report.outcome, report.reason) == ("not_stored", "no_better_than_without_prices")


def test_it_is_said_where_one_elasticity_for_all_is_better(tmp_path, weekly, monkeypatch):
    figures = {"deviance_ratio": 0.8, "single_elasticity_deviance_ratio": 0.7, "without_price_deviance_ratio": 0.9}
    monkeypatch.setattr("search.pricing.demand.fit_demand.evaluate_demand", lambda *_: figures)
    report = fit_demand(tmp_path, lambda _: weekly)
    assert (report.outcome, report.reason) == ("stored", "better_with_one_elasticity")
    assert "One elasticity for all" in _demand_sentence(report.to_dict())


def test_too_few_sales_are_said(tmp_path):
    few, _ = made_weekly(products=3, weeks=6)
    assert fit_demand(tmp_path, lambda _: few).reason == "too_few_sales"


def test_a_damaged_model_is_not_served(fitted, tmp_path, weekly):
    fit_demand(tmp_path, lambda _: weekly)
    path = ShopHome(tmp_path).demand / "000001" / "effects.npy"
    path.write_bytes(path.read_bytes()[:-8])
    adviser = PriceAdviser(tmp_path)
    assert adviser.model is None
    assert "damaged" in adviser.degraded[0]
    assert adviser.advise(fitted[2][0]).reason == "not_fitted"


def test_an_adviser_follows_models_limits_and_costs(tmp_path, fitted, weekly):
    product = fitted[2][0]
    adviser = PriceAdviser(tmp_path)
    assert adviser.advise(product).reason == "not_fitted"
    fit_demand(tmp_path, lambda _: weekly)
    assert adviser.advise(product).elasticity.source in ("product", "category")
    (tmp_path / "price-limits.csv").write_text(
        "product_id,category,lowest,highest,largest_change_percent,smallest_margin_percent\n,,,,5,\n"
    )
    (tmp_path / "costs.csv").write_text(f"product_id,cost,currency\n{product.id},1.00,EUR\n")
    found = adviser.advise(product)
    assert found.limits.largest_change_percent == 5 and found.cost == 1
    assert len(found.candidates) <= 3
    assert adviser.advise(product, cost=Decimal("2.00")).cost == 2
    (tmp_path / "price-limits.csv").write_text("product_id,category\n")
    with pytest.raises(BadFeed, match="lowest"):
        adviser.advise(product)


def test_the_table_has_a_row_for_each_product(fitted, tmp_path):
    home, _, products = fitted
    table = tmp_path / "advice.csv"
    result = CliRunner().invoke(prices_command, ["advise", "--home", str(home), "--csv", str(table)])
    assert result.exit_code == 0, result.output
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == ADVICE_COLUMNS
    assert {row["product_id"] for row in rows} == {product.id for product in products}
    assert all(row["title"].startswith("'=") for row in rows)  # no formula
    for row in rows:
        assert (row["suggested_price"] != "") == (row["verdict"] in ("raise", "lower"))
        assert float(row["elasticity_low"]) < float(row["elasticity"]) < float(row["elasticity_high"])
    free = replace(products[0], price=None)
    assert len(advice_row(free, PriceAdviser(home).advise(free))) == len(ADVICE_COLUMNS)


def test_the_command_advises_on_one_product_and_counts_all(fitted):
    home, _, products = fitted
    run = CliRunner().invoke
    one = ["advise", "--home", str(home), "--product", products[0].id, "--price", "3.50", "--cost", "1"]
    advice = json.loads(run(prices_command, [*one, "--json"]).stdout)
    assert advice["requested"]["price"] == "3.50" and advice["cost"] == "1"
    assert advice["elasticity"].keys() == {"value", "low", "high", "weeks", "moved", "source"}
    assert advice["candidates"][0].keys() == advice["requested"].keys()
    assert "Verdict:" in run(prices_command, one).output
    counts = json.loads(run(prices_command, ["advise", "--home", str(home), "--json"]).stdout)
    assert sum(row["products"] for row in counts["verdicts"]) == len(products) and counts["fitted"]
    assert "Name it" in run(prices_command, ["advise", "--home", str(home), "--price", "3"]).output


def test_amounts_that_are_no_numbers_are_refused():
    assert parse_amount("12.50", "price") == Decimal("12.50") and parse_amount(" ", "price") is None
    for text in ("0", "-1", "nan", "1e99", "12,50"):
        with pytest.raises(BadQuery, match="The price"):
            parse_amount(text, "price")


def test_effects_of_promotions_are_found(weekly):
    effects = promotion_effects(DemandModel.fit(weekly))
    shop = {effect.kind: effect for effect in effects if not effect.category}
    assert shop.keys() == {"discount", "mailer", "display"}
    for kind, true in (("mailer", 0.7), ("display", 0.4)):
        assert shop[kind].low - 0.1 < np.expm1(true) < shop[kind].high + 0.1
    assert shop["mailer"].weeks == (weekly.calendar.shares[:, :, 0] > 0).sum()
    assert 0.1 < shop["discount"].lift < 0.4  # 0.9 ** -1.8 - 1 = 0.21
    tops = [effect for effect in effects if effect.category and effect.kind == "mailer"]
    assert {effect.category for effect in tops} == {"Food", "Home"}
    assert sum(effect.weeks for effect in tops) == shop["mailer"].weeks
    alone = promotion_effects(DemandModel.fit(replace(weekly, calendar=None)))
    assert {effect.kind for effect in alone} == {"discount"}
