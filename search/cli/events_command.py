"""python -m search events: import, export and remove what shoppers did, and say what is stored."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from catalog.home import ShopHome
from catalog.questions.question_store import QuestionStore
from catalog.reviews.review_store import ReviewStore
from catalog.storage.opening import open_catalogue, require_catalogue
from catalog.text.csv_export import write_csv
from indexer.cli.common import Commands, home_option
from search.assistant.threads.thread_store import ThreadStore
from search.cli.common import (
    FILE_TYPE,
    OUTPUT_TYPE,
    exit_if_rejected,
    json_option,
    print_figures,
    print_import,
)
from search.pricing.alerts.alert_store import AlertStore
from search.recommend.events.event_import import EventImport
from search.recommend.events.event_log import EventLog, StoredEvent
from search.recommend.events.event_rows import EVENT_COLUMNS
from search.recommend.experiments.experiment_store import ExperimentStore

EXPORTED_COLUMNS = ("visitor_hash", *EVENT_COLUMNS[1:])  # no import takes a hash for the id of a visitor


@click.group("events", cls=Commands)
def events_command() -> None:
    """Import, export and remove what shoppers did: views, clicks, carts and purchases.

    Only a keyed hash of each visitor is stored. Running servers see a change at once.
    """


@events_command.command("import")
@json_option
@home_option
@click.argument("table", type=FILE_TYPE)
def import_command(home: Path, as_json: bool, table: Path) -> None:
    """Add the events of a CSV file, which may be packed (.csv.gz), to the shop's log.

    Columns: visitor, time (ISO 8601, UTC without a zone), type (view, click, cart, purchase, dismiss), product_id,
    and perhaps quantity, price (of one unit), query_id and rank. Visitors have the ids that the shop sends with
    events. Events that are stored already are not added again. The exit code is 3 when rows were rejected.
    """
    with closing(open_catalogue(home)) as catalogue:
        known = {product_id for _, product_id in catalogue.ids()}
    rejected = ShopHome(home).rejected_events
    with closing(EventLog.open(home)) as log:
        report = EventImport(log, known, rejected).run(table)
    print_import(report, report.to_dict(), rejected, as_json, " Their events count later.")
    exit_if_rejected(report, rejected)


@events_command.command("export")
@home_option
@click.argument("table", type=OUTPUT_TYPE, required=False)
@click.option("--visitor", help="Only the events of the visitor with this id.")
def export_command(home: Path, table: Path | None, visitor: str | None) -> None:
    """Write events as CSV, to a file or to the terminal, oldest first, with the hashes of visitors in place of ids.

    It cannot be imported: nobody knows the ids of its visitors. A backup has the whole log.
    """
    require_catalogue(home)
    out = nullcontext(sys.stdout) if table is None else table.open("w", encoding="utf-8", newline="")
    with closing(EventLog.open(home)) as log, out as file:
        write_csv(file, [EXPORTED_COLUMNS])
        write_csv(file, _rows(log.iterate() if visitor is None else log.history(visitor)))


@events_command.command("forget")
@json_option
@home_option
@click.argument("visitor")
def forget_command(home: Path, as_json: bool, visitor: str) -> None:
    """Remove all that is stored of the visitor with this id.

    That is events, so that the next fitted models have none, arms of experiments, reviews with photos, votes, questions
    about products, price alerts, and conversations with the assistant.
    """
    shop = ShopHome(home)
    require_catalogue(home)
    with closing(EventLog.open(home)) as log:
        exposures = ExperimentStore(home).forget(log.key_of(visitor))
        removed = {
            "removed": log.forget(visitor),
            "removed_from_experiments": exposures,
            "removed_reviews_and_votes": ReviewStore(home).forget(visitor),
            "removed_questions": QuestionStore(home).forget(visitor),
            "removed_price_alerts": AlertStore(home).forget(visitor),
            "removed_conversations": ThreadStore(home).forget(visitor) if shop.threads.is_file() else 0,
        }
    print_figures(removed, as_json)


@events_command.command("status")
@json_option
@home_option
def status_command(home: Path, as_json: bool) -> None:
    """Print how many events, visitors and products the log has, of which time, and its size."""
    require_catalogue(home)
    with closing(EventLog.open(home)) as log:
        figures = asdict(log.overview())
    print_figures({**figures, "first": _time(figures["first"]), "last": _time(figures["last"])}, as_json)


def _rows(events: Iterable[StoredEvent]) -> Iterator[list[Any]]:
    for event in events:
        values = {"visitor_hash": event.visitor.hex(), **event.to_dict()}
        yield [values.get(name, "") for name in EXPORTED_COLUMNS]


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat()
