"""python -m indexer update | rollback: a changed feed into the shop, and the way back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from catalog.errors import GenerationError
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.build.generation_builder import BuildOptions
from indexer.build.update import UpdateOptions, compare_encoder, dry_run, update_index
from indexer.cli.common import INTERRUPTED, SOME_REJECTED, fetch_option, home_option
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.generations import store
from indexer.generations.encoder_diff import NAME as CHANGE
from indexer.generations.manifest import read_manifest
from indexer.generations.publishing import build_lock, rollback


@click.command("update")
@home_option
@click.option("--feed", type=click.Path(path_type=Path), help="By default the feed of the last build or update.")
@fetch_option
@click.option("--from-catalogue", is_flag=True, help="Read no feed: index the catalogue as it stands.")
@click.option("--encoder", help="Another encoder; all is encoded again, and encoder-change.html says what differs.")
@click.option("--runtime", type=click.Choice(["auto", "torch", "onnx"]), default="auto", show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Pictures encoded together.")
@click.option("--check-pictures", is_flag=True, help="Read every picture file, also those that seem unchanged.")
@click.option("--keep-missing", is_flag=True, help="Keep products that are not in the feed.")
@click.option("--allow-shrink", is_flag=True, help="Let more than half of the products go.")
@click.option("--force", is_flag=True, help="Publish even if the answers differ much from before.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def update_command(home: Path, encoder: str | None, runtime: str, **given: Any) -> None:
    """Bring the shop up to date with its feed: only what changed is encoded.

    The new index is checked before it is used; if a check fails, nothing changes. Running servers follow.
    """
    options = _options(given)
    opened = open_encoder(encoder or _usual_encoder(home), runtime=runtime, home=home)
    try:
        if not given["dry_run"]:
            report = update_index(home, opened, options)
        elif encoder:
            report = compare_encoder(home, opened, options)
        else:
            report = dry_run(home, opened, options)
    except KeyboardInterrupt:
        click.echo("Interrupted; what was encoded is kept, and the next update goes on from there.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    shown = report.plan() if given["dry_run"] else report.table()
    click.echo(report.to_json().rstrip() if given["as_json"] else shown)
    if encoder and (home / f"{CHANGE}.html").is_file():
        click.echo(f"What the encoder changes: {home / CHANGE}.html", err=True)
    if report.rejected:
        raise click.exceptions.Exit(SOME_REJECTED)


@click.command("rollback")
@home_option
def rollback_command(home: Path) -> None:
    """Make the index before the current one current again. The products stay as they are now."""
    store.current_number(home)
    with build_lock(home):
        left, number = rollback(home)
    click.echo(f"Generation {number:06d} is current again, in place of {left:06d}; running servers follow.")
    click.echo(
        "The catalogue stays as it is: prices, stock and texts are today's, products that are gone are not shown, and"
        " servers add the rows that changed since. The next update that changes the index replaces it."
    )


def _options(given: Mapping[str, Any]) -> UpdateOptions:
    return UpdateOptions(
        feed=given["feed"],
        fetch=given["fetch"],
        from_catalogue=given["from_catalogue"],
        check_pictures=given["check_pictures"],
        keep_missing=given["keep_missing"],
        allow_shrink=given["allow_shrink"],
        force=given["force"],
        build=BuildOptions(PipelineOptions(given["batch_size"])),
    )


def _usual_encoder(home: Path) -> str:
    """The encoder of the current index, or of the newest that can be read, so that an update never changes it."""
    name = store.current_encoder(home)
    for number in reversed(store.numbers(home)):
        with contextlib.suppress(GenerationError):
            name = name or read_manifest(store.folder_of(home, number)).encoder.name
    return name or DEFAULT_ENCODER
