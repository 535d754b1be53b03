"""Score sentences by words, pairs and triples of words: quick, and less sure than sentence vectors.

A Chinese character counts as a word.

The feature of a run of words is a bucket of its CRC-32 (feature hashing, Weinberger et al. 2009, arXiv:0902.2206). A
word after a negation is another one than without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from indexer.types import Floats, Ids

BUCKETS = 1 << 15
REACH = 4  # words after a negation that it may be about
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[\u4e00-\u9fff]|[.,;!?。！？；，]|[:;]-?[()]")
_NEGATION = re.compile(
    r"(?:no|not|never|none|nothing|nor|cannot|hardly|barely|neither|nobody|lacks?|without)$"
    r"|(?:is|do|does|did|wo|would|could|should|was|were|ai|are|have|has|had|ca)n'?t$"
)
_ENDS = frozenset(".;!?。！？；，") | {"but", "however", "although", "though", "yet", "except"}


@dataclass(frozen=True, slots=True)
class WordPairHead:
    """Logits of sentences: `weights` (BUCKETS, n) are summed over a sentence's features, and `bias` (n,) is added."""

    weights: Floats
    bias: Floats

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return float32 (texts, n)."""
        rows = [word_pairs(text) for text in texts]
        if not rows:
            return np.zeros((0, len(self.bias)), np.float32)
        lengths = np.array([len(row) for row in rows])
        sums = np.add.reduceat(self.weights[np.concatenate(rows)], np.concatenate([[0], lengths.cumsum()[:-1]]))
        return np.asarray(sums / np.sqrt(lengths)[:, None] + self.bias, np.float32)


def word_pairs(text: str) -> Ids:
    """Return the buckets of a sentence's features, each once, int64; at least one."""
    features, last, before, reach = ["^"], "^", "", 0
    for token in _TOKEN.findall(text.lower().replace("’", "'")):
        if token in _ENDS:
            reach = 0
        features += [f"-{token}" if reach else token, f"{last} {token}", f"{before} {last} {token}"]
        reach = REACH if _NEGATION.match(token) else max(0, reach - 1)
        last, before = token, last
    return np.array(sorted({crc32(feature.encode()) % BUCKETS for feature in features}), np.int64)
