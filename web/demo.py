"""python -m web demo: the sample shop from nothing to a page, in one command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from catalog import sample
from web.settings import MIB

SPACE = 400 * MIB  # the shop takes 25 of them, the exported models the rest
SHOP_NAME = "Windowshop sample shop"
WORDS = "speckled mug"
PHOTO, CHANGE = "p159", "in green"


def build(home: Path) -> int:
    """Index the sample shop; what was done before is not done again. Returns the exit code.

    In a process of its own: exporting the models loads torch, which must not be in a server that forks.
    """
    feed = sample.FOLDER / "products.csv"
    command = [sys.executable, "-m", "indexer", "build", "--home", str(home), "--feed", str(feed)]
    return subprocess.run(command, check=False).returncode


def things_to_try(address: str) -> str:
    """What to say when the shop is open."""
    things = (
        ("a shopper's photo: click one on the front page", ""),
        (f"words: {WORDS}", f"?{urlencode({'q': WORDS})}"),
        (f"a photo and words: this one, but {CHANGE}", f"?{urlencode({'q': CHANGE, 'photo': PHOTO})}"),
    )
    lines = [f"  {number}. {what}\n     http://{address}/{query}" for number, (what, query) in enumerate(things, 1)]
    return "\n".join(("The sample shop is open. Three things to try:", *lines, "Ctrl-C closes it."))
