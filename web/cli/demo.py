"""The command `python -m web demo`: index the sample shop and serve it."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from catalog import sample
from catalog.files.child_environment import child_environment
from catalog.home import ShopHome
from catalog.sample.past_prices import HEADER, past_prices
from catalog.text.csv_export import csv_text
from indexer.cli.common import shop_home_option
from indexer.cli.next_step import command_line
from web.cli.serve import Server, host_option, port_option
from web.cli.startup_checks import check_disk_space, check_settings, read_settings
from web.settings import MIB

REQUIRED_SPACE = 400 * MIB  # the shop takes 25 of them, the exported models the rest
SHOP_NAME = "Windowshop sample shop"
SAMPLE_ENCODER = "starter"
EXAMPLE_TEXT = "speckled mug"
EXAMPLE_PHOTO, EXAMPLE_CHANGE = "p159", "in green"


@click.command()
@shop_home_option(default="var/demo", help="Where to put it.")
@host_option
@port_option
def demo(home: Path, **options: Any) -> None:
    """Index the sample shop if needed, and serve it; the server then learns from it."""
    if not (sample.SAMPLE_FOLDER / "products.csv").is_file():
        raise click.ClickException(
            "This installation has no sample shop; the package leaves its pictures out. "
            "Index your own feed (windowshop index --feed products.csv), or run make demo in a clone of the source."
        )
    settings = read_settings(
        {
            "shop_name": SHOP_NAME,
            "try_photos": sample.SAMPLE_FOLDER / "try.csv",
            "learn_missing_heads": True,
            **options,
            "home": home,
        }
    )
    check_settings(settings)
    is_new = not ShopHome(home).current.is_file()
    if is_new:
        # Imported here: it loads numpy, which an indexed shop's server does not wait for.
        from indexer.encoders.backends.runtime import models_folder
        from indexer.encoders.graphs.checkpoint import MINILM_MODULE  # here, as above

        check_disk_space(REQUIRED_SPACE, home, models_folder())
        if find_spec(MINILM_MODULE) is None and (exit_code := _run("setup")):
            sys.exit(exit_code)
        click.echo("Indexing the sample shop; the first time also the models are made. About 15 seconds.", err=True)
    exit_code = index(home)
    if exit_code:
        sys.exit(exit_code)
    write_service_files(home)
    if is_new:
        write_past_prices(home)
    Server(settings, partial(things_to_try, home)).run()


def index(home: Path) -> int:
    """Index the sample shop, or bring its index up to date. Returns the exit code.

    In a process of its own: it loads ONNX Runtime, whose threads a server that forks must not have.
    """
    known = ShopHome(home).current.is_file()
    # The sample shop's own feed: a newer version of it may remove many products, or come with another encoder.
    command = ("update", "--allow-shrink", "--force") if known else ("build", "--encoder", SAMPLE_ENCODER)
    return _run(*command, "--json", "--home", str(home), "--feed", str(sample.SAMPLE_FOLDER / "products.csv"))


def write_service_files(home: Path) -> None:
    """Give the shop the sample's policies, orders and reviews, unless it has its own. The server analyses reviews."""
    shop = ShopHome(home)
    if not shop.policies.exists():
        shutil.copytree(sample.SAMPLE_FOLDER / shop.policies.name, shop.policies)
    if not shop.orders.exists():
        shutil.copyfile(sample.SAMPLE_FOLDER / shop.orders.name, shop.orders)
    if not shop.reviews.exists():
        reviews = sample.SAMPLE_FOLDER / "reviews.csv"
        _run("reviews", "import", "--no-analyse", "--home", str(home), str(reviews), module="search")


def write_past_prices(home: Path) -> None:
    """Give some products of a new sample shop invented prices of the two years before, so that pages have charts."""
    with (sample.SAMPLE_FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = past_prices(list(csv.DictReader(file)), datetime.now(timezone.utc))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "past.csv"
        path.write_text(csv_text(HEADER, rows), encoding="utf-8")
        _run("prices", "import", "--home", str(home), str(path), module="search")


def _run(*arguments: str, module: str = "indexer") -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=child_environment()).returncode


def things_to_try(home: Path, address: str) -> str:
    """Return the greeting of the open sample shop: searches to try, and the pages of those who run a shop."""
    photo_and_text = {"q": EXAMPLE_CHANGE, "photo": EXAMPLE_PHOTO}
    searches = (
        ("a shopper's photo: click one on the front page", ""),
        (f"words: {EXAMPLE_TEXT}", f"?{urlencode({'q': EXAMPLE_TEXT})}"),
        (f"a photo and words: this one, but {EXAMPLE_CHANGE}", f"?{urlencode(photo_and_text)}"),
        ("what a product cost: the prices of the past are invented", "products/mug-2c"),
        ("a question: where is order 10482? (Its e-mail address is anna@example.com)", "assistant"),
    )
    lines = [f"  {number}. {label}\n     http://{address}/{query}" for number, (label, query) in enumerate(searches, 1)]
    key = command_line("key", "create", "--home", home, "--scope", "admin")
    pages = (
        ("for merchants: a listing with category and attributes from a picture", "merchant"),
        ("for the owner: the week's searches, clicks and products", "ops"),
        ("for developers: the API, a search to copy and to try", "docs"),
    )
    others = [f"  {label}\n     http://{address}/{page}" for label, page in pages]
    return "\n".join(
        (
            "The sample shop is open. Five things to try:",
            *lines,
            "If you run a shop:",
            *others,
            f"Merchants and the owner sign in with the key that this prints:\n     {key}",
            "Ctrl-C closes the shop.",
        )
    )
