"""python -m search query | evaluate | calibrate: search a shop, and measure how well it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from catalog.images.decoder import Box, lies_inside
from catalog.text.labelled_csv import Progress
from indexer.cli.next_step import say_next
from search.cli.common import (
    FILE_TYPE,
    print_figures,
    print_json,
    print_measured,
    print_table,
    report_rejected,
    shop_options,
    show_progress,
)
from search.engine import SearchEngine
from search.evaluation.calibrate import calibrate
from search.evaluation.evaluate import Evaluation, evaluate_photos, evaluate_texts
from search.evaluation.kind_questions import KindEvaluation, evaluate_questions
from search.evaluation.sold_questions import SoldEvaluation, evaluate_sold
from search.hits import SearchHit, SearchPage
from search.query.filters import read_filter
from search.query.terms import RELEVANCE, SORTS, Query
from search.retrieval.verdict import Calibration

Evaluated = Evaluation | KindEvaluation | SoldEvaluation
EVALUATIONS: Mapping[str, Callable[[SearchEngine, Path, Progress], Evaluated]] = {
    "photos": evaluate_photos,
    "texts": evaluate_texts,
    "questions": evaluate_questions,
    "sold": evaluate_sold,
}


def _parse_box(context: click.Context, option: click.Parameter, value: str | None) -> Box | None:
    """Parse four numbers with commas between as a box in fractions of a picture."""
    if not value:
        return None
    with suppress(ValueError):
        left, top, right, bottom = map(float, value.split(","))
        if lies_inside((left, top, right, bottom)):
            return left, top, right, bottom
    raise click.BadParameter(f"{value!r} is no box inside the picture. Give one like 0.1,0.2,0.6,0.9.")


@click.command("query")
@shop_options
@click.option("--image", type=FILE_TYPE, help="A picture to search for.")
@click.option("--text", help="Text to search for.")
@click.option("--product", help="Id of a product to find others like.")
@click.option("--weight-image", type=float, default=1.0, help="Weight of the picture; below 0 excludes.")
@click.option("--weight-text", type=float, default=1.0, help="Weight of the text; below 0 excludes.")
@click.option("--filter", "narrowed", help="""Filter as JSON: '{"brand": "Acme", "price": {"max": 50}}'.""")
@click.option("--sort", type=click.Choice(SORTS), default=RELEVANCE, show_default=True, help="Order of the hits.")
@click.option("-k", "k", type=int, default=10, show_default=True, help="Number of products to show.")
@click.option("--offset", type=int, default=0, show_default=True, help="Number of the best products to skip.")
@click.option("--facets", is_flag=True, help="Also count brands, prices, colours and other values of the matches.")
@click.option("--crop", callback=_parse_box, help="The part of the picture to search for: left,top,right,bottom, 0-1.")
def query_command(
    home: Path, runtime: str, as_json: bool, narrowed: str | None, crop: Box | None, **options: Any
) -> None:
    """Find products by a picture, a text, another product, or all of them together."""
    image, text, product = (options[name] for name in ("image", "text", "product"))
    if crop is not None and image is None:
        raise click.UsageError("--crop says which part of --image FILE counts: give both.")
    if image is None and text is None and product is None and narrowed is None:
        raise click.UsageError("Give --image FILE, --text WORDS, --product ID or --filter JSON.")
    query = Query.of(  # before the shop is opened, which takes longer than to refuse a wrong query
        picture=image,
        text=text,
        product_id=product,
        weights={"picture": options["weight_image"], "text": options["weight_text"]},
        crop=crop,
        filter=None if narrowed is None else read_filter(narrowed),
        **{name: options.pop(name) for name in ("k", "offset", "sort", "facets")},
    )
    with SearchEngine.open(home, runtime=runtime) as engine:
        page = engine.search(query)
    if as_json:
        shown = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
        print_json({"query": {**shown, "crop": crop, "k": query.k}, **page.to_dict()})
    else:
        _print_page(page)


@click.command("evaluate")
@shop_options
@click.option("--photos", type=FILE_TYPE, help="CSV with the columns photo (path relative to the file), product_id.")
@click.option("--texts", type=FILE_TYPE, help="CSV with the columns query and product_id.")
@click.option("--questions", type=FILE_TYPE, help="CSV with query, kind (a category) and attributes like colour; lang.")
@click.option("--sold", type=FILE_TYPE, help="CSV with query and sold (yes or no): measures the verdict on words.")
def evaluate_command(home: Path, runtime: str, as_json: bool, **files: Path | None) -> None:
    """Measure how often the right product, or the right kind of thing, is found, and how true the verdict is."""
    given = {name: path for name, path in files.items() if path is not None}
    if len(given) != 1:
        raise click.UsageError(f"Give one of {', '.join(f'--{name} FILE.csv' for name in files)}.")
    ((name, path),) = given.items()
    with SearchEngine.open(home, runtime=runtime) as engine:
        evaluation = EVALUATIONS[name](engine, path, show_progress)
    report_rejected(evaluation.rejected)
    _report_unknown(evaluation)
    figures = evaluation.to_dict()
    if as_json or isinstance(evaluation, Evaluation):
        print_figures(figures, as_json)
    else:
        print_measured(figures)
    if not as_json:
        say_next("look at single answers", "search", "--home", home, "--text", "...")


def _report_unknown(evaluation: Evaluated) -> None:
    if isinstance(evaluation, Evaluation) and evaluation.unknown_products:
        count = len(evaluation.unknown_products)
        click.echo(f"{count} of the expected products are not in the catalogue; they count as misses.", err=True)
    if isinstance(evaluation, KindEvaluation) and evaluation.unknown_kinds:
        kinds = ", ".join(evaluation.unknown_kinds)
        click.echo(f"No product has these categories; their questions count as misses: {kinds}", err=True)


@click.command("calibrate")
@shop_options
@click.option("--photos", type=FILE_TYPE, required=True, help="CSV of shoppers' photos: photo, product_id.")
@click.option("--missing", is_flag=True, help="Do nothing when the shop is calibrated for its encoder already.")
def calibrate_command(home: Path, runtime: str, as_json: bool, photos: Path, missing: bool) -> None:
    """Fit the probability that the shop has what a photo shows, on photos of its own products."""
    with SearchEngine.open(home, runtime=runtime) as engine:
        if missing and Calibration.load(home, engine.encoder.fingerprint) is not None:
            return
        calibration = calibrate(engine, photos, show_progress)
    calibration.save(home)
    figures = {"photos": calibration.photos, "slope": calibration.slope, "offset": calibration.offset}
    print_figures(figures, as_json)
    if not as_json:
        say_next("start the servers again; they then say how certain a match is", "serve", "--home", home)


def _print_page(page: SearchPage) -> None:
    if not page.hits:
        click.echo("Nothing found.")
        return
    header = ("rank", "score", "id", "title", "category", "price", "strongest")
    rows = [_hit_row(rank, hit) for rank, hit in enumerate(page.hits, page.offset + 1)]
    shown = [i for i, name in enumerate(header) if name != "price" or any(row[i] for row in rows)]
    print_table([header[i] for i in shown], [[row[i] for i in shown] for row in rows], ("rank", "score", "price"))
    click.echo()
    for note in page.notes:
        click.echo(f"({note})")
    for facet in page.facets:
        click.echo(f"{facet.name}: {', '.join(f'{value.label} {value.count}' for value in facet.values)}")
    click.echo(f"{len(rows)} products in {page.took_ms:.0f} ms from generation {page.generation}")


def _hit_row(rank: int, hit: SearchHit) -> tuple[str, ...]:
    product = hit.product
    price = "" if product.price is None else f"{product.price} {product.currency}".rstrip()
    name, part = max(hit.parts.items(), key=lambda item: item[1], default=("-", 0.0))
    return (str(rank), f"{hit.score:.3f}", product.id, product.title, product.category, price, f"{name} {part:.2f}")
