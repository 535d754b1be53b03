"""The commands `python -m web key create | list | revoke`: the keys that open a shop over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.home import ShopHome
from indexer.cli.common import Commands, shop_home_option
from web.middleware.auth import Keys
from web.middleware.policies import SCOPES, WRITE

home_option = shop_home_option(envvar="WINDOWSHOP_HOME")
keys_option = click.option(
    "--keys",
    "file",
    envvar="WINDOWSHOP_KEYS",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file of keys.  [default: {ShopHome(Path()).api_keys} in the shop's folder]",
)


@click.group("key", cls=Commands)
def key() -> None:
    """Create, list and revoke API keys.

    A key lets a program or a page read from the shop, write to it, or operate it (scope admin). A key with the scope
    search is public: pages of your own site carry it, and it does nothing but search.
    """


@key.command()
@home_option
@keys_option
@click.option("--scope", type=click.Choice(SCOPES), default=WRITE, show_default=True, help="What the key opens.")
@click.option("--name", default="", help="The key's name; by default the scope and a number.")
def create(home: Path, file: Path | None, scope: str, name: str) -> None:
    """Create a key and print it, this once: only its hash is stored."""
    created, secret = Keys(file or ShopHome(home).api_keys).create(scope, name)
    click.echo(secret)
    click.echo(f"This is the key {created.name!r}, scope {scope}; it cannot be shown again.", err=True)


@key.command("list")
@home_option
@keys_option
def list_command(home: Path, file: Path | None) -> None:
    """Print the name, scope and creation time of every key."""
    for stored in Keys(file or ShopHome(home).api_keys).all():
        click.echo(f"{stored.name}\t{stored.scope}\t{stored.created}")


@key.command()
@home_option
@keys_option
@click.argument("name")
def revoke(home: Path, file: Path | None, name: str) -> None:
    """Revoke a key, at once, on every server of the shop."""
    Keys(file or ShopHome(home).api_keys).revoke(name)
