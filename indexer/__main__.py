"""python -m indexer: build, update, add, remove, rollback, verify, backup, restore and the rest."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from indexer.ann.faiss_index import KINDS
from indexer.build.build import BuildOptions, build_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.build.report import rejected_path
from indexer.cli.common import INTERRUPTED, SOME_REJECTED, Commands, fetch_option, home_option
from indexer.cli.index_commands import rollback_command, update_command
from indexer.cli.maintenance_commands import backup_command, cache_command, restore_command, verify_command
from indexer.cli.product_commands import add_command, remove_command
from indexer.encoders.registry import DEFAULT_ENCODER, STARTER_HEADS, open_encoder
from indexer.generations import store
from indexer.generations.manifest import read_manifest

log = logging.getLogger(__name__)

seed_option = click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same heads.")


@click.group(cls=Commands)
def main() -> None:
    """Make and check the index of a shop.

    Exit codes: 0 all went well, 3 the index was built but some rows were rejected, 1 an error, 130 interrupted.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")


@main.command("build")
@home_option
@click.option("--feed", type=click.Path(path_type=Path), required=True, help="CSV, TSV, JSONL, or a picture folder.")
@fetch_option
@click.option("--encoder", help=f"Which encoder; by default the one the shop has, {DEFAULT_ENCODER} for a new one.")
@click.option("--runtime", type=click.Choice(["auto", "torch", "onnx"]), default="auto", show_default=True)
@click.option("--kind", type=click.Choice(KINDS), help="The kind of index; by default chosen by size.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Pictures encoded together.")
def build_command(home: Path, feed: Path, fetch: bool | None, encoder: str | None, **given: Any) -> None:
    """Index a feed; pictures that were encoded before are reused."""
    opened = open_encoder(encoder or _usual_encoder(home), runtime=given["runtime"], home=home)
    options = BuildOptions(PipelineOptions(given["batch_size"]), given["kind"])
    try:
        report = build_index(home, feed, opened, options, fetch=fetch)
    except KeyboardInterrupt:
        click.echo("Interrupted; what was encoded is kept, and the next build goes on from there.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    click.echo(report.table())
    if report.rejected:
        click.echo(report.rejections(rejected_path(home, report.generation)), err=True)
        raise click.exceptions.Exit(SOME_REJECTED)


def _usual_encoder(home: Path) -> str:
    """The encoder that the shop is searched with, so that indexing it again never changes it unasked."""
    name = store.current_encoder(home)
    if name is None:
        log.info("Encoder %s; --encoder NAME chooses another.", DEFAULT_ENCODER)
        return DEFAULT_ENCODER
    log.info("Encoder %s, as in the current index; --encoder NAME chooses another.", name)
    return name


@main.command()
@home_option
def info(home: Path) -> None:
    """Print what the current generation is made of, as JSON."""
    number = store.current_number(home)
    click.echo(json.dumps(asdict(read_manifest(store.folder_of(home, number))), indent=2))


@main.command()
@home_option
@click.option("--encoder", "base", default=DEFAULT_ENCODER, show_default=True, help="Which encoder to build on.")
@click.option("--name", help="What to call the encoder that comes out; by default shop, shop2 and so on.")
@seed_option
def train(home: Path, base: str, name: str | None, seed: int) -> None:
    """Fit heads on the shop's own products, on top of an encoder."""
    from indexer.training.fit_shop import fit_shop

    click.echo(json.dumps(fit_shop(home, base, name, seed), indent=2))


@main.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The safetensors file to write.")
@seed_option
def starter(data: Path, out: Path | None, seed: int) -> None:
    """Train the starter encoder's heads from scratch."""
    from indexer.training.fit_starter import fit_starter

    click.echo(json.dumps(fit_starter(data, out or STARTER_HEADS, seed), indent=2))


for command in (
    add_command,
    remove_command,
    update_command,
    rollback_command,
    verify_command,
    cache_command,
    backup_command,
    restore_command,
):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="python -m indexer")
