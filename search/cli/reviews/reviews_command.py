"""python -m search reviews: import, export, analyse and remove customers' reviews, and say what is stored."""

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
from catalog.reviews.batch_rows import EXPORT_KEY
from catalog.reviews.review import STATES, Review
from catalog.reviews.review_store import ReviewStore
from catalog.storage.opening import open_catalogue, require_catalogue
from catalog.text.csv_export import write_csv
from indexer.cli.common import Commands, home_option
from search.cli.common import (
    FILE_TYPE,
    OUTPUT_TYPE,
    exit_if_rejected,
    json_option,
    print_figures,
    print_import,
)
from search.cli.reviews.evaluate_command import evaluate_reviews_command
from search.reviews.analysis.analyser import ReviewAnalyser
from search.reviews.importing.product_matcher import ProductMatcher
from search.reviews.importing.review_import import ReviewFileOptions, ReviewImport
from search.reviews.working.analysis_run import QUICK_FROM, analyse_waiting

EXPORTED_COLUMNS = (
    *("key", "product_id", "rating", "title", "text", "author", "created", "verified", "state", "reply", "language"),
    *("reasons", "helpful", "unhelpful", "photos"),
)


@click.group("reviews", cls=Commands, commands=[evaluate_reviews_command])
def reviews_command() -> None:
    """Import, export, analyse and remove customers' reviews, and measure how well they are analysed.

    Running servers see a change at once.
    """


@reviews_command.command("import")
@json_option
@home_option
@click.argument("file", type=FILE_TYPE)
@click.option("--state", type=click.Choice(STATES), help="State of all reviews; else what the file says, or pending.")
@click.option("--out-of", type=click.Choice(("5", "10", "100")), default="5", help="The best rating of the file.")
@click.option("--encoding", default="", help="Encoding of the file, such as gb18030; else it is found out.")
@click.option("--analyse/--no-analyse", default=True, help="Whether to analyse the new reviews afterwards.")
def import_command(file: Path, home: Path, as_json: bool, analyse: bool, **how: Any) -> None:
    """Add the reviews of a file: CSV, TSV or JSON Lines, or an export of Shopify's review apps or WooCommerce.

    Columns: product_id (or SKU, handle), rating, text, and perhaps title, author, email, created, verified, state,
    reply, language, id. Reviews that are stored already are not added again. The exit code is 3 when rows were
    rejected.
    """
    with closing(open_catalogue(home)) as catalogue:
        matcher = ProductMatcher(product for _, product in catalogue.iterate())
    store, rejected = ReviewStore(home), ShopHome(home).rejected_reviews
    report = ReviewImport(store, matcher, rejected).run(
        file, ReviewFileOptions(how["encoding"], how["state"] or "", int(how["out_of"]))
    )
    figures = report.to_dict()
    if analyse and store.count_unanalysed():
        figures["texts_analysed"] = _analyse(store)
    print_import(report, figures, rejected, as_json)
    if report.photos_left_out and not as_json:
        click.echo("The file names photos by their addresses. They are not fetched.")
    exit_if_rejected(report, rejected)


@reviews_command.command("export")
@home_option
@click.argument("table", type=OUTPUT_TYPE, required=False)
@click.option("--state", type=click.Choice(STATES), help="Only reviews in this state.")
@click.option("--visitor", help="Only the reviews of the visitor with this id or mail address.")
def export_command(home: Path, table: Path | None, state: str | None, visitor: str | None) -> None:
    """Write reviews as CSV, to a file or to the terminal, in the order in which they were stored.

    Who wrote them is not in it: only a keyed hash is stored.
    """
    require_catalogue(home)
    store = ReviewStore(home)
    reviews = store.iterate(state or "") if visitor is None else store.of_visitor(visitor)
    out = nullcontext(sys.stdout) if table is None else table.open("w", encoding="utf-8", newline="")
    with out as file:
        write_csv(file, [EXPORTED_COLUMNS])
        write_csv(file, _rows(review for review in reviews if state in (None, review.state)))


@reviews_command.command("analyse")
@json_option
@home_option
@click.option("--thorough", is_flag=True, help="Read every sentence by the model, also those that were read quickly.")
def analyse_command(home: Path, as_json: bool, thorough: bool) -> None:
    """Analyse the reviews that wait: what they say of size, quality, colour, delivery, price, comfort and use.

    It may be interrupted and run again. Equal texts are analysed once, and none again by the same model. 2,000 reviews
    and more are read quickly; --thorough takes a tenth of a second of processor time each.
    """
    require_catalogue(home)
    store = ReviewStore(home)
    read = _analyse(store, thorough=thorough)
    print_figures({"texts_analysed": read, "waiting": store.count_unanalysed()}, as_json)


@reviews_command.command("forget")
@json_option
@home_option
@click.argument("visitor")
def forget_command(home: Path, as_json: bool, visitor: str) -> None:
    """Remove the reviews, photos and votes of the visitor with this id, or of a customer with this mail address."""
    require_catalogue(home)
    print_figures({"removed": ReviewStore(home).forget(visitor)}, as_json)


@reviews_command.command("status")
@json_option
@home_option
def status_command(home: Path, as_json: bool) -> None:
    """Print how many reviews there are in each state, how many wait to be analysed, and the size of the file."""
    require_catalogue(home)
    print_figures(asdict(ReviewStore(home).overview()), as_json)


def _analyse(store: ReviewStore, *, thorough: bool = False) -> int:
    """Analyse what waits, quickly where it is much; return how many texts were read."""
    analyser = ReviewAnalyser.open(quick=not thorough and store.count_unanalysed() >= QUICK_FROM)
    if thorough:
        store.remove_quick_analyses(analyser.model)
    return analyse_waiting(store, analyser)


def _rows(reviews: Iterable[Review]) -> Iterator[list[Any]]:
    for review in reviews:
        written = datetime.fromtimestamp(review.at, timezone.utc).isoformat().replace("+00:00", "Z")
        created = written if review.at else ""
        about = (review.title, review.text, review.author, created, review.verified, review.state, review.reply)
        found = (" ".join(review.reasons), review.helpful, review.unhelpful, " ".join(review.photos))
        yield [f"{EXPORT_KEY}{review.id}", review.product_id, review.rating, *about, review.language, *found]
