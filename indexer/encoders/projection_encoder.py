"""Encoder of trained projection heads on frozen towers: the starter, and the encoders fitted on a shop's products."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from indexer.encoders.backends.runtime import RUNTIMES
from indexer.encoders.backends.starter_towers import PictureTower
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.base import BaseEncoder
from indexer.encoders.colour_encoder import COLOUR_VERSION, colour_dim, colour_rows
from indexer.encoders.projection_heads import ProjectionHeads
from indexer.layout import RowLayout
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels

# Pictures whose features go through the heads one by one: for several, a product of matrices first copies the weights,
# 13 MB, which costs 2 pictures twice and 3 pictures 1.7 times what each alone does, and 8 pictures half.
MAX_ALONE = 3


class EncoderTower:
    """Another encoder's rows as features; with `block`, only that block."""

    def __init__(self, encoder: BaseEncoder, block: str | None = None) -> None:
        self._encoder = encoder
        self._span = RowLayout(encoder.blocks).slice(block) if block else slice(None)
        self.fingerprint = encoder.fingerprint
        self.preprocessing = encoder.preprocessing
        self.runtime = encoder.runtime
        self.batch_size, self.batches_at_once = encoder.batch_size, encoder.batches_at_once
        self.prepare, self.feature_maps = encoder.prepare, encoder.feature_maps

    def __call__(self, pixels: Pixels) -> Floats:
        """Return the encoder's rows, float32 (n, features)."""
        return self._encoder.encode_pixels(pixels)[:, self._span]


class EncoderWords:
    """Another encoder's text block as features."""

    def __init__(self, encoder: BaseEncoder, block: str) -> None:
        self._encoder = encoder
        self._span = RowLayout(encoder.blocks).slice(block)
        self.fingerprint = self.sentence_key = encoder.fingerprint
        self.batch_size = encoder.text_batch_size
        self.sentence_dim = self._span.stop - self._span.start

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the text block of the texts, float32 (n, features)."""
        return self._encoder.encode_texts(texts)[:, self._span]

    sentences = __call__

    @property
    def multilingual(self) -> bool:
        """Whether the other encoder reads other languages than English."""
        return self._encoder.multilingual

    def knows_word(self, word: str) -> bool | None:
        """Return whether the other encoder has the word as one piece."""
        return self._encoder.knows_word(word)


Tower = PictureTower | EncoderTower  # prepared pixels to features
SentenceTower = TextTower | EncoderWords  # texts to features


class ProjectionEncoder(BaseEncoder):
    """Blocks `look` (principal axes of the features), `meaning` (shared with text) and `colour`."""

    def __init__(self, spec: EncoderSpec, tower: Tower, words: SentenceTower, heads: ProjectionHeads) -> None:
        self.spec = spec
        self.tower = tower
        self.words = words
        self.heads = heads
        self.multilingual = words.multilingual
        self.text_batch_size = words.batch_size
        self.preprocessing = tower.preprocessing
        self.runtime = tower.runtime
        self.batch_size, self.batches_at_once = tower.batch_size, tower.batches_at_once
        self.sentence_dim, self.sentence_key = words.sentence_dim, words.sentence_key
        self.blocks = (
            Block("look", len(heads.look.axes)),
            Block("meaning", heads.dim, texts=True),
            Block("colour", colour_dim()),
        )
        parts = (tower.fingerprint, words.fingerprint, heads.digest, COLOUR_VERSION)
        self.fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize as the tower does."""
        return self.tower.prepare(picture)

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps | None:
        """Return the tower's own feature maps."""
        return self.tower.feature_maps(pictures)

    def knows_word(self, word: str) -> bool | None:
        """Return whether the sentence tower has the word as one piece."""
        return self.words.knows_word(word)

    def _image_rows(self, pixels: Pixels) -> Floats:
        features = self.tower(pixels)
        parts = features[:, None] if len(features) <= MAX_ALONE else [features]
        rows = np.concatenate([self.heads.picture_rows(part) for part in parts])
        return np.concatenate([rows, colour_rows(pixels)], axis=1)

    def _sentence_rows(self, texts: Sequence[str]) -> Floats:
        return self.words.sentences(texts)

    def _text_rows(self, texts: Sequence[str]) -> Floats:
        rows = np.zeros((len(texts), self.dim), np.float32)
        rows[:, RowLayout(self.blocks).slice("meaning")] = self.heads.text(self.words(texts))
        return rows


def towers_of(encoder: BaseEncoder, *, embedded: bool = False) -> tuple[Tower, SentenceTower]:
    """Return the image and text features that heads on top of an encoder are fitted on.

    A ProjectionEncoder gives its own towers, any other encoder its rows; the text features of an encoder without a
    text block are the starter's. With `embedded`, both are the encoder's finished text block.
    """
    text_block = next((block.name for block in encoder.blocks if block.texts), None)
    if embedded and text_block:
        return EncoderTower(encoder, text_block), EncoderWords(encoder, text_block)
    if isinstance(encoder, ProjectionEncoder):
        return encoder.tower, encoder.words
    if text_block:
        return EncoderTower(encoder), EncoderWords(encoder, text_block)
    return EncoderTower(encoder), TextTower(encoder.runtime if encoder.runtime in RUNTIMES else "auto")


def towers_digest(tower: Tower, words: SentenceTower) -> str:
    """Return the digest that identifies the features heads were fitted on."""
    return hashlib.sha256(f"{tower.fingerprint}\n{words.fingerprint}".encode()).hexdigest()
