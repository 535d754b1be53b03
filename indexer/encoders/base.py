"""What an encoder is: the protocol all of them keep and the records that describe them. Needs no torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from catalog.errors import EncoderError, UnsupportedQuery
from indexer.types import Block, EncoderSpec, FeatureMaps, Floats, Pixels

log = logging.getLogger(__name__)


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures, and words if it can, into rows of unit-length blocks.

    `prepare` is the cheap part that decode workers run: resize to the (size, size, 3) uint8 input of the model.
    `encode_pixels` and `encode_texts` return float32 (n, dim): blocks side by side in the order of `blocks`,
    each of unit length; a block that words cannot fill is zero in a text row. An encoder without any text block
    raises UnsupportedQuery from `encode_texts`. The fingerprint covers weights, preprocessing and heads: two
    encoders with one fingerprint give the same vectors.
    """

    spec: EncoderSpec
    blocks: tuple[Block, ...]
    fingerprint: str
    preprocessing: Mapping[str, Any]

    @property
    def dim(self) -> int:
        """Length of a row: the blocks' dims added up."""

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize one RGB picture to the model's input."""

    def encode_pixels(self, pixels: Pixels) -> Floats:
        """Prepared pictures to rows."""

    def encode_images(self, pictures: Sequence[Image.Image]) -> Floats:
        """RGB pictures to rows."""

    def encode_texts(self, words: Sequence[str]) -> Floats:
        """Words to rows."""


def make_maps_ready(encoder: Encoder) -> None:
    """Have the model of an encoder's feature maps exported now, so that no server has to when a shopper waits."""
    if not isinstance(encoder, BaseEncoder):
        return
    try:
        encoder.feature_maps([Image.new("RGB", (32, 32))])
    except EncoderError as error:
        log.warning("Things in pictures will not be found by themselves: %s", error)


class BaseEncoder:
    """What every adapter shares: chunking, unit length, refusals. An adapter writes `prepare` and `_image_rows`."""

    spec: EncoderSpec
    blocks: tuple[Block, ...]
    fingerprint: str
    preprocessing: Mapping[str, Any]
    runtime = "numpy"
    batch_size = 32

    @property
    def dim(self) -> int:
        """Length of a row: the blocks' dims added up."""
        return sum(block.dim for block in self.blocks)

    def prepare(self, picture: Image.Image) -> Pixels:
        """Resize one RGB picture to the model's input: uint8 (size, size, 3)."""
        raise NotImplementedError

    def encode_pixels(self, pixels: Pixels) -> Floats:
        """Prepared pictures, uint8 (n, size, size, 3), to rows, float32 (n, dim), every block of unit length."""
        if len(pixels) == 0:
            return np.zeros((0, self.dim), np.float32)
        chunks = range(0, len(pixels), self.batch_size)
        return self._unit(np.concatenate([self._image_rows(pixels[i : i + self.batch_size]) for i in chunks]))

    def encode_images(self, pictures: Sequence[Image.Image]) -> Floats:
        """RGB pictures to rows, float32 (n, dim), every block of unit length."""
        if not pictures:
            return np.zeros((0, self.dim), np.float32)
        return self.encode_pixels(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_texts(self, words: Sequence[str]) -> Floats:
        """Words to rows, float32 (n, dim); blocks that words cannot fill are zero. Raises UnsupportedQuery."""
        if not any(block.texts for block in self.blocks):
            raise UnsupportedQuery(
                f"The encoder {self.spec.name!r} reads pictures only, not words.",
                "Search with a photo, or index the shop with --encoder starter or an open_clip model.",
            )
        if not words:
            return np.zeros((0, self.dim), np.float32)
        # A lone surrogate, which JSON allows, is no text to a tokenizer.
        words = [text.encode("utf-8", "replace").decode() for text in words]
        chunks = range(0, len(words), self.batch_size)
        return self._unit(np.concatenate([self._text_rows(words[i : i + self.batch_size]) for i in chunks]))

    def feature_maps(self, pictures: Sequence[Image.Image]) -> FeatureMaps | None:
        """What the model sees where, of one picture or more; None when it has no maps.

        Each picture is squashed to a square of the adapter's own size. Raises EncoderUnavailable, ParityError.
        """
        return None

    def _image_rows(self, pixels: Pixels) -> Floats:
        raise NotImplementedError

    def _text_rows(self, words: Sequence[str]) -> Floats:
        raise NotImplementedError

    def _unit(self, rows: Floats) -> Floats:
        start = 0
        for block in self.blocks:
            span = rows[:, start : start + block.dim]
            span /= np.maximum(np.linalg.norm(span, axis=1, keepdims=True), 1e-12)
            start += block.dim
        return rows
