"""Score sentences: how positive a sentence is, and whether a clause speaks well, badly or neither of an aspect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.reviews.review import NEGATIVE, POLARITIES, POSITIVE
from indexer.numeric import softmax
from indexer.types import Floats
from search.reviews.analysis.word_pairs import WordPairHead
from search.text_heads.linear_head import LinearHead, load_heads

HEADS_FILE = Path(__file__).with_name("heads.safetensors")
SENTIMENT, POLARITY = "sentiment", "polarity"  # the heads in the file
WORD_WEIGHTS, WORD_BIAS = "words.weights", "words.bias"  # and the arrays of the quick one
OWN_MEANING = 2.0  # added to the logit of a polarity that a term of the aspect has of itself ("too small")


@dataclass(frozen=True, slots=True)
class SentenceHeads:
    """The shipped heads: two on E5's vectors of sentences, and the quick one on words."""

    sentiment: LinearHead
    polarity: LinearHead
    words: WordPairHead

    @classmethod
    def load(cls) -> SentenceHeads:
        """Read the shipped heads. Raises StoreError."""
        file = load_heads(HEADS_FILE, (SENTIMENT, POLARITY), (WORD_WEIGHTS, WORD_BIAS))
        words = WordPairHead(*(file.arrays[name].astype(np.float32) for name in (WORD_WEIGHTS, WORD_BIAS)))
        return cls(file.heads[SENTIMENT], file.heads[POLARITY], words)

    def positive_logits(self, rows: Floats) -> Floats:
        """Return the logits that sentences are positive, float32 (n,), of their vectors (n, 384)."""
        logits = self.sentiment.logits(rows)
        places = self.sentiment.labels.index(POSITIVE), self.sentiment.labels.index(NEGATIVE)
        return np.asarray(logits[:, places[0]] - logits[:, places[1]], np.float32)

    def polarity_logits(self, rows: Floats) -> Floats:
        """Return the logits of POLARITIES, in this order, float32 (n, 3)."""
        order = [self.polarity.labels.index(polarity) for polarity in POLARITIES]
        return self.polarity.logits(rows)[:, order]


def clause_polarity(logits: Floats, meanings: Sequence[str]) -> tuple[str, float]:
    """Return the polarity of a clause and its probability, from logits (3,) and what its terms mean of themselves."""
    own = np.array([OWN_MEANING * (polarity in meanings) for polarity in POLARITIES], np.float32)
    probabilities = softmax((logits + own)[None])[0]
    best = int(probabilities.argmax())
    return POLARITIES[best], float(probabilities[best])


def heads_digest() -> str:
    """Return a digest of the shipped heads, which changes with them."""
    return hashlib.sha256(HEADS_FILE.read_bytes()).hexdigest()[:16]
