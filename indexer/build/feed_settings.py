"""Remember which feed a shop was last indexed from, and whether its pictures were fetched."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadFeed
from catalog.fetching.fetcher import PictureFetcher
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChosenFeed:
    """A feed, and whether pictures that it names by web address are to be fetched."""

    path: Path
    fetch: bool = False


def choose_feed(home: Path, path: Path | None = None, fetch: bool | None = None) -> ChosenFeed:
    """Return the named feed, or that of last time; with `fetch` None, fetch if that same feed was fetched last time.

    Permission to fetch is given to one feed; one named later may come from somebody else. Raises BadFeed when no feed
    is named and none is remembered.
    """
    last = _remembered(home)
    if path is None:
        if last is None:
            raise BadFeed(f"It is not known which feed {home} was indexed from.", "Name it with --feed FEED.")
        path = last.path
    if fetch is None:
        fetch = last is not None and last.fetch and last.path == path.absolute()
    return ChosenFeed(path, fetch)


def remember_feed(home: Path, feed: ChosenFeed) -> None:
    """Store the feed's absolute path, and whether its pictures were fetched, for the next run."""
    chosen = replace(feed, path=feed.path.absolute())
    if chosen != _remembered(home):
        text = json.dumps({"feed": str(chosen.path), "fetch_pictures": chosen.fetch}) + "\n"
        write_atomically(ShopHome(home).feed_settings, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _remembered(home: Path) -> ChosenFeed | None:
    try:
        body = json.loads(ShopHome(home).feed_settings.read_text(encoding="utf-8"))
        return ChosenFeed(Path(str(body["feed"])), body.get("fetch_pictures") is True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@contextmanager
def fetching(home: Path, allowed: bool) -> Iterator[PictureFetcher | None]:
    """Give one import its fetcher, None unless `allowed`; nothing fetched is removed within the block."""
    if not allowed:
        yield None
        return
    with closing(PictureFetcher.open(ShopHome(home).fetched)) as fetcher:
        log.info("Pictures are fetched from the web addresses in the feed; --no-fetch-pictures turns this off.")
        yield fetcher
        log.info("%s.", fetcher.summary())
