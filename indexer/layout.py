"""Lay out a row vector: named blocks of unit length, weighted only in a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from indexer.types import Block, Floats

WORDS = "words"


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The blocks of a row, in order.

    Rows are stored unweighted. An encoder that reads text adds one block, "words": the title's vector in the space of
    the encoder's text block, so that a product is found by its title as well as by its pictures.
    """

    blocks: tuple[Block, ...]

    @classmethod
    def of_encoder(cls, blocks: Sequence[Block]) -> RowLayout:
        """Return the row layout of an encoder: its own blocks, and "words" when it also encodes text."""
        text = _text_block(blocks)
        extra = () if text is None else (Block(WORDS, text.dim, texts=True),)
        return cls(tuple(blocks) + extra)

    @property
    def dim(self) -> int:
        """The length of a row."""
        return sum(block.dim for block in self.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks' names, in order."""
        return tuple(block.name for block in self.blocks)

    @property
    def starts(self) -> list[int]:
        """Where each block begins in a row, in order."""
        return [0, *accumulate(block.dim for block in self.blocks[:-1])]

    @property
    def encoder_dim(self) -> int:
        """The length of the encoder's output: a row without the "words" block."""
        return sum(block.dim for block in self.blocks if block.name != WORDS)

    @property
    def text_block(self) -> str | None:
        """The name of the encoder block that text fills; None when the encoder reads no text."""
        text = _text_block(self.blocks)
        return None if text is None else text.name

    def slice(self, name: str) -> slice:
        """Return the place of a block in a row. Raises KeyError when the layout has no such block."""
        start = 0
        for block in self.blocks:
            if block.name == name:
                return slice(start, start + block.dim)
            start += block.dim
        raise KeyError(name)

    def rows(self, pictures: Floats, titles: Floats | None) -> Floats:
        """Return rows to store: encoded pictures (n, encoder_dim), then their titles' text blocks (n, text dim)."""
        if self.text_block is None or titles is None:
            return pictures
        return np.concatenate([pictures, titles], axis=1, dtype=np.float32)

    def queries(self, encoded: Floats) -> Floats:
        """Return encoder output, of pictures or texts, as vectors (..., dim) to compare with rows, unweighted.

        The text block is compared with "words" as well.
        """
        if self.text_block is None:
            return encoded
        return np.concatenate([encoded, encoded[..., self.slice(self.text_block)]], axis=-1, dtype=np.float32)

    def query(self, encoded: Floats, weights: Mapping[str, float]) -> Floats:
        """Return query vectors (..., dim) of encoder output: the dot product with a row is the mean block cosine."""
        total = sum(map(abs, weights.values())) or 1.0
        return np.asarray(self.weigh(self.queries(encoded), weights) / np.float32(total), dtype=np.float32)

    def weigh(self, vectors: Floats, weights: Mapping[str, float]) -> Floats:
        """Multiply each block of the vectors (..., dim) by its weight, 0 where it has none."""
        scale = np.concatenate([np.full(b.dim, weights.get(b.name, 0.0), np.float32) for b in self.blocks])
        return np.asarray(vectors * scale, dtype=np.float32)


def _text_block(blocks: Sequence[Block]) -> Block | None:
    return next((block for block in blocks if block.texts and block.name != WORDS), None)
