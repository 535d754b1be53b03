"""Remember which feed a shop was last indexed from, in which encoding, and whether its pictures were fetched."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.rows.encodings import known_encoding
from catalog.fetching.fetcher import PictureFetcher
from catalog.fetching.http_download import FetchRules, rules_for
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.build.feed_diff import Removable
from indexer.build.generation_builder import BuildOptions

PICTURE_SERVERS = "WINDOWSHOP_PICTURE_SERVERS"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChosenFeed:
    """A feed, whether pictures that it names by web address are to be fetched, and its encoding, "" to detect it."""

    path: Path
    fetch: bool = False
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """Options of an update; `feed` None uses the last feed, `from_catalogue` reads no feed.

    `fetch` is whether pictures named by web address are fetched, `encoding` that of the feed, "auto" to detect it;
    None does as the last run with that feed did. `removable` tells which products the feed's lack of them may remove;
    None means all.
    """

    feed: Path | None = None
    fetch: bool | None = None
    from_catalogue: bool = False
    check_pictures: bool = False
    keep_missing: bool = False
    allow_shrink: bool = False
    force: bool = False
    build: BuildOptions = field(default_factory=BuildOptions)
    encoding: str | None = None
    removable: Removable | None = None


def choose_feed(
    home: Path, path: Path | None = None, fetch: bool | None = None, encoding: str | None = None
) -> ChosenFeed:
    """Return the named feed, or that of last time; `fetch` and `encoding` None are as last time with that same feed.

    Permission to fetch is given to one feed; one named later may come from somebody else. Raises BadFeed when no feed
    is named and none is remembered, and for an encoding that does not exist.
    """
    last = _remembered(home)
    if path is None:
        if last is None:
            raise BadFeed(f"It is not known which feed {home} was indexed from.", "Name it with --feed FEED.")
        path = last.path
    same = last if last is not None and last.path == path.absolute() else ChosenFeed(path)
    encoding = known_encoding(same.encoding if encoding is None else encoding)
    return ChosenFeed(path, same.fetch if fetch is None else fetch, encoding)


def remember_feed(home: Path, feed: ChosenFeed) -> None:
    """Store the feed's absolute path, its encoding, and whether its pictures were fetched, for the next run."""
    chosen = replace(feed, path=feed.path.absolute())
    if chosen != _remembered(home):
        body = {"feed": str(chosen.path), "fetch_pictures": chosen.fetch}
        text = json.dumps(body | ({"encoding": chosen.encoding} if chosen.encoding else {})) + "\n"
        write_atomically(ShopHome(home).feed_settings, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _remembered(home: Path) -> ChosenFeed | None:
    try:
        body = json.loads(ShopHome(home).feed_settings.read_text(encoding="utf-8"))
        encoding = str(body.get("encoding") or "")
        return ChosenFeed(Path(str(body["feed"])), body.get("fetch_pictures") is True, encoding)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _rules() -> FetchRules:
    """Return the limits of downloads by the setting that servers have too. Raises BadFeed for a bad one."""
    servers = os.environ.get(PICTURE_SERVERS, "")
    try:
        return rules_for(servers)
    except ValueError as error:
        hint = "Name IP addresses, with commas between them: 10.0.0.5, 10.0.0.6:8080."
        raise BadFeed(f"{PICTURE_SERVERS} is {servers[:100]!r}: {error}.", hint) from None


@contextmanager
def fetching(home: Path, allowed: bool) -> Iterator[PictureFetcher | None]:
    """Give one import its fetcher, None unless `allowed`; nothing fetched is removed within the block."""
    if not allowed:
        yield None
        return
    with closing(PictureFetcher.open(ShopHome(home).fetched, _rules())) as fetcher:
        log.info("Pictures are fetched from the web addresses in the feed; --no-fetch-pictures turns this off.")
        yield fetcher
        log.info("%s.", fetcher.summary())
