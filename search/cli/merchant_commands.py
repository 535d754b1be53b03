"""python -m search categorise | learn | doctor: suggest listings, learn from decisions, audit the shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalog.extras import requires_extra
from catalog.home import ShopHome
from indexer.cli.common import SOME_REJECTED, home_option
from indexer.cli.next_step import say_next
from indexer.progress import StepBars
from search.cli.bulk_command import report, suggest_file
from search.cli.common import (
    FILE_TYPE,
    FOLDER_TYPE,
    OUTPUT_TYPE,
    json_option,
    print_figures,
    print_json,
    print_table,
    report_rejected,
    shop_options,
    show_progress,
)
from search.cli.learning.assistant_learning import relearn_assistant
from search.cli.recommend_fit_commands import refit_recommender
from search.doctor.audit import examine, write_report
from search.engine import SearchEngine
from search.evaluation.categorise import categorise_photos
from search.listings import refit_heads
from search.recommend.learning.shop_events import has_events


@click.command("categorise")
@shop_options
@click.option("--photos", type=FILE_TYPE, help="CSV with the column photo and, if known, category.")
@click.option("--labels", help="Categories to choose from, with commas between; without: the shop's own categories.")
@click.option("--bulk", type=FILE_TYPE, help="CSV (image; id, title) or zip of pictures: suggest all fields to --out.")
@click.option("--out", type=OUTPUT_TYPE, help="With --bulk: the CSV to write, all rows with their suggestions.")
@click.option("--listings", type=OUTPUT_TYPE, help="With --bulk: the feed to write, of accepted or confident rows.")
@click.option("--accept", type=click.FloatRange(0, 1, min_open=True), help="With --bulk: lowest confidence to accept.")
def categorise_command(
    home: Path, runtime: str, as_json: bool, photos: Path | None, labels: str | None, **bulk: Any
) -> None:
    """Predict what each photo shows: from the shop's most similar products, or from text when labels are given.

    With --bulk, suggest category and attributes for a whole file; the same command resumes an interrupted run.
    --listings writes a feed of the rows accepted with --accept or on the page /merchant; without --accept also of
    the rows that the shop is confident of. With --bulk, the exit code is 3 when some rows failed.
    """
    source, out, listings = bulk["bulk"], bulk["out"], bulk["listings"]
    if (photos is None) == (source is None) or (source is None) != (out is None) or (listings and source is None):
        raise click.UsageError("Give either --photos FILE.csv, or --bulk FILE and --out FILE.csv.")
    if photos is None:
        job = suggest_file(home, runtime, source, out, listings, bulk["accept"])
        if as_json:
            print_json(job.status())
        else:
            report(job, out)
            wanted = "" if listings else "; --listings FILE writes what was accepted as a feed"
            say_next(f"look through {out}, or decide on the page /merchant{wanted}", "serve", "--home", home)
        if job.status()["failed"]:
            raise click.exceptions.Exit(SOME_REJECTED)
        return
    names = list(dict.fromkeys(label.strip() for label in (labels or "").split(",") if label.strip()))
    if labels is not None and not names:
        raise click.UsageError("--labels is empty; give a,b,c or leave it out.")
    with SearchEngine.open(home, runtime=runtime) as engine:
        categorisation = categorise_photos(engine, photos, names, show_progress)
    report_rejected(categorisation.rejected)
    if as_json:
        print_json(categorisation.to_dict())
        return
    rows = [
        (r.photo, r.guess.category or "-", f"{r.guess.confidence:.2f}", "yes" if r.guess.answered else "no")
        for r in categorisation.results
    ]
    print_table(("photo", "category", "confidence", "answered"), rows, ("confidence",))
    print_figures({"photos": len(rows), **categorisation.figures()})


@click.command("learn")
@json_option
@home_option
@click.option("--fine-tune", is_flag=True, help="Also fine-tune a network on the shop's pictures: about half an hour.")
@click.option("--labels-only", is_flag=True, help="Leave recommendations and the assistant as they are.")
def learn_command(home: Path, as_json: bool, fine_tune: bool, labels_only: bool) -> None:
    """Learn from merchants' decisions; use what was learnt only where it is better on a holdout.

    Where the shop has events enough, the models of recommendations are fitted too, as by `windowshop recommend fit`.
    Where staff corrected what the assistant understood, its classifier learns that.
    """
    if fine_tune:
        with requires_extra("torch", "Fine-tuning"):
            from search.listings import fine_tune as tuning  # here, because it loads torch, which takes seconds
    click.echo("Learning from the shop's products and merchants' decisions; this may take minutes.", err=True)
    figures = refit_heads.relearn(home)
    if not as_json:
        click.echo(refit_heads.format_head_figures(figures))
    if fine_tune:
        click.echo("Fine-tuning on the shop's pictures: about half an hour for 20,000 of them on two cores.", err=True)
        figures["fine_tuned"] = tuning.fine_tune(home)
        if not as_json:
            click.echo(tuning.format_network_figures(figures["fine_tuned"]))
    if not labels_only and (assistant := relearn_assistant(home, as_json)) is not None:
        figures["assistant"] = assistant
    if not labels_only and has_events(home):
        figures["recommender"] = refit_recommender(home, as_json)
    if as_json:
        print_json(figures)
    else:
        say_next("running servers suggest with what was learnt, on their page /merchant", "serve", "--home", home)


@click.command("doctor")
@shop_options
@click.option("--out", type=FOLDER_TYPE, help="Folder for the report; by default reports/doctor in the shop's folder.")
def doctor_command(home: Path, runtime: str, as_json: bool, out: Path | None) -> None:
    """Audit the listings of the whole shop; write doctor.csv and doctor.html."""
    with SearchEngine.open(home, runtime=runtime) as engine, StepBars() as show_step:
        diagnosis = examine(engine, show_step)
    table, page = write_report(diagnosis, out or ShopHome(home).doctor_report)
    if as_json:
        print_json({**diagnosis.to_dict(), "table": str(table), "page": str(page)})
        return
    print_figures(diagnosis.counts())
    took = f"{diagnosis.products:,} products in {diagnosis.seconds:.0f} s"
    click.echo(f"\n{took}. The report: {page}, the table: {table}")
    say_next(f"open {page}, mend the listings in the feed, and bring the shop up to date", "update", "--home", home)
