"""python -m search recommend reminders: what it is time for visitors to buy again, for a shop's own mails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from catalog.errors import BadInput
from catalog.product import Product
from catalog.storage.opening import open_catalogue
from catalog.text.csv_export import csv_text
from indexer.cli.common import home_option
from search.cli.common import FILE_TYPE, json_option, print_json
from search.recommend.events.event_log import MAX_VISITOR, EventLog
from search.recommend.learning.model_store import open_serving
from search.recommend.visitor_outlook import MAX_EVENTS, outlook_of

COLUMNS = ("visitor", "product_id", "title", "probability", "times", "gap_days", "since_days")


@click.command("reminders")
@click.option("--visitors", type=FILE_TYPE, required=True, help="Text file: an id on each line, as events have it.")
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True, help="Products of a visitor.")
@json_option
@home_option
def reminders_command(home: Path, visitors: Path, limit: int, as_json: bool) -> None:
    """List what it is time for visitors to buy again, as CSV.

    The shop stores no ids, only keyed hashes: so you name the visitors whom you may write to.
    """
    try:
        lines = visitors.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadInput(f"{visitors} is not UTF-8: {error.reason}.", "Save the list of visitors as UTF-8.") from error
    ids = [line.strip() for line in lines if line.strip()]
    if long := [visitor for visitor in ids if len(visitor) > MAX_VISITOR]:
        raise BadInput(f"{long[0]!r} is no id of a visitor.", f"Ids have at most {MAX_VISITOR} characters.")
    found = _reminders(home, list(dict.fromkeys(ids)), limit)
    if as_json:
        print_json({"reminders": found})
        return
    rows = [["" if row[name] is None else str(row[name]) for name in COLUMNS] for row in found]
    click.echo(csv_text(COLUMNS, rows), nl=False)


def _reminders(home: Path, visitors: list[str], limit: int) -> list[dict[str, Any]]:
    serving = open_serving(home)
    models = serving.models
    if models is None or models.outlook is None:
        problem = f"No outlook can be opened: {serving.degraded}." if serving.degraded else ""
        raise BadInput(problem or "The shop has no fitted outlook.", "Fit the models: windowshop recommend fit.")
    if serving.degraded:
        click.echo(f"Note: {serving.degraded}.", err=True)
    rows, unknown, nothing_due = [], 0, 0
    now = int(time.time())
    with closing(open_catalogue(home)) as catalogue, closing(EventLog.open(home)) as log:

        def find(wanted: Sequence[str]) -> dict[str, Product]:
            return {product_id: product for product_id, (_, product) in catalogue.find(wanted).items()}

        for visitor in visitors:
            events = log.history(visitor, MAX_EVENTS)
            outlook = outlook_of(models, events, find, now, limit)
            rows += [{"visitor": visitor} | due.to_dict() for due in outlook.due]
            unknown += not events
            nothing_due += bool(events) and not outlook.due
    if unknown or nothing_due:
        click.echo(
            f"Of {len(visitors):,} ids, {unknown:,} have no events here, and {nothing_due:,} have nothing due.",
            err=True,
        )
    return rows
