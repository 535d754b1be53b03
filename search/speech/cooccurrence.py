"""Whether the words of a text belong together: one product of the shop has them all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.storage.word_index import Words
from catalog.text.tokenizer import forms
from indexer.types import Ids
from search.language.english import FUNCTION_WORDS

FIELDS = "{name kind}"  # titles, categories, brands and attribute values, not descriptions


def shares_held_together(index: Words, texts: Sequence[str]) -> list[float]:
    """Return for each text the largest share of its words, from 0 to 1, that one product has."""
    keys: dict[str, Ids] = {}
    return [_share(index, text, keys) for text in texts]


def _share(index: Words, text: str, keys: dict[str, Ids]) -> float:
    words = dict.fromkeys(word for word in text.split() if word not in FUNCTION_WORDS)
    for word in words:
        if word not in keys:
            keys[word] = _keys(index, word)
    found = np.concatenate([keys[word] for word in words]) if words else np.zeros(0, np.int64)
    return float(np.unique(found, return_counts=True)[1].max()) / len(words) if len(found) else 0.0


def _keys(index: Words, word: str) -> Ids:
    if not (word.isascii() and word.isalnum()):  # "don't" is no single word of the index
        return np.zeros(0, np.int64)
    listed = index.postings(forms(word), FIELDS)
    return np.array([int(key) for key in listed.split(",") if key], np.int64)
