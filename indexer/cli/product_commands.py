"""python -m indexer add | remove: change a few products, without a new index."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.build.product_changes import add, remove
from indexer.build.report import note_lines, print_rejections
from indexer.cli.common import SOME_REJECTED, home_option, runtime_option
from indexer.encoders.registry import open_encoder
from indexer.generations import store

MAX_UNKNOWN = 10  # ids printed


@click.command("add")
@home_option
@click.option("--feed", type=click.Path(path_type=Path), required=True, help="A feed of these products alone.")
@click.option("--fetch-pictures", "fetch", is_flag=True, help="Fetch pictures that the feed names by web address.")
@click.option("--encoding", default="", help="The feed's encoding, such as cp1250 or gbk; by default it is found out.")
@runtime_option
def add_command(home: Path, feed: Path, fetch: bool, encoding: str, runtime: str) -> None:
    """Add or change the products of a small feed; running servers show them within seconds.

    Products that are not in it stay as they are. The next build removes those that its own feed does not have.
    """
    encoder = open_encoder(store.current_manifest(home).encoder.name, runtime=runtime, home=home)
    added = add(home, feed, encoder, fetch=fetch, encoding=encoding)
    click.echo(f"{added.products:,} products added or changed, {len(added.rejected):,} rows rejected.")
    for line in note_lines(added.notes):
        click.echo(line)
    print_rejections(added.rejected)
    if added.rejected:
        raise click.exceptions.Exit(SOME_REJECTED)


@click.command("remove")
@home_option
@click.argument("ids", nargs=-1, required=True)
def remove_command(home: Path, ids: tuple[str, ...]) -> None:
    """Remove products by id; running servers stop showing them within seconds."""
    removed = remove(home, ids)
    click.echo(f"{removed.products:,} products removed.")
    if removed.unknown:
        click.echo(f"No product has the id {', '.join(map(repr, removed.unknown[:MAX_UNKNOWN]))}.", err=True)
        raise click.exceptions.Exit(SOME_REJECTED)
