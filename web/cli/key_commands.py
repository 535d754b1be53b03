"""python -m web key create | list | revoke: the keys that open a shop over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.cli.common import Commands
from web.middleware.auth import FILE, SCOPES, WRITE, Keys

home_option = click.option(
    "--home",
    envvar="WINDOWSHOP_HOME",
    type=click.Path(path_type=Path, file_okay=False),
    default="var/shop",
    show_default=True,
    help="The shop.",
)
file_option = click.option(
    "--keys",
    "file",
    envvar="WINDOWSHOP_KEYS",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file of keys.  [default: {FILE} in the home]",
)


@click.group("key", cls=Commands)
def key() -> None:
    """The keys that open a shop over HTTP: to read, to write, or for its operator (admin)."""


@key.command()
@home_option
@file_option
@click.option("--scope", type=click.Choice(SCOPES), default=WRITE, show_default=True, help="What the key opens.")
@click.option("--name", default="", help="What to call it; by default the scope and a number.")
def create(home: Path, file: Path | None, scope: str, name: str) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    made, secret = Keys(file or home / FILE).create(scope, name)
    click.echo(secret)
    click.echo(f"That is the key {made.name!r}, scope {scope}; it cannot be shown again.", err=True)


@key.command("list")
@home_option
@file_option
def list_command(home: Path, file: Path | None) -> None:
    """Print the name, scope and age of every key."""
    for each in Keys(file or home / FILE).all():
        click.echo(f"{each.name}\t{each.scope}\t{each.created}")


@key.command()
@home_option
@file_option
@click.argument("name")
def revoke(home: Path, file: Path | None, name: str) -> None:
    """Let a key open nothing any more, at once, on every server of the shop."""
    Keys(file or home / FILE).revoke(name)
