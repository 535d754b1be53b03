"""Pictures that a feed names by web address: asked for only where that was allowed, and kept in the shop's folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.fetching.fetcher import PictureFetcher

FOLDER = "fetched"

log = logging.getLogger(__name__)


@contextmanager
def fetching(home: Path, allowed: bool) -> Iterator[PictureFetcher | None]:
    """Lend one import its fetcher, None when it may not ask; nothing that was fetched is removed within the block."""
    if not allowed:
        yield None
        return
    with closing(PictureFetcher.open(home / FOLDER)) as fetcher:
        log.info("Pictures are fetched from the web addresses that the feed gives; --no-fetch-pictures asks none.")
        yield fetcher
        log.info("%s.", fetcher.summary())
