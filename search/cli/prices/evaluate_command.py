"""python -m search prices evaluate: how well prices, falls of prices and demand are foretold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from search.cli.common import FILE_TYPE, json_option, print_figures, print_json, print_table
from search.pricing.evaluation.log_evaluation import MODELS, NOT_MEASURED, SHIPPED, evaluate_log

COLUMNS = ("mae_ratio", "mae_ratio_relative", "pinball_ratio", "coverage_80", "width", "seconds")


@click.command("evaluate")
@click.option(
    "--events", type=FILE_TYPE, required=True, help="CSV: visitor,time,type,product_id,quantity,price; or .gz."
)
@click.option("--products", type=FILE_TYPE, required=True, help="CSV: id,title,category,brand,price.")
@click.option(
    "--promotions",
    type=FILE_TYPE,
    help="CSV: product_id,week_start,mailer_share,display_share.  [default: promotions.csv.gz next to the events]",
)
@click.option("--model", "names", multiple=True, type=click.Choice([*MODELS]), help="Only this model; may be repeated.")
@click.option("--all-models", is_flag=True, help="Also models that are not served: minutes more. Needs [prices,torch].")
@json_option
def evaluate_prices_command(
    events: Path, products: Path, promotions: Path | None, names: tuple[str, ...], all_models: bool, as_json: bool
) -> None:
    """Fit each model before several moments of a log, and measure it on the weeks that follow. Needs [recs].

    Errors are ratios to those of "as last week". mae_ratio is of money, mae_ratio_relative of shares of the price.
    """
    chosen = tuple(MODELS) if all_models else names or tuple(SHIPPED)
    figures = evaluate_log(events, products, promotions, chosen, lambda name: click.echo(f"{name} ...", err=True))
    if as_json:
        print_json(figures)
        return
    print_table(("model", *COLUMNS), [_row(name, found) for name, found in figures["models"].items()], COLUMNS)
    for name, found in figures["models"].items():
        if NOT_MEASURED in found:
            click.echo(f"{name} was not measured: {found[NOT_MEASURED]}")
    click.echo()
    print_figures({name: value for name, value in figures.items() if not isinstance(value, Mapping)})
    click.echo("\ndemand")
    print_figures({name: value for name, value in figures["demand"].items() if not isinstance(value, Mapping)})


def _row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    if NOT_MEASURED in figures:
        return name, *("-" for _ in COLUMNS)
    return name, *(f"{figures[column]:.3f}" for column in COLUMNS[:-1]), f"{figures['seconds']:.1f}"
