"""python -m search prices fit | status | rollback: forecast a shop's prices, and choose the served version."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import click

from catalog.errors import TooLittleHistory, TrainingError, WindowshopError
from catalog.storage.opening import require_catalogue
from indexer.cli.common import home_option
from indexer.cli.next_step import say_next
from search.cli.common import json_option, print_json, print_table
from search.fitting.priority import low_priority
from search.fitting.version_store import StoredVersion
from search.pricing.demand.demand_store import DemandManifest, rollback_demand, stored_demand_versions
from search.pricing.demand.fit_demand import (
    FAILED,
    MIN_UNITS,
    MIN_WEEKS,
    ONE_IS_BETTER,
    TOO_FEW_SALES,
    DemandReport,
    fit_demand,
    last_demand_fit,
)
from search.pricing.learning.price_fit import fit_prices
from search.pricing.learning.price_fit_report import NOT_STORED, STORED, PriceFitReport, last_price_fit
from search.pricing.learning.price_store import (
    PriceManifest,
    price_fit_progress,
    rollback_forecasts,
    stored_forecast_versions,
)
from search.pricing.learning.shop_forecasters import shop_price_options
from search.pricing.series.weekly_prices import week_of

COLUMNS = ("forecaster", "pinball loss", "absolute error", "in the 80 % range")


@click.command("fit")
@json_option
@home_option
def fit_prices_command(home: Path, as_json: bool) -> None:
    """Choose the forecaster that is best on the shop's own past prices, and store the forecasts of all products.

    The model of demand by price is fitted too, where there are sales enough. Running servers follow at once. A fit that
    was interrupted goes on where it was. Fit once a week.
    """
    click.echo("Forecasting prices; this may take minutes.", err=True)
    failed: list[Exception] = []
    with low_priority():
        options = shop_price_options()
        options = replace(options, read_series=cache(options.read_series))  # prices and demand have the same series
        try:
            report = fit_prices(home, options).to_dict()
        except WindowshopError as error:
            if isinstance(error, TrainingError) and not isinstance(error, TooLittleHistory):
                raise  # another fit is running, which fits demand too
            report = PriceFitReport.of_error(error).to_dict()  # demand needs sales, and no long history
            failed.append(error)
        try:
            demand = fit_demand(home, options.read_series).to_dict()
        except Exception as error:  # whatever it is, forecasts that are stored are reported
            demand = DemandReport.of_error(error).to_dict()
            failed.append(error)
    if as_json:
        print_json(report | {"demand": demand})
    else:
        click.echo(_demand_sentence(demand))
        if report["outcome"] in (STORED, NOT_STORED):
            _print_report(report)
    if failed:
        raise failed[0]
    if not as_json and report["version"] and report["served"]:
        say_next("if you do not like these forecasts, go back", "prices", "rollback", "--home", home)


def _demand_sentence(demand: Mapping[str, Any]) -> str:
    if demand["version"]:
        found = f"Version {demand['version']} of the model of demand knows {demand['products']:,} products."
        note = " One elasticity for all products explains the last weeks better than one for each."
        return found + (note if demand["reason"] == ONE_IS_BETTER else "")
    if demand["outcome"] == FAILED:
        return f"No new model of demand is stored: the fit ended with an error: {demand['message']}"
    sold = f"{demand['units']:,} units in {demand['weeks']} weeks"
    if demand["reason"] == TOO_FEW_SALES:
        return f"No model of demand is stored: {sold} were sold, and it takes {MIN_UNITS} units in {MIN_WEEKS} weeks."
    return f"No new model of demand is stored: of {sold}, prices explained the last weeks no better than nothing."


@click.command("status")
@json_option
@home_option
def price_status_command(home: Path, as_json: bool) -> None:
    """Show the versions of the forecasts and of the model of demand, and what the last fit measured and decided."""
    require_catalogue(home)
    versions, last = stored_forecast_versions(home), last_price_fit(home)
    progress = price_fit_progress(home)
    running, interrupted = progress.running(), progress.interrupted()
    demand_versions, last_demand = stored_demand_versions(home), last_demand_fit(home)
    if as_json:
        listed = [_version_values(stored) for stored in versions]
        demand = {
            "versions": [stored.to_dict("fitted_at", "weeks", "products", "figures") for stored in demand_versions],
            "last": last_demand,
        }
        print_json({"versions": listed, "running": running, "interrupted": interrupted, "last": last, "demand": demand})
        return
    if running is not None:
        click.echo(f"A fit is running: step {running['done']} of {running['total']}.\n")
    if interrupted is not None:
        click.echo(
            f"A fit was interrupted after step {interrupted['done']} of {interrupted['total']},"
            f" {_time(interrupted['at'])}. Fit again, it goes on from there: windowshop prices fit.\n"
        )
    if not versions:
        click.echo("No prices are forecast yet: windowshop prices fit.")
    else:
        header = ("version", "fitted", "forecaster", "products", "weeks ahead")
        print_table(header, [_version_row(stored) for stored in versions], ("products", "weeks ahead"))
        if any(stored.current and stored.manifest and not _weeks_ahead(stored.manifest) for stored in versions):
            click.echo("The weeks of the served forecasts have passed: pages show none. Run: windowshop prices fit.")
    if last is not None:
        click.echo(f"\nThe last fit that ended, {_time(last['at'])}:")
        _print_report(last)
    _print_demand(demand_versions, last_demand)


@click.command("rollback")
@json_option
@home_option
@click.option("--to", type=click.IntRange(1), help="The version to serve; without: the one before.")
@click.option("--demand", is_flag=True, help="Go back to another model of demand; the forecasts stay.")
def rollback_prices_command(home: Path, as_json: bool, to: int | None, demand: bool) -> None:
    """Serve another version of the forecasts on the disk, or of the model of demand; running servers follow at once."""
    require_catalogue(home)
    left, current = (rollback_demand if demand else rollback_forecasts)(home, to)
    if as_json:
        print_json({"left": left, "current": current})
        return
    name, other = ("model of demand", "price forecasts") if demand else ("price forecasts", "model of demand")
    click.echo(f"Version {current} of the {name} is served, in place of {left}. The {other}: unchanged.")
    if not demand:
        say_next("go back to the model of demand before, too", "prices", "rollback", "--demand", "--home", home)


def _print_demand(versions: Sequence[StoredVersion[DemandManifest]], last: Mapping[str, Any] | None) -> None:
    """Print the versions of the model of demand, and why the last fit stored none."""
    if versions:
        click.echo("\nThe model of demand:")
        header = ("version", "fitted", "products", "weeks", "deviance")
        print_table(header, [_demand_row(stored) for stored in versions], header[2:])
        click.echo("Deviance: of the units in the last weeks, over that of a model without prices and promotions.")
    elif last is None:
        click.echo("\nNo model of demand is fitted yet: windowshop prices fit.")
    if last is not None and last["version"] is None:
        click.echo(_demand_sentence(last))


def _demand_row(stored: StoredVersion[DemandManifest]) -> tuple[str, ...]:
    if (manifest := stored.manifest) is None:
        return stored.label, stored.damaged, "", "", ""
    figures = manifest.figures.get("with_calendar", manifest.figures)
    products, weeks = f"{manifest.products:,}", f"{manifest.weeks:,}"
    return stored.label, _time(manifest.fitted_at), products, weeks, _ratio(figures.get("deviance_ratio"))


def _version_values(stored: StoredVersion[PriceManifest]) -> dict[str, Any]:
    values = stored.to_dict("fitted_at", "first_week", "history_weeks", "products", "forecaster")
    return values if stored.manifest is None else values | {"weeks_ahead": _weeks_ahead(stored.manifest)}


def _version_row(stored: StoredVersion[PriceManifest]) -> tuple[str, ...]:
    if (manifest := stored.manifest) is None:
        return stored.label, stored.damaged, "", "", ""
    products, ahead = f"{manifest.products:,}", str(_weeks_ahead(manifest))
    return stored.label, _time(manifest.fitted_at), manifest.forecaster, products, ahead


def _weeks_ahead(manifest: PriceManifest) -> int:
    """Return of how many weeks, from this one on, there are forecasts."""
    return max(manifest.end_week - max(week_of(int(time.time())), manifest.first_week), 0)


def _print_report(report: Mapping[str, Any]) -> None:
    rows = [
        (
            name,
            _ratio(figures["pinball_ratio_relative"]),
            _ratio(figures["mae_ratio_relative"]),
            f"{figures['coverage_80']:.2f}",
        )
        for name, figures in report["figures"].items()
    ]
    if rows:
        print_table(COLUMNS, rows, COLUMNS[1:])
        click.echo("Measured on the shop's own past; losses are ratios to those of naive, which says that prices stay.")
    click.echo(report["message"])
    if report["version"]:
        click.echo(f"Version {report['version']} has forecasts of {report['products']:,} products.")


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
