"""The language of a customer's question about policies, from its vector: words alone often do not show it."""

from __future__ import annotations

import numpy as np

from catalog.text.scripts import unspaced
from search.assistant.policies.encoding import plain
from search.language.detection import language_of
from search.text_heads.linear_head import LinearHead
from search.text_heads.text_vectors import TextVectors

CERTAIN, CERTAIN_AGAINST = 0.5, 0.65  # probability of a language, and of another one than the stated


def spoken_language(text: str, stated: str, languages: LinearHead, vectors: TextVectors) -> str:
    """Return the language of a question; `stated` is that of the page or conversation, "" if unknown.

    The question's own language counts more than the stated one, where it is plain. Scripts without spaces show theirs.
    """
    if unspaced(text):
        return language_of(text)
    shares = languages.probabilities(vectors.multilingual([plain(text)]))[0]
    best = languages.labels[int(np.argmax(shares))]
    stated = stated if stated not in ("zh", "ja") else ""
    if float(shares.max()) >= (CERTAIN_AGAINST if stated else CERTAIN):
        return best
    return stated or language_of(text)
