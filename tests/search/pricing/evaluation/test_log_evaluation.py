"""The command that measures forecasts on a log of purchases."""

import csv
import gzip
import json
import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from click.testing import CliRunner

from search.__main__ import main
from search.pricing.evaluation import log_evaluation
from search.pricing.flags import drop_model
from search.pricing.forecasting import boosted
from tests.search.pricing.drawn_series import drawn_series

MONDAY = datetime(2025, 1, 6, tzinfo=timezone.utc)
WEEKS, PRODUCTS = 38, 120


@pytest.fixture(scope="module", autouse=True)
def two_origins():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_evaluation, "ORIGINS", 2)
        yield


def write(path, header, rows):
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of purchases, more of them where the price is low, and its calendar next to it."""
    folder = tmp_path_factory.mktemp("log")
    series = drawn_series(PRODUCTS, WEEKS)
    usual = np.nanmedian(series.prices, axis=1)
    rows = []
    for week in range(WEEKS):
        for place, product in enumerate(series.product_ids):
            price = series.prices[place, week]
            if math.isnan(price):
                continue
            for sale in range(2 + round(4 * (1 - price / usual[place])) if price < usual[place] else 2):
                at = MONDAY + timedelta(weeks=week, days=6 if sale % 2 else 0, minutes=place)
                rows.append([f"v{sale}", at.isoformat(), "purchase", product, 1, f"{price:.2f}"])
    rows.sort(key=lambda row: row[1])
    write(folder / "events.csv.gz", ["visitor", "time", "type", "product_id", "quantity", "price"], rows)
    products = [
        [name, name, category, "M", f"{price:.2f}"]
        for name, category, price in zip(series.product_ids, series.categories, usual, strict=True)
    ]
    write(folder / "products.csv.gz", ["id", "title", "category", "brand", "price"], products)
    planned = [
        [series.product_ids[place], (MONDAY + timedelta(weeks=int(week))).date().isoformat(), 1, 0]
        for place, week in zip(*np.nonzero(series.calendar.shares[:, :, 0]), strict=True)
    ]
    header = ["product_id", "week_start", "mailer_share", "display_share"]
    write(folder / "promotions.csv.gz", header, planned)
    return folder


def evaluate(log, *options):
    arguments = [
        "prices",
        "evaluate",
        "--events",
        log / "events.csv.gz",
        "--products",
        log / "products.csv.gz",
        *options,
    ]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def figures(log, two_origins):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("max_iter", 12), ("learning_rate", 0.4), ("max_leaf_nodes", 8)):
            patch.setitem(boosted.SETTINGS, name, value)
        patch.setitem(drop_model.SETTINGS, "max_iter", 20)
        names = [part for name in ("last_price", "boosted", "boosted_calendar") for part in ("--model", name)]
        result = evaluate(log, "--json", *names)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_the_boosted_model_is_measured_with_and_without_the_calendar(figures):
    assert figures["mae_ratio"] == figures["models"]["boosted"]["mae_ratio"] < 1
    assert figures["with_calendar"]["pinball_ratio"] < figures["pinball_ratio"] < 1
    assert figures["models"]["last_price"]["mae_ratio"] == 1
    assert 100 < figures["products"] <= PRODUCTS and figures["weeks"] == WEEKS and figures["weighed_goods"] == 0


def test_flags_and_demand_are_measured_too(figures):
    assert {"good_price_precision", "lower_than_usual_precision", "drop_auroc"} <= figures.keys()
    assert figures["demand"]["deviance_ratio"] < 1


def test_a_log_that_is_too_short_is_refused(log, tmp_path):
    with gzip.open(log / "events.csv.gz", "rt") as file:
        rows = list(csv.reader(file))
    until = (MONDAY + timedelta(weeks=20)).isoformat()
    write(tmp_path / "events.csv.gz", rows[0], [row for row in rows[1:] if row[1] < until])
    (tmp_path / "products.csv.gz").write_bytes((log / "products.csv.gz").read_bytes())
    result = evaluate(tmp_path)
    assert result.exit_code != 0 and "20 whole weeks" in result.output


def test_the_table_names_what_was_not_measured(log, tmp_path):
    for name in ("events.csv.gz", "products.csv.gz"):
        (tmp_path / name).write_bytes((log / name).read_bytes())
    result = evaluate(tmp_path, "--model", "ridge", "--model", "ridge_calendar")
    assert result.exit_code == 0, result.output
    assert "ridge_calendar was not measured: the log has no calendar" in result.output
