"""What an encoder is: the protocol all of them keep and the records that describe them. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Block:
    """A named span of the row vector, of unit length by itself; `texts` says whether words fill it too."""

    name: str
    dim: int
    texts: bool = False


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """One line of the registry: which adapter (`family`), which model, which weights, under which licence.

    `weights` is where they come from: "package", "hub", "none", or a local path.
    """

    name: str
    family: str
    model: str
    weights: str
    blocks: tuple[str, ...]
    licence: str


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

    @property
    def dim(self) -> int: ...

    def prepare(self, picture: Image.Image) -> Pixels: ...

    def encode_pixels(self, pixels: Pixels) -> Floats: ...

    def encode_images(self, pictures: Sequence[Image.Image]) -> Floats: ...

    def encode_texts(self, words: Sequence[str]) -> Floats: ...
