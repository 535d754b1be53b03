"""python -m search recommend: fit the models of a shop, and measure models on a log of purchases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from indexer.cli.common import Commands
from search.cli.common import FILE_TYPE, json_option, print_figures, print_json, print_table
from search.cli.recommend_fit_commands import fit_command, rollback_command, status_command
from search.cli.reminders_command import reminders_command
from search.recommend.evaluation.model_table import MODELS, NOT_MEASURED, PARTS, evaluate
from search.recommend.evaluation.protocol import EVERYTHING, HOLDOUT_WEEKS, NEW, NEW_FEW, REPEAT
from search.recommend.events.purchase_log import read_events, read_products

COLUMNS = (
    ("all", EVERYTHING, "recall_at_20"),
    ("nDCG", EVERYTHING, "ndcg_at_20"),
    ("repeat", REPEAT, "recall_at_20"),
    ("new", NEW, "recall_at_20"),
    ("new nDCG", NEW, "ndcg_at_20"),
    ("new, 1-3 baskets", NEW_FEW, "recall_at_20"),
)


@click.group("recommend", cls=Commands, commands=[fit_command, reminders_command, rollback_command, status_command])
def recommend_command() -> None:
    """Fit the models of recommendations on the shop's events, and measure them on a log of purchases."""


@recommend_command.command("evaluate")
@click.option(
    "--events", type=FILE_TYPE, required=True, help="CSV: visitor,time,type,product_id,quantity,price; or .gz."
)
@click.option("--products", type=FILE_TYPE, required=True, help="CSV: id,title,category,brand,price.")
@click.option("--holdout-weeks", type=click.IntRange(1, 52), default=HOLDOUT_WEEKS, show_default=True)
@click.option("--model", "names", multiple=True, type=click.Choice([*MODELS]), help="Only this model; may be repeated.")
@json_option
def evaluate_recommend_command(
    events: Path, products: Path, holdout_weeks: int, names: tuple[str, ...], as_json: bool
) -> None:
    """Fit every model before the last weeks of a log, and measure what each foretells of them. Needs [recs]."""
    table = read_products(products)
    figures = evaluate(
        read_events(events, table), table, holdout_weeks, names, lambda name: click.echo(f"{name} ...", err=True)
    )
    if as_json:
        print_json(figures)
        return
    rows = [_row(name, of_model) for name, of_model in figures["models"].items()]
    print_table(("model", *(name for name, _, _ in COLUMNS)), rows, [name for name, _, _ in COLUMNS])
    click.echo("recall@20 with half the width of its 95 % interval, and nDCG@20")
    for name, of_model in figures["models"].items():
        if NOT_MEASURED in of_model:
            click.echo(f"{name} was not measured: {of_model[NOT_MEASURED]}")
    for part in PARTS:
        if part in figures:
            click.echo(f"\n{part}")
            print_figures({name: value for name, value in figures[part].items() if not isinstance(value, Mapping)})


def _row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    if NOT_MEASURED in figures:
        return name, *("-" for _ in COLUMNS)
    cells = []
    for _, part, figure in COLUMNS:
        found = figures[part]
        half = (found[f"{figure}_high"] - found[f"{figure}_low"]) / 2
        cells.append(f"{found[figure]:.4f} ±{half:.3f}" if figure.startswith("recall") else f"{found[figure]:.4f}")
    return name, *cells
