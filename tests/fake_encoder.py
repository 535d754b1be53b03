"""An encoder whose vectors are worked out by eye: pictures are their mean colour, words are the colours they name."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from catalog.errors import UnsupportedQuery
from indexer.types import Block, EncoderSpec, Floats, Pixels

AXES = {"red": 0, "green": 1, "blue": 2}
SIZE = 4


class FakeEncoder:
    """Blocks "look" and "meaning", 3 numbers each: a red picture is (1, 0, 0) in both, "red green" is (.71, .71, 0).

    What names no colour, and black, is (.58, .58, .58). With `texts=False` there is no "meaning" block and words
    are refused. `pictures_encoded` and `texts_encoded` count the work done.
    """

    def __init__(self, texts: bool = True, fingerprint: str = "fa" * 32) -> None:
        look, meaning = Block("look", 3), Block("meaning", 3, texts=True)
        self.blocks = (look, meaning) if texts else (look,)
        self.spec = EncoderSpec("fake", "fake", "mean-colour", "none", tuple(b.name for b in self.blocks), "Apache-2.0")
        self.fingerprint = fingerprint
        self.preprocessing = {"size": SIZE}
        self.batches_at_once = 1
        self.pictures_encoded = 0
        self.texts_encoded = 0

    @property
    def dim(self) -> int:
        return sum(block.dim for block in self.blocks)

    def prepare(self, picture: Image.Image) -> Pixels:
        small = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.uint8)

    def encode_pixels(self, pixels: Pixels) -> Floats:
        self.pictures_encoded += len(pixels)
        mean = pixels.reshape(len(pixels), SIZE * SIZE, 3).mean(axis=1, dtype=np.float32)
        return np.concatenate([_unit(mean)] * len(self.blocks), axis=1)

    def encode_images(self, pictures: Sequence[Image.Image]) -> Floats:
        if not pictures:
            return np.zeros((0, self.dim), np.float32)
        return self.encode_pixels(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_texts(self, words: Sequence[str]) -> Floats:
        if len(self.blocks) == 1:
            raise UnsupportedQuery("The encoder 'fake' cannot read words.", "Search with a picture.")
        self.texts_encoded += len(words)
        sums = np.zeros((len(words), 3), np.float32)
        for row, text in enumerate(words):
            for word in text.lower().split():
                if word in AXES:
                    sums[row, AXES[word]] += 1.0
        return np.concatenate([np.zeros((len(words), 3), np.float32), _unit(sums)], axis=1)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    neutral = np.full_like(vectors, 1 / np.sqrt(3))
    return np.where(lengths == 0, neutral, vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
