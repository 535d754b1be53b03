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
    """Index the sample shop and let it learn to suggest; what was done before is not done again. Returns the exit code.

    In processes of their own: exporting the models loads torch, which must not be in a server that forks.
    """
    from indexer.labels.heads import FILE as HEADS  # numpy comes with it, which a server does not wait for

    feed = sample.FOLDER / "products.csv"
    code = _run("indexer", "build", "--home", str(home), "--feed", str(feed))
    if code == 0 and not (home / HEADS).exists():
        code = _run("search", "learn", "--home", str(home))
    return code


def _run(module: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode


def things_to_try(home: Path, address: str) -> str:
    """What to say when the shop in `home` is open."""
    things = (
        ("a shopper's photo: click one on the front page", ""),
        (f"words: {WORDS}", f"?{urlencode({'q': WORDS})}"),
        (f"a photo and words: this one, but {CHANGE}", f"?{urlencode({'q': CHANGE, 'photo': PHOTO})}"),
    )
    lines = [f"  {number}. {what}\n     http://{address}/{query}" for number, (what, query) in enumerate(things, 1)]
    key = f"{sys.executable} -m web key create --home {home}"
    desk = f"Merchants list at http://{address}/merchant, with a key from\n     {key}"
    return "\n".join(("The sample shop is open. Three things to try:", *lines, desk, "Ctrl-C closes it."))
