"""What a row vector is made of: named unit blocks side by side, weighed only when a question is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.types import Block, Floats

WORDS = "words"


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The blocks of a row, in order.

    Rows are stored unweighted. An encoder that reads words adds one block, "words": the title's vector in the
    space of the encoder's text block, so that a product is found by what it is called as well as by how it looks.
    """

    blocks: tuple[Block, ...]

    @classmethod
    def of_encoder(cls, blocks: Sequence[Block]) -> RowLayout:
        """The row layout of an encoder: its own blocks, and "words" when one of them is filled by words too."""
        text = _text_block(blocks)
        extra = () if text is None else (Block(WORDS, text.dim, texts=True),)
        return cls(tuple(blocks) + extra)

    @property
    def dim(self) -> int:
        """How many numbers a row has."""
        return sum(block.dim for block in self.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks' names, in order."""
        return tuple(block.name for block in self.blocks)

    @property
    def encoder_dim(self) -> int:
        """How many numbers of a row come from the encoder: all but the "words" block."""
        return sum(block.dim for block in self.blocks if block.name != WORDS)

    @property
    def text_block(self) -> str | None:
        """The name of the encoder block that words fill, None when the encoder reads no words."""
        text = _text_block(self.blocks)
        return None if text is None else text.name

    def slice(self, name: str) -> slice:
        """Where the block lies in a row; KeyError when there is none of that name."""
        start = 0
        for block in self.blocks:
            if block.name == name:
                return slice(start, start + block.dim)
            start += block.dim
        raise KeyError(name)

    def rows(self, pictures: Floats, titles: Floats | None) -> Floats:
        """Rows to store: encoded pictures (n, encoder_dim) with their titles' text blocks (n, text dim) beside them."""
        if self.text_block is None or titles is None:
            return pictures
        return np.concatenate([pictures, titles], axis=1, dtype=np.float32)

    def queries(self, encoded: Floats) -> Floats:
        """Encoder output, of pictures or of words, as query vectors: the text block is asked of "words" as well."""
        if self.text_block is None:
            return encoded
        return np.concatenate([encoded, encoded[..., self.slice(self.text_block)]], axis=-1, dtype=np.float32)

    def weigh(self, vectors: Floats, weights: Mapping[str, float]) -> Floats:
        """The vectors with each block times its weight; a block without a weight counts nothing."""
        scale = np.zeros(self.dim, dtype=np.float32)
        for block in self.blocks:
            scale[self.slice(block.name)] = weights.get(block.name, 0.0)
        return np.asarray(vectors * scale, dtype=np.float32)


def _text_block(blocks: Sequence[Block]) -> Block | None:
    return next((block for block in blocks if block.texts and block.name != WORDS), None)
