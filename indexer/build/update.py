"""Bring a shop up to date with its feed: only what differs is encoded, the rest is copied."""

from __future__ import annotations

from pathlib import Path

from catalog.home import ShopHome
from indexer.build.build import shop_encoder
from indexer.build.index_run import IndexRun, UpdateOptions
from indexer.build.report import IndexReport
from indexer.encoders.base import Encoder
from indexer.generations.publishing import build_lock

__all__ = ["UpdateOptions", "compare_encoder", "dry_run", "update_index"]


def update_index(home: Path | str, encoder: Encoder | str = "", options: UpdateOptions | None = None) -> IndexReport:
    """Bring a shop up to date with its feed. A run that was cut short is continued by the next one.

    `encoder` is an open encoder or a name, by default the shop's own. Raises BadFeed and GenerationError, and then
    changes nothing, and NoGeneration before the first build.
    """
    home = Path(home)
    ShopHome(home).require_catalogue()
    with build_lock(home):
        return IndexRun(home, shop_encoder(home, encoder), options or UpdateOptions()).run()


def dry_run(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> IndexReport:
    """Return what `update_index` would do. Nothing changes on disk, except that pictures may be fetched."""
    ShopHome(home).require_catalogue()
    return IndexRun(home, encoder, options or UpdateOptions()).dry_run()


def compare_encoder(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> IndexReport:
    """Encode the whole shop with another encoder and write what that changes, but publish nothing."""
    ShopHome(home).require_catalogue()
    with build_lock(home):
        return IndexRun(home, encoder, options or UpdateOptions()).run(publish=False)
