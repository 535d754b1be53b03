"""Compute training pairs from pictures and captions: features of every view and caption, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import BadPicture
from catalog.images.decoder import decode, read_file
from indexer.build.encoding_pipeline import map_ahead
from indexer.encoders.projection_encoder import SentenceTower, Tower
from indexer.labels.knn import Ints
from indexer.numeric import chunks, number_names
from indexer.progress import progress
from indexer.training.augment import view
from indexer.training.contrastive import HalfFloats, Pairs
from indexer.types import Floats, Mask, Pixels

BATCH_SIZE = 16


@dataclass(frozen=True, slots=True)
class CaptionedPicture:
    """One picture with the captions to draw from; pictures with one `key` fit the same words, see `Pairs`.

    `translations` are captions in other languages: a step of training shows a picture with one of each.
    """

    file: Path
    captions: tuple[str, ...]
    key: str
    domain: int = 0
    translations: tuple[str, ...] = ()


def learnable(
    tower: Tower, words: SentenceTower, examples: Sequence[CaptionedPicture], views: Sequence[str], seed: int
) -> tuple[Pairs, Mask]:
    """Return the examples as features, and whether each picture could be decoded (its row is zero otherwise)."""
    files = list(dict.fromkeys(example.file for example in examples))
    place = {file: row for row, file in enumerate(files)}
    rows = np.array([place[example.file] for example in examples])
    good = np.ones(len(files), dtype=bool)
    view_features = []
    for name in views:
        with progress(f"view: {name}", len(files)) as tick:
            features, decoded = picture_features(tower.prepare, tower, files, name, seed, tick)
        good &= decoded
        view_features.append(features[rows])
    every = {text for example in examples for text in (*example.captions, *example.translations)}
    texts = sorted(every, key=lambda text: (len(text), text))
    number = {text: row for row, text in enumerate(texts)}
    translations = [example.translations for example in examples]
    pairs = Pairs(
        views=view_features,
        words=word_features(words, texts),
        captions=_numbered([example.captions for example in examples], number),
        keys=number_names([example.key for example in examples]),
        domains=np.array([example.domain for example in examples], dtype=np.int64),
        translations=_numbered(translations, number) if all(translations) else None,
    )
    return pairs, good[rows]


def _numbered(captions: Sequence[Sequence[str]], number: Mapping[str, int]) -> Ints:
    """Return the numbers of each example's captions, repeated up to the length of the longest."""
    longest = max(map(len, captions))
    rows = [[number[texts[i % len(texts)]] for i in range(longest)] for texts in captions]
    return np.array(rows, dtype=np.int64)


def picture_features(
    prepare: Callable[[Image.Image], Pixels],
    tower: Callable[[Pixels], Floats],
    files: Sequence[Path],
    name: str,
    seed: int,
    tick: Callable[[int], object],
) -> tuple[HalfFloats, Mask]:
    """Return features of one view of every file, float16 (n, features), and whether each could be decoded."""

    def load(number: int) -> Pixels | None:
        try:
            picture = decode(read_file(files[number]))
        except BadPicture:
            return None
        return prepare(view(picture, name, seed * 1_000_003 + number))

    good = np.zeros(len(files), dtype=bool)
    features = np.zeros((len(files), 0), np.float16)
    with ThreadPoolExecutor(2) as pool, closing(map_ahead(pool, load, range(len(files)), 2 * BATCH_SIZE)) as decoded:
        for part in chunks(len(files), BATCH_SIZE):
            loaded = list(islice(decoded, part.stop - part.start))
            good[part] = [pixels is not None for pixels in loaded]
            usable = [pixels for pixels in loaded if pixels is not None]
            if usable:
                rows = tower(np.stack(usable)).astype(np.float16)
                if not features.shape[1]:
                    features = np.zeros((len(files), rows.shape[1]), np.float16)
                features[part][good[part]] = rows
            tick(len(loaded))
    return features, good


def word_features(words: SentenceTower, texts: Sequence[str]) -> Floats:
    """Return features of the texts, float32 (n, features); texts sorted by length waste the least padding."""
    parts = []
    with progress("captions", len(texts)) as tick:
        for part in chunks(len(texts), BATCH_SIZE):
            parts.append(words(texts[part]))
            tick(len(parts[-1]))
    return np.concatenate(parts)
