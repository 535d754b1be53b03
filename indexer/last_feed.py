"""Which feed a shop was last indexed from, so that it can be indexed again without naming it."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.errors import BadFeed
from indexer.generations import write_atomically

NAME = "feed.json"


def remember_feed(home: Path, feed: Path) -> None:
    """Remember the feed's whole path."""
    text = json.dumps({"feed": str(feed.absolute())}) + "\n"
    path = home / NAME
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def last_feed(home: Path) -> Path:
    """The feed of the last build or update. Raises BadFeed when there is none."""
    try:
        return Path(str(json.loads((home / NAME).read_text(encoding="utf-8"))["feed"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise BadFeed(f"It is not known which feed {home} was indexed from.", "Name it with --feed FEED.") from None
