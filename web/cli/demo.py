"""The command `python -m web demo`: index the sample shop and serve it."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from catalog import sample
from catalog.home import ShopHome
from indexer.cli.common import shop_home_option
from web.cli.serve import Server, host_option, port_option
from web.cli.startup_checks import check_disk_space, check_settings, read_settings
from web.settings import MIB

REQUIRED_SPACE = 400 * MIB  # the shop takes 25 of them, the exported models the rest
SHOP_NAME = "Windowshop sample shop"
EXAMPLE_TEXT = "speckled mug"
EXAMPLE_PHOTO, EXAMPLE_CHANGE = "p159", "in green"


@click.command()
@shop_home_option(default="var/demo", help="Where to put it.")
@host_option
@port_option
def demo(home: Path, **options: Any) -> None:
    """Index the sample shop if needed, and serve it."""
    if not (sample.SAMPLE_FOLDER / "products.csv").is_file():
        raise click.ClickException(
            "This installation has no sample shop; the package leaves its pictures out. "
            "Index your own feed (windowshop index --feed products.csv), or run make demo in a clone of the source."
        )
    settings = read_settings(
        {"shop_name": SHOP_NAME, "try_photos": sample.SAMPLE_FOLDER / "try.csv", **options, "home": home}
    )
    check_settings(settings)
    if not ShopHome(home).current.is_file():
        # Imported here: it loads numpy, which an indexed shop's server does not wait for.
        from indexer.encoders.backends.runtime import models_folder

        check_disk_space(REQUIRED_SPACE, home, models_folder())
        click.echo("Indexing the sample shop. The first time models are exported too: about a minute in all.", err=True)
    exit_code = build(home)
    if exit_code:
        sys.exit(exit_code)
    Server(settings, partial(things_to_try, home)).run()


def build(home: Path) -> int:
    """Index the sample shop and fit its label heads, skipping what is done already. Returns the exit code.

    Each step runs in its own process: exporting the models loads torch, which a server that forks must not load.
    """
    exit_code = _run("indexer", "build", "--home", str(home), "--feed", str(sample.SAMPLE_FOLDER / "products.csv"))
    if exit_code == 0 and not ShopHome(home).label_heads.exists():
        exit_code = _run("search", "learn", "--home", str(home))
    return exit_code


def _run(module: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode


def things_to_try(home: Path, address: str) -> str:
    """Return the greeting of the open sample shop: three searches to try and the way to the merchant's page."""
    photo_and_text = {"q": EXAMPLE_CHANGE, "photo": EXAMPLE_PHOTO}
    searches = (
        ("a shopper's photo: click one on the front page", ""),
        (f"words: {EXAMPLE_TEXT}", f"?{urlencode({'q': EXAMPLE_TEXT})}"),
        (f"a photo and words: this one, but {EXAMPLE_CHANGE}", f"?{urlencode(photo_and_text)}"),
    )
    lines = [f"  {number}. {label}\n     http://{address}/{query}" for number, (label, query) in enumerate(searches, 1)]
    key_command = f"{sys.executable} -m web key create --home {home}"
    merchant = f"Merchants list products at http://{address}/merchant, with a key from\n     {key_command}"
    return "\n".join(("The sample shop is open. Three things to try:", *lines, merchant, "Ctrl-C closes it."))
