"""python -m search: ask a shop from the command line, and measure how well it answers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from tqdm import tqdm

from catalog.images.decoder import Box
from indexer.cli.common import SOME_REJECTED, Commands
from search.cli.bulk_command import Tables, report, suggest_file
from search.cli.text_table import table
from search.engine import SearchEngine
from search.evaluation.calibrate import calibrate
from search.evaluation.categorise import categorise_photos
from search.evaluation.evaluate import evaluate_photos, evaluate_texts
from search.hits import SearchHit, SearchPage
from search.query.filters import read_filter
from search.query.terms import RELEVANCE, SORTS, Query
from search.retrieval.verdict import Calibration

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE_OUT = click.Path(dir_okay=False, path_type=Path)
WIDTH = 120


def _box(context: click.Context, option: click.Parameter, value: str | None) -> Box | None:
    """Four numbers with commas between as a box in fractions of a picture."""
    try:
        left, top, right, bottom = (float(side) for side in value.split(",")) if value else (0.0, 0.0, 1.0, 1.0)
        inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    except ValueError:
        inside = False
    if not inside:
        raise click.BadParameter(f"{value!r} is no box inside the picture. Give one like 0.1,0.2,0.6,0.9.")
    return (left, top, right, bottom) if value else None


Command = TypeVar("Command", bound=Callable[..., Any])


def _shop_options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--runtime", type=click.Choice(["auto", "onnx", "torch"]), default="auto", help="What runs the encoder."
        ),
        click.option("--home", type=FOLDER, default=Path("var/shop"), show_default=True, help="The shop's folder."),
    ):
        command = option(command)
    return command


@click.group(cls=Commands)
def main() -> None:
    """Ask a shop for products, and measure how well it answers."""


@main.command()
@_shop_options
@click.option("--image", type=FILE, help="A picture of what is wanted.")
@click.option("--text", help="What is wanted, in words.")
@click.option("--product", help="Id of a product to find others like.")
@click.option("--weight-image", type=float, default=1.0, help="How much the picture counts; below 0: unlike it.")
@click.option("--weight-text", type=float, default=1.0, help="How much the words count; below 0: not that.")
@click.option("--filter", "narrowed", help="""Only what passes, as JSON: '{"brand": "Acme", "price": {"max": 50}}'.""")
@click.option("--sort", type=click.Choice(SORTS), default=RELEVANCE, show_default=True, help="Order of the answer.")
@click.option("-k", "k", type=int, default=10, show_default=True, help="How many products to show.")
@click.option("--offset", type=int, default=0, show_default=True, help="How many of the first products to leave out.")
@click.option("--facets", is_flag=True, help="Also count what the answer holds: brands, prices, colours.")
@click.option("--crop", callback=_box, help="The part of the picture that counts: left,top,right,bottom from 0 to 1.")
def query(home: Path, runtime: str, as_json: bool, narrowed: str | None, crop: Box | None, **given: Any) -> None:
    """Find products by a picture, by words, by another product, or by all of them together."""
    cut = {name: given.pop(name) for name in ("k", "offset", "sort", "facets")}
    if crop is not None and given["image"] is None:
        raise click.UsageError("--crop says which part of --image FILE counts: give both.")
    if narrowed is None and all(given[name] is None for name in ("image", "text", "product")):
        raise click.UsageError("Give --image FILE, --text WORDS, --product ID or --filter JSON.")
    asked = Query.of(  # before the shop is opened, which takes longer than to refuse a wrong query
        picture=given["image"],
        text=given["text"],
        product_id=given["product"],
        weights={"picture": given["weight_image"], "text": given["weight_text"]},
        crop=crop,
        filter=None if narrowed is None else read_filter(narrowed),
        **cut,
    )
    with SearchEngine.open(home, runtime=runtime) as engine:
        page = engine.search(asked)
    if as_json:
        shown = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
        _print_json({"query": {**shown, "crop": crop, "k": asked.k}, **page.to_dict()})
    else:
        click.echo(_hits_table(page))


@main.command()
@_shop_options
@click.option("--photos", type=FILE, help="CSV with the columns photo (path relative to the file) and product_id.")
@click.option("--texts", type=FILE, help="CSV with the columns query and product_id.")
def evaluate(home: Path, runtime: str, as_json: bool, photos: Path | None, texts: Path | None) -> None:
    """Measure how often the right product is found: recall at 1, 5 and 10, and the mean reciprocal rank."""
    path, measure = (texts, evaluate_texts) if photos is None else (photos, evaluate_photos)
    if path is None or (photos and texts):
        raise click.UsageError("Give either --photos FILE.csv or --texts FILE.csv.")
    with SearchEngine.open(home, runtime=runtime) as engine:
        evaluation = measure(engine, path, _progress)
    figures = evaluation.to_dict()
    _report_rejected(evaluation.rejected)
    if evaluation.unknown_products:
        count = len(evaluation.unknown_products)
        click.echo(f"{count} of the products asked for are not in the catalogue; they count as misses.", err=True)
    if as_json:
        _print_json(figures)
    else:
        _print_figures(figures)


@main.command()
@_shop_options
@click.option("--photos", type=FILE, help="CSV with the column photo and, if known, category.")
@click.option("--labels", help="Categories to choose from, with commas between; without: the shop's own categories.")
@click.option("--bulk", type=FILE, help="CSV (column image; id, title) or zip of pictures: all fields, needs --out.")
@click.option("--out", type=FILE_OUT, help="With --bulk: where the CSV to review goes, all rows with suggestions.")
@click.option("--listings", type=FILE_OUT, help="With --bulk: where a feed goes of the rows accepted, or sure.")
@click.option(
    "--accept", type=click.FloatRange(0, 1, min_open=True), help="With --bulk: accept from this confidence on."
)
def categorise(home: Path, runtime: str, as_json: bool, photos: Path | None, labels: str | None, **bulk: Any) -> None:
    """Guess what each photo shows: by the shop's most similar products, or by words when labels are given.

    With --bulk, suggest category and attributes for a whole file; the same command again goes on where it stopped.
    What --listings writes is a feed: rows accepted with --accept or on the page /merchant; without --accept also those
    that the shop is sure of. With --bulk, the exit code is 3 when some rows failed.
    """
    given = bulk["bulk"] is not None
    if (photos is not None) == given or given != (bulk["out"] is not None) or (bulk["listings"] and not given):
        raise click.UsageError("Give either --photos FILE.csv, or --bulk FILE and --out FILE.csv.")
    if photos is None:
        job = suggest_file(home, runtime, bulk["bulk"], Tables(bulk["out"], bulk["listings"]), bulk["accept"])
        if as_json:
            _print_json(job.status())
        else:
            report(job, bulk["out"])
        if job.status()["failed"]:
            raise click.exceptions.Exit(SOME_REJECTED)
        return
    names = list(dict.fromkeys(label.strip() for label in (labels or "").split(",") if label.strip()))
    if labels is not None and not names:
        raise click.UsageError("--labels is empty; give a,b,c or leave it out.")
    with SearchEngine.open(home, runtime=runtime) as engine:
        categorisation = categorise_photos(engine, photos, names, _progress)
    _report_rejected(categorisation.rejected)
    if as_json:
        _print_json(categorisation.to_dict())
        return
    rows = [
        (r.photo, r.guess.category or "-", f"{r.guess.confidence:.2f}", "yes" if r.guess.answered else "no")
        for r in categorisation.results
    ]
    click.echo(table(("photo", "category", "confidence", "answered"), rows, _width(), right=("confidence",)))
    _print_figures({"photos": len(rows), **categorisation.figures()})


@main.command("learn")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--home", type=FOLDER, default=Path("var/shop"), show_default=True, help="The shop's folder.")
@click.option("--fine-tune", is_flag=True, help="Also fine-tune a network on the shop's pictures: half an hour or so.")
def learn_command(home: Path, as_json: bool, fine_tune: bool) -> None:
    """Learn from what merchants decided; what was learnt is used only where it is better on what was kept aside."""
    from search.listings import fine_tune as network
    from search.listings.refit_heads import relearn, told

    click.echo("Learning from the shop's products and what was decided; this may take minutes.", err=True)
    figures = relearn(home)
    if not as_json:
        click.echo(told(figures))
    if fine_tune:
        click.echo("Fine-tuning on the shop's pictures: about half an hour for 20,000 of them on two cores.", err=True)
        figures["fine_tuned"] = network.fine_tune(home)
        if not as_json:
            click.echo(network.told(figures["fine_tuned"]))
    if as_json:
        _print_json(figures)


@main.command("calibrate")
@_shop_options
@click.option("--photos", type=FILE, required=True, help="CSV of shoppers' photos: photo, product_id.")
@click.option("--missing", is_flag=True, help="Do nothing when the shop is calibrated for its encoder already.")
def calibrate_command(home: Path, runtime: str, as_json: bool, photos: Path, missing: bool) -> None:
    """Let the shop say how probable it is that it has what a photo shows, by photos of its own products."""
    with SearchEngine.open(home, runtime=runtime) as engine:
        if missing and Calibration.load(home, engine.encoder.fingerprint) is not None:
            return
        calibration = calibrate(engine, photos, _progress)
    calibration.save(home)
    figures = {"photos": calibration.photos, "slope": calibration.slope, "offset": calibration.offset}
    if as_json:
        _print_json(figures)
    else:
        _print_figures(figures)


@main.command()
@_shop_options
@click.option("--out", type=FOLDER, help="Where the report goes; without: the folder doctor in the shop's reports.")
def doctor(home: Path, runtime: str, as_json: bool, out: Path | None) -> None:
    """Look through the whole shop for what is wrong with its listings; writes doctor.csv and doctor.html."""
    from search.doctor.audit import examine, write_report  # here, because they import torch

    with SearchEngine.open(home, runtime=runtime) as engine:
        diagnosis = examine(engine, _stepped())
    table, page = write_report(diagnosis, out or home / "reports" / "doctor")
    if as_json:
        _print_json({**diagnosis.to_dict(), "table": str(table), "page": str(page)})
        return
    _print_figures(diagnosis.counts())
    click.echo(
        f"\n{diagnosis.products:,} products in {diagnosis.seconds:.0f} s. The report: {page}, the table: {table}"
    )


def _hits_table(page: SearchPage) -> str:
    if not page.hits:
        return "Nothing found."
    header = ("rank", "score", "id", "title", "category", "price", "strongest")
    rows = [_hit_row(rank, hit) for rank, hit in enumerate(page.hits, page.offset + 1)]
    shown = [i for i, name in enumerate(header) if name != "price" or any(row[i] for row in rows)]
    return "\n".join(
        (
            table(
                [header[i] for i in shown],
                [[row[i] for i in shown] for row in rows],
                _width(),
                ("rank", "score", "price"),
            ),
            "",
            *(f"({note})" for note in page.notes),
            *(
                f"{facet.name}: {', '.join(f'{value.label} {value.count}' for value in facet.values)}"
                for facet in page.facets
            ),
            f"{len(rows)} products in {page.took_ms:.0f} ms from generation {page.generation}",
        )
    )


def _hit_row(rank: int, hit: SearchHit) -> tuple[str, ...]:
    product = hit.product
    price = "" if product.price is None else f"{product.price} {product.currency}".rstrip()
    name, part = max(hit.parts.items(), key=lambda item: item[1], default=("-", 0.0))
    return (str(rank), f"{hit.score:.3f}", product.id, product.title, product.category, price, f"{name} {part:.2f}")


def _print_json(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value))


def _print_figures(figures: Mapping[str, Any]) -> None:
    shown = {name: value for name, value in figures.items() if not isinstance(value, list)}
    for name, value in shown.items():
        click.echo(
            f"{name:<24}{value:.4f}" if isinstance(value, float) else f"{name:<24}{'-' if value is None else value}"
        )


def _report_rejected(rejected: Sequence[Mapping[str, Any]]) -> None:
    for row in rejected:
        name = row.get("photo") or row.get("query") or ""
        click.echo(f"line {row['line']}: {name!r}: {row['reason']}", err=True)


def _progress(keys: Sequence[str]) -> Iterable[str]:
    return tqdm(keys, disable=not sys.stderr.isatty(), unit=" asked", file=sys.stderr)  # type: ignore[no-any-return]


def _stepped() -> Callable[[str, int, int], None]:
    """Tells on a terminal how far each step of a long job is."""
    shown = sys.stderr.isatty()

    def step(what: str, done: int, total: int) -> None:
        if shown:
            click.echo(f"\r\x1b[K{what}: {done / max(total, 1):.0%}", nl=False, err=True)

    return step


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns


if __name__ == "__main__":
    main(prog_name="python -m search")
