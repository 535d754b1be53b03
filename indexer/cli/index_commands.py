"""python -m indexer build | update | rollback | info: make the index, keep it up to date, go back."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from catalog.home import ShopHome
from catalog.storage.restoration import Restoration
from indexer.ann.index_plan import INDEX_KINDS
from indexer.build.build import UpdateOptions, build_index, compare_encoder, dry_run, update_index
from indexer.build.generation_builder import BuildOptions
from indexer.build.report import print_rejections
from indexer.cli.common import (
    EXIT_INTERRUPTED,
    SOME_REJECTED,
    batch_size_option,
    encoding_option,
    fetch_option,
    home_option,
    runtime_option,
)
from indexer.cli.encoding_place import EncodingPlace, on_option, worker_threads_option
from indexer.cli.next_step import say_next
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.generations import store
from indexer.generations.publishing import build_lock, preview_rollback, rollback

json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
log = logging.getLogger(__name__)


@click.command("build")
@home_option
@click.option(
    "--feed", type=click.Path(path_type=Path), required=True, help="A feed file or picture folder (see docs/feeds.md)."
)
@fetch_option
@encoding_option
@click.option("--encoder", help=f"Which encoder; by default the one the shop has, {DEFAULT_ENCODER} for a new one.")
@runtime_option
@click.option("--kind", type=click.Choice(INDEX_KINDS), help="The kind of index; by default chosen by size.")
@batch_size_option
@on_option
@worker_threads_option
@json_option
def build_command(home: Path, encoder: str | None, runtime: str, kind: str | None, as_json: bool, **given: Any) -> None:
    """Index a feed; pictures that were encoded before are reused."""
    if encoder is None:
        encoder = store.newest_encoder(home)
        which = f"{encoder or DEFAULT_ENCODER}{', as in the current index' if encoder else ''}"
        log.info("Encoder %s; --encoder NAME chooses another.", which)
    place = EncodingPlace.of(given, home, encoder or DEFAULT_ENCODER, runtime)
    opened = open_encoder(encoder or DEFAULT_ENCODER, runtime=runtime, home=home)
    with _resumable("build"), place.pipeline(opened) as pipeline:
        report = build_index(home, encoder=opened, options=BuildOptions(pipeline, kind), **given)
    if as_json:
        click.echo(report.to_json().rstrip())
    else:
        click.echo(report.table())
        print_rejections(report.rejected, ShopHome(home).rejected(report.generation))
        also = ", or mend the rejected rows and update it" if report.rejected else ""
        say_next(f"look at the shop{also}", "serve", "--home", home)
    if report.rejected:
        raise click.exceptions.Exit(SOME_REJECTED)


@click.command("update")
@home_option
@click.option("--feed", type=click.Path(path_type=Path), help="By default the feed of the last build or update.")
@fetch_option
@encoding_option
@click.option("--from-catalogue", is_flag=True, help="Read no feed: index the catalogue as it stands.")
@click.option("--encoder", help="Another encoder; all is encoded again, and encoder-change.html says what differs.")
@runtime_option
@batch_size_option
@on_option
@worker_threads_option
@click.option("--check-pictures", is_flag=True, help="Read every picture file, also those that seem unchanged.")
@click.option("--keep-missing", is_flag=True, help="Keep products that are not in the feed.")
@click.option(
    "--allow-shrink",
    is_flag=True,
    help="Remove products even if that is more than half of them, or the id of a rejected row cannot be read.",
)
@click.option("--force", is_flag=True, help="Publish even if the answers differ much from before.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
def update_command(home: Path, encoder: str | None, runtime: str, as_json: bool, **given: Any) -> None:
    """Bring the shop up to date with its feed: only what changed is encoded.

    The new index is checked before it is used; if a check fails, nothing changes. Running servers follow.
    """
    plan_only = given.pop("dry_run")
    name = encoder or store.newest_encoder(home) or DEFAULT_ENCODER
    place = EncodingPlace.of(given, home, name, runtime)
    opened = open_encoder(name, runtime=runtime, home=home)
    run = update_index if not plan_only else compare_encoder if encoder else dry_run
    with _resumable("update"), place.pipeline(opened) as pipeline:
        report = run(home, opened, UpdateOptions(build=BuildOptions(pipeline), **given))
    text = report.plan() if plan_only else report.table()
    click.echo(report.to_json().rstrip() if as_json else text)
    if encoder and ShopHome(home).encoder_diff_page.is_file():
        click.echo(f"What the encoder changes: {ShopHome(home).encoder_diff_page}", err=True)
    if not as_json:
        words = "change the shop so" if plan_only else "running servers follow; look for what is wrong in the listings"
        say_next(words, "update" if plan_only else "doctor", "--home", home)
    if report.rejected:
        raise click.exceptions.Exit(SOME_REJECTED)


@click.command("rollback")
@home_option
@click.option("--to", type=click.IntRange(1), help="The generation to go to, back or forward; by default the previous.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def rollback_command(home: Path, to: int | None, dry_run: bool) -> None:
    """Return to another generation of the index and to its products.

    Products that were removed since come back. Edits of single products that were made since remain.
    """
    store.current_number(home)
    if dry_run:
        plan = preview_rollback(home, to)
        click.echo(f"Generation {plan.current:06d} would replace {plan.left:06d}.")
        click.echo("\n".join(_restoration_lines(plan.restoration)))
        return
    with build_lock(home):
        done = rollback(home, to)
    click.echo(f"Generation {done.current:06d} is current again, in place of {done.left:06d}; running servers follow.")
    click.echo("\n".join(_restoration_lines(done.restoration)))
    click.echo("The next update reads the feed again: mend what was wrong in it first.")
    say_next("return to the generation that you left", "rollback", "--to", done.left, "--home", home)


def _restoration_lines(restoration: Restoration) -> list[str]:
    if not restoration.complete:
        return [
            "The products stay as they are: that generation is of an earlier version, which stored no history. Products"
            " that are gone do not come back."
        ]
    return [
        f"  {restoration.come_back:>9,} products come back",
        f"  {restoration.go_away:>9,} products go away",
        f"  {restoration.changed:>9,} products change",
        f"  {restoration.edits_remaining:>9,} products keep edits that were made since",
        f"  {restoration.edits_waiting:>9,} of those that go away have such edits, and get them when they come back",
    ]


@click.command("info")
@home_option
def info_command(home: Path) -> None:
    """Print what the current generation is made of, as JSON."""
    click.echo(json.dumps(store.current_manifest(home).body(), indent=2))


@contextlib.contextmanager
def _resumable(command: str) -> Iterator[None]:
    """Report an interruption of a run that the next one continues, with exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Interrupted. Encoded vectors are stored; the next {command} resumes.", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
