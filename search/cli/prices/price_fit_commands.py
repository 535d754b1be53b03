"""python -m search prices fit | status | rollback: forecast a shop's prices, and choose the served version."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import click

from catalog.home import ShopHome
from indexer.cli.common import home_option
from indexer.cli.next_step import say_next
from search.cli.common import json_option, print_json, print_table
from search.fitting.priority import low_priority
from search.fitting.version_store import StoredVersion
from search.pricing.demand.fit_demand import MIN_UNITS, MIN_WEEKS, ONE_IS_BETTER, TOO_FEW_SALES, fit_demand
from search.pricing.learning.price_fit import fit_prices
from search.pricing.learning.price_fit_report import last_price_fit
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
    with low_priority():
        options = shop_price_options()
        options = replace(options, read_series=cache(options.read_series))  # prices and demand have the same series
        # First: it needs sales and no long history, for want of which no forecasts may be made.
        demand = fit_demand(home, options.read_series).to_dict()
        if not as_json:
            click.echo(_demand_sentence(demand))
        report = fit_prices(home, options).to_dict()
    if as_json:
        print_json(report | {"demand": demand})
        return
    _print_report(report)
    if report["version"] and report["served"]:
        say_next("if you do not like these forecasts, go back", "prices", "rollback", "--home", home)


def _demand_sentence(demand: Mapping[str, Any]) -> str:
    if demand["version"]:
        found = f"Version {demand['version']} of the model of demand knows {demand['products']:,} products."
        note = " One elasticity for all products explains the last weeks better than one for each."
        return found + (note if demand["reason"] == ONE_IS_BETTER else "")
    sold = f"{demand['units']:,} units in {demand['weeks']} weeks"
    if demand["reason"] == TOO_FEW_SALES:
        return f"No model of demand is stored: {sold} were sold, and it takes {MIN_UNITS} units in {MIN_WEEKS} weeks."
    return f"No new model of demand is stored: of {sold}, prices explained the last weeks no better than nothing."


@click.command("status")
@json_option
@home_option
def price_status_command(home: Path, as_json: bool) -> None:
    """Show the versions of the forecasts on the disk, and what the last fit measured and decided."""
    ShopHome(home).require_catalogue()
    versions, last = stored_forecast_versions(home), last_price_fit(home)
    progress = price_fit_progress(home)
    running, interrupted = progress.running(), progress.interrupted()
    if as_json:
        listed = [_version_values(stored) for stored in versions]
        print_json({"versions": listed, "running": running, "interrupted": interrupted, "last": last})
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


@click.command("rollback")
@json_option
@home_option
@click.option("--to", type=click.IntRange(1), help="The version to serve; without: the one before.")
def rollback_prices_command(home: Path, as_json: bool, to: int | None) -> None:
    """Serve another version of the forecasts on the disk; running servers follow at once."""
    ShopHome(home).require_catalogue()
    left, current = rollback_forecasts(home, to)
    if as_json:
        print_json({"left": left, "current": current})
        return
    click.echo(f"Version {current} of the price forecasts is served, in place of {left}.")


def _version_values(stored: StoredVersion[PriceManifest]) -> dict[str, Any]:
    values = {"version": stored.version, "current": stored.current, "damaged": stored.damaged}
    if (manifest := stored.manifest) is None:
        return values
    names = ("fitted_at", "first_week", "history_weeks", "products", "forecaster")
    return values | {name: getattr(manifest, name) for name in names} | {"weeks_ahead": _weeks_ahead(manifest)}


def _version_row(stored: StoredVersion[PriceManifest]) -> tuple[str, ...]:
    if (manifest := stored.manifest) is None:
        mark = " (current, damaged)" if stored.current else " (damaged)"
        return f"{stored.version}{mark}", stored.damaged, "", "", ""
    number = f"{stored.version}{' (served)' if stored.current else ''}"
    ahead = str(_weeks_ahead(manifest))
    return number, _time(manifest.fitted_at), manifest.forecaster, f"{manifest.products:,}", ahead


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
