"""The encoder protocol, and the base class that adapters share. Needs no torch."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from catalog.errors import EncoderError, UnsupportedQuery
from indexer.numeric import chunks, unit
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels

log = logging.getLogger(__name__)


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures, and text if the encoder has a text block, into rows of unit-length blocks.

    `prepare` is the cheap part that decode workers run. `encode_pixels` and `encode_texts` return float32 (n, dim): the
    blocks in the order of `blocks`, each of unit length; a block without `texts` is zero in a text row. An encoder
    without any text block raises UnsupportedQuery from `encode_texts`. The fingerprint covers weights, preprocessing
    and heads: two encoders with one fingerprint give the same vectors.
    """

    spec: EncoderSpec
    blocks: tuple[Block, ...]
    fingerprint: str
    preprocessing: Mapping[str, Any]
    batches_at_once: int  # of pictures, that as many threads encode in less time than one after the other

    @property
    def dim(self) -> int:
        """Return the length of a row: the sum of the blocks' dims."""
        return sum(block.dim for block in self.blocks)

    @abstractmethod
    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize one RGB picture to the model's input, uint8 (size, size, 3)."""

    def encode_pixels(self, pixels: Pixels) -> Floats:
        """Encode prepared pictures, uint8 (n, size, size, 3)."""

    def encode_images(self, pictures: Sequence[Image.Image]) -> Floats:
        """Encode RGB pictures."""
        if not pictures:
            return np.zeros((0, self.dim), np.float32)
        return self.encode_pixels(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Encode texts."""


def make_maps_ready(encoder: Encoder) -> None:
    """Export the model of an encoder's feature maps now, so that no shopper waits for the export in a server."""
    if not isinstance(encoder, BaseEncoder):
        return
    try:
        encoder.feature_maps([Image.new("RGB", (32, 32))])
    except EncoderError as error:
        log.warning("Objects in pictures will not be detected: %s", error)


class BaseEncoder(Encoder):
    """Batching, unit length and refusals for every adapter. An adapter implements `prepare` and `_image_rows`."""

    runtime = "numpy"
    batch_size = 32
    batches_at_once = 1
    text_batch_size = 32  # texts in one call of the adapter, which may make batches of its own
    sentence_dim: int | None = None  # length of a sentence vector; None when texts are compared with pictures only
    sentence_key: str | None = None  # what identifies the model of sentence vectors
    multilingual = False  # whether texts in other languages than English have vectors of their meaning

    def encode_pixels(self, pixels: Pixels) -> Floats:
        """Encode prepared pictures in batches, and scale every block to unit length."""
        if len(pixels) == 0:
            return np.zeros((0, self.dim), np.float32)
        parts = chunks(len(pixels), self.batch_size)
        return self._unit(np.concatenate([self._image_rows(pixels[part]) for part in parts]))

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Encode texts to rows, float32 (n, dim); blocks without `texts` are zero. Raises UnsupportedQuery."""
        if not any(block.texts for block in self.blocks):
            raise UnsupportedQuery(
                f"The encoder {self.spec.name!r} reads pictures only, not words.",
                "Search with a photo, or index the shop with --encoder starter or an open_clip model.",
            )
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        # Tokenizers refuse a lone surrogate, which JSON allows.
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
        # Equal texts once, and those of one length together: a batch is padded to its longest text.
        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        rows = np.concatenate([self._text_rows(distinct[part]) for part in chunks(len(distinct), self.text_batch_size)])
        place = {text: row for row, text in enumerate(distinct)}
        return self._unit(rows)[[place[text] for text in texts]]

    def encode_sentences(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, float32 (n, sentence_dim), that compare texts with texts. Raises UnsupportedQuery.

        The text block is compared with pictures: the training for that gives up part of what words mean to each other.
        """
        if self.sentence_dim is None:
            raise UnsupportedQuery(f"The encoder {self.spec.name!r} has no sentence vectors.")
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
        parts = [self._sentence_rows(texts[part]) for part in chunks(len(texts), self.text_batch_size)]
        return unit(np.concatenate([np.zeros((0, self.sentence_dim), np.float32), *parts]))

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps | None:
        """Return the model's feature maps of at least one picture; None when the model has no maps.

        Squashes each picture to a square of the adapter's own size. Raises EncoderUnavailable, ParityError.
        """
        return None

    def knows_word(self, word: str) -> bool | None:
        """Return whether the text model has a word, in lower case, as one piece; None when it cannot tell."""
        return None

    def _image_rows(self, pixels: Pixels) -> Floats:
        raise NotImplementedError

    def _text_rows(self, texts: Sequence[str]) -> Floats:
        raise NotImplementedError

    def _sentence_rows(self, texts: Sequence[str]) -> Floats:
        raise NotImplementedError

    def _unit(self, rows: Floats) -> Floats:
        ends = np.cumsum([block.dim for block in self.blocks])
        for span in np.split(rows, ends[:-1], axis=1):
            span /= np.maximum(np.linalg.norm(span, axis=1, keepdims=True), 1e-12)
        return rows
