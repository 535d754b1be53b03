"""Build a shop's index from a feed, and bring it up to date: only what differs is encoded, the rest is copied."""

from __future__ import annotations

from pathlib import Path

from catalog.storage.opening import require_catalogue
from indexer.build.feed_settings import UpdateOptions
from indexer.build.generation_builder import BuildOptions
from indexer.build.index_run import IndexRun
from indexer.build.report import IndexReport
from indexer.encoders.base import Encoder, make_maps_ready
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.generations.publishing import build_lock
from indexer.generations.store import newest_encoder

__all__ = ["BuildOptions", "UpdateOptions", "build_index", "compare_encoder", "dry_run", "update_index"]


def shop_encoder(home: Path, encoder: Encoder | str) -> Encoder:
    """Return an open encoder as it is, else open the one of that name, the shop's own, or the starter."""
    if not isinstance(encoder, str):
        return encoder
    return open_encoder(encoder or newest_encoder(home) or DEFAULT_ENCODER, home=home)


def build_index(
    home: Path | str,
    feed: Path | str,
    encoder: Encoder | str = "",
    options: BuildOptions | None = None,
    *,
    fetch: bool | None = None,
    encoding: str | None = None,
) -> IndexReport:
    """Index a feed as the shop's new current generation. Pictures and titles encoded before are not encoded again.

    `encoder` is an open encoder or a name; without one, the shop's own, or the starter for a new shop. `fetch` says
    whether pictures named by web address are fetched, `encoding` is that of the feed ("auto" finds it out); None is as
    the last time with this feed. Raises BadFeed when nothing in it can be indexed, GenerationError when the index would
    lose too much or another build is running. Index and catalogue change together in the last step; a build that fails
    changes neither.
    """
    home = Path(home)
    home.mkdir(parents=True, exist_ok=True)
    encoder = shop_encoder(home, encoder)
    build = options or BuildOptions()
    update = UpdateOptions(Path(feed), fetch, check_pictures=True, build=build, encoding=encoding)
    with build_lock(home):
        report = IndexRun(home, encoder, update, rebuild=True).run()
    make_maps_ready(encoder)
    return report


def update_index(home: Path | str, encoder: Encoder | str = "", options: UpdateOptions | None = None) -> IndexReport:
    """Bring a shop up to date with its feed. A run that was cut short is continued by the next one.

    `encoder` is an open encoder or a name, by default the shop's own. Raises BadFeed and GenerationError, and then
    changes nothing, and NoGeneration before the first build.
    """
    home = Path(home)
    require_catalogue(home)
    with build_lock(home):
        return IndexRun(home, shop_encoder(home, encoder), options or UpdateOptions()).run()


def dry_run(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> IndexReport:
    """Return what `update_index` would do. Nothing changes on disk, except that pictures may be fetched."""
    require_catalogue(home)
    return IndexRun(home, encoder, options or UpdateOptions()).dry_run()


def compare_encoder(home: Path, encoder: Encoder, options: UpdateOptions | None = None) -> IndexReport:
    """Encode the whole shop with another encoder and write what that changes, but publish nothing."""
    require_catalogue(home)
    with build_lock(home):
        return IndexRun(home, encoder, options or UpdateOptions()).run(publish=False)
