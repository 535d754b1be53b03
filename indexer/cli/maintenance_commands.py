"""python -m indexer verify | cache | backup | restore: check a shop, free its disk space, copy it."""

from __future__ import annotations

import contextlib
import logging
import time
from contextlib import closing
from pathlib import Path

import click

from catalog.errors import WindowshopError
from catalog.home import ShopHome
from catalog.storage.opening import IN_FILE, SETTING, copy_catalogue, has_catalogue, require_catalogue
from indexer.cli.common import home_option, runtime_option
from indexer.cli.next_step import say_next
from indexer.encoders.registry import open_encoder
from indexer.generations import store
from indexer.generations.publishing import build_lock, recover
from indexer.maintenance.backup import backup, restore
from indexer.maintenance.cache_pruning import cache_files, own_picture_usage, prune
from indexer.maintenance.consistency import check_consistency, check_deep
from indexer.maintenance.generation_fetch import FolderSource, ServerSource, fetch_current
from indexer.maintenance.model_versions import check_models

EXIT_FINDINGS = 1  # exit code

log = logging.getLogger(__name__)


@click.group("catalogue")
def catalogue_command() -> None:
    """Move the catalogue between the file in the shop's folder and PostgreSQL."""


@catalogue_command.command("copy")
@home_option
@click.option("--to", required=True, help="postgresql://user@host/database, or `file` for the one in the home.")
def copy_catalogue_command(home: Path, to: str) -> None:
    """Copy the catalogue from where WINDOWSHOP_CATALOGUE says to another place, where there is none yet.

    Products, keys, changes, histories and prices are the same there, so the index stays as it is. Stop the servers
    before, and start them with the new WINDOWSHOP_CATALOGUE. A password is better in ~/.pgpass than in the address.
    """
    require_catalogue(home)
    with build_lock(home), closing(copy_catalogue(home, to)) as copy:
        click.echo(f"Copied {copy.count():,} products, as of change {copy.seq:,}.")
    if to == IN_FILE:
        click.echo(f"Unset {SETTING} now, so that every command opens the file.")
    else:
        click.echo(f"Set {SETTING} to that address now, and move {ShopHome(home).catalogue} away: nothing writes it.")
    say_next("check it", "verify", "--home", home)


@click.command("verify")
@home_option
@click.option("--all", "every", is_flag=True, help="Check every generation on disk, not only the current one.")
@click.option("--deep", is_flag=True, help="Also read every picture file, and encode a sample of them again.")
@runtime_option
def verify_command(home: Path, every: bool, deep: bool, runtime: str) -> None:
    """Check every file of the index, and that catalogue, cache and index agree one to one.

    Finishes first what a crash left unfinished. Exits with 1 when anything is wrong, and says what to do about it.
    """
    with contextlib.suppress(OSError):
        if done := recover(home):
            click.echo(done)
    current = store.current_number(home)
    for number in store.numbers(home) if every else [current]:
        generation = store.open_generation(home, number)
        mark = " (current)" if number == current else ""
        click.echo(f"Generation {number:06d}{mark} is whole: {generation.manifest.rows:,} rows.")
    if not has_catalogue(home):
        click.echo(f"missing catalogue: there is none for {home}. To do: restore a backup, or make index FEED=...")
        raise click.exceptions.Exit(EXIT_FINDINGS)
    generation = store.open_generation(home, current)
    findings = check_consistency(home, generation)
    check_models(home, findings, deep=deep)
    if deep:
        encoder = open_encoder(generation.manifest.encoder.name, runtime=runtime, home=home)
        check_deep(home, generation, encoder, findings)
    for line in [*findings.notes, *findings.all()]:
        click.echo(line)
    if findings.lines:
        raise click.exceptions.Exit(EXIT_FINDINGS)
    click.echo("Catalogue, cache and index agree.")
    say_next("nothing needs to be done")


@click.group("cache")
def cache_command() -> None:
    """List or shrink the vectors encoded before, and the pictures that were uploaded or fetched."""


@cache_command.command("info")
@home_option
def cache_info(home: Path) -> None:
    """List the files of the cache and their sizes, and how many of the shop's own pictures nothing needs."""
    for file in cache_files(home):
        note = "" if file.current else "  (of no use to the current index)"
        click.echo(f"{file.bytes / 2**20:>9,.1f} MiB  {file.name}{note}")
    for usage in own_picture_usage(home):
        unused = f"{usage.unused:,} of them ({usage.unused_bytes / 2**20:,.1f} MiB) needed by nothing"
        click.echo(f"{usage.bytes / 2**20:>9,.1f} MiB  {usage.files:,} pictures in {home / usage.folder}, {unused}")
    say_next("remove what is of no use", "cache", "prune", "--home", home)


@cache_command.command("prune")
@home_option
def cache_prune(home: Path) -> None:
    """Remove vectors and pictures that no product needs any more, and vectors of other encoders.

    A picture stays for an hour after it was written, and for as long as a generation on disk shows it.
    """
    done = prune(home)
    click.echo(
        f"{done.remaining:,} vectors kept, {done.removed:,} dropped, {done.files:,} files of other encoders removed:"
        f" {done.before / 2**20:,.1f} MiB before, {done.after / 2**20:,.1f} MiB now."
    )
    if done.pictures.files:
        click.echo(f"{done.pictures.files:,} pictures removed, {done.pictures.bytes / 2**20:,.1f} MiB.")
    for folder in done.pictures.busy:
        click.echo(f"{home / folder} is in use by an import or by changes just now: try again later.", err=True)


@click.command("backup")
@home_option
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty or new folder.")
def backup_command(home: Path, to: Path) -> None:
    """Copy the shop while it is served: catalogue, current index, the shop's own pictures and encoders."""
    done = backup(home, to)
    size = f"{done.bytes / 2**20:,.1f} MiB in {len(done.files):,} files"
    click.echo(f"Generation {done.generation:06d} and the catalogue as of change {done.seq:,} are in {to}: {size}.")
    say_next("try whether it can be restored", "restore", "--from", to, "--home", f"{home}-restored")


@click.command("restore")
@click.option("--from", "source", type=click.Path(path_type=Path), required=True, help="The backup's folder.")
@click.option("--home", type=click.Path(path_type=Path), required=True, help="A home that does not exist yet.")
def restore_command(source: Path, home: Path) -> None:
    """Restore a shop from a backup, checking every file."""
    done = restore(source, home)
    click.echo(f"{home} is the shop as of {done.created}: generation {done.generation:06d}, change {done.seq:,}.")
    say_next("check it, then serve it", "verify", "--deep", "--home", home)


@click.command("fetch")
@home_option
@click.option("--from", "source", required=True, help="A server of the shop (https://...), or the folder of a home.")
@click.option(
    "--key",
    envvar="WINDOWSHOP_FETCH_KEY",
    show_envvar=True,
    default="",
    help="A key of that server with the scope admin.",
)
@click.option("--every", type=click.FloatRange(min=1), help="Seconds after which to look again, until it is stopped.")
def fetch_command(home: Path, source: str, key: str, every: float | None) -> None:
    """Make another machine's current generation current here too, fetching the files that this machine lacks.

    For several machines of one shop, of which one indexes. They use one catalogue.
    """
    place = ServerSource(source, key) if "://" in source else FolderSource(Path(source))
    while True:
        try:
            done = fetch_current(home, place)
        except (WindowshopError, OSError) as error:  # also a database or network that is away for a moment
            if every is None:
                raise
            log.warning("%s", error)
        else:
            if done.fetched or every is None:
                size = f"{done.fetched:,} files fetched ({done.bytes / 2**20:,.1f} MiB), {done.present:,} were here"
                click.echo(f"Generation {done.generation:06d} is current: {size}.")
        if every is None:
            return
        time.sleep(every)
