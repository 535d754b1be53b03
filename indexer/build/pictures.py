"""Picture files into the cache, and what was seen of them into the memory of files, some thousand at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from catalog.files.failpoints import failpoint
from indexer.cache.vector_cache import VectorCache
from indexer.encoders.base import Encoder
from indexer.cache.file_stats import Content, FileFacts, stamp_of
from indexer.build.encoding_pipeline import AHEAD, PictureFacts, PictureLoader, PipelineOptions, Tick, ahead, encode_decoded
from indexer.numeric import chunks

BATCHES = 64  # encoded before what was seen of their files is written down


def encode_files(
    paths: Sequence[str], encoder: Encoder, cache: VectorCache, files: FileFacts, options: PipelineOptions, tick: Tick
) -> PictureFacts:
    """As `encode_pictures`; the files are known from then on, however the run ends."""
    facts = PictureFacts()
    with options.decoders(len(paths)) as decoders:
        for part in chunks(len(paths), BATCHES * options.batch_size):
            stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
            seen = encode_decoded(paths[part], encoder, cache, options, tick, decoders)
            files.remember(stamps, contents(seen))
            failpoint("files.remembered")
            facts.add(seen)
    return facts


def look_at_files(paths: Sequence[str], encoder: Encoder, options: PipelineOptions, tick: Tick) -> PictureFacts:
    """Read, hash and decode, but encode and remember nothing: what `encode_files` would find."""
    facts = PictureFacts()
    with (
        options.decoders(len(paths)) as decoders,
        options.threads() as pool,
        closing(ahead(pool, PictureLoader(encoder, None, decoders), paths, AHEAD * options.batch_size)) as loaded,
    ):
        for each in loaded:
            facts.note(each)
            tick(1)
    return facts


def contents(facts: PictureFacts) -> dict[str, Content]:
    """Hash and size of the files that are pictures."""
    return {path: Content(sha256, *facts.sizes[path]) for path, sha256 in facts.hashes.items()}
