"""Vectors of sentences: multilingual E5 for any language, MiniLM for English. They compare texts with texts.

An encoder that has the starter's text tower shares it; for another one a tower is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from indexer.encoders.backends.texts.towers import MiniLMSentences, TextTower
from indexer.encoders.base import Encoder
from indexer.encoders.projection_encoder import ProjectionEncoder
from indexer.numeric import unit
from indexer.types import Floats

DIM = MiniLMSentences.dim  # of each of the two models


class TextVectors:
    """Turns texts into unit vectors of sentences. Threads share it.

    Texts are truncated at 64 tokens. The vectors of the last texts stay in memory.
    """

    def __init__(self, tower: TextTower) -> None:
        self._tower = tower
        self.fingerprint = f"{tower.fingerprint} {tower.sentence_key}"

    @classmethod
    def open(cls, runtime: str = "auto") -> TextVectors:
        """Open the starter's towers once a process. Raises EncoderUnavailable."""
        return cls(_tower(runtime))

    @classmethod
    def of(cls, encoder: Encoder, runtime: str = "auto") -> TextVectors:
        """Return the vectors of a shop, with the towers of its encoder if it has any. Raises EncoderUnavailable."""
        if isinstance(encoder, ProjectionEncoder) and isinstance(encoder.words, TextTower):
            return cls(encoder.words)
        return cls.open(runtime)

    def multilingual(self, texts: Sequence[str]) -> Floats:
        """Return E5's vectors, float32 (n, 384), for texts of any language.

        Texts of one language lie near each other: subtract the language's mean before texts of two are compared.
        """
        return unit(self._tower(_encodable(texts))[:, -DIM:]) if texts else _none()

    def english(self, texts: Sequence[str]) -> Floats:
        """Return MiniLM's vectors, float32 (n, 384), for English texts."""
        return unit(self._tower.sentences(_encodable(texts))) if texts else _none()

    def both(self, texts: Sequence[str]) -> Floats:
        """Return MiniLM's vectors followed by E5's, float32 (n, 768), for English texts."""
        return np.concatenate([self.english(texts), self.multilingual(texts)], axis=1)


class CachedTextVectors(TextVectors):
    """The same vectors, with those of all texts in memory: for a fit, which reads its examples several times.

    A text takes 3 kB. Not for threads.
    """

    def __init__(self, vectors: TextVectors) -> None:
        self._vectors = vectors
        self.fingerprint = vectors.fingerprint
        self._multilingual: dict[str, Floats] = {}
        self._english: dict[str, Floats] = {}

    def multilingual(self, texts: Sequence[str]) -> Floats:
        """Return E5's vectors, float32 (n, 384)."""
        return _cached(self._multilingual, texts, self._vectors.multilingual)

    def english(self, texts: Sequence[str]) -> Floats:
        """Return MiniLM's vectors, float32 (n, 384)."""
        return _cached(self._english, texts, self._vectors.english)


def _cached(known: dict[str, Floats], texts: Sequence[str], encode: Callable[[Sequence[str]], Floats]) -> Floats:
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        known.update(zip(missing, encode(missing), strict=True))
    return np.stack([known[text] for text in texts]) if texts else _none()


@lru_cache(maxsize=2)
def _tower(runtime: str) -> TextTower:
    return TextTower(runtime)


def _encodable(texts: Sequence[str]) -> list[str]:
    """Return the texts without lone surrogates, which JSON allows and tokenizers refuse."""
    return [text.encode("utf-8", "replace").decode() for text in texts]


def _none() -> Floats:
    return np.zeros((0, DIM), np.float32)
