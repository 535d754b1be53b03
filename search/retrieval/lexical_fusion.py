"""What the words of a query say: how they were understood, and which products' own texts hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.query.terms import LEXICAL, Query, TextTerm
from search.retrieval.candidates import TextScores
from search.retrieval.lexical import WEIGHT, LexicalHits, Lexicon, TextAnalysis

MAIN = 0.5  # of a query's weight must be words for a number or name among them to decide


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The words of one query: what the encoder is to read for each, notes for the shopper, and the products found."""

    readings: Mapping[str, TextAnalysis]
    found: TextScores | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was corrected or translated, for people."""
        told = []
        for reading in self.readings.values():
            told += [f"{each.word!r} was read as {each.used!r}" for each in reading.corrections]
            told += [f"{each.term} was read as {each.by[0]!r}" for each in reading.replaced if each.by]
        return tuple(dict.fromkeys(told))


def match_text(lexicon: Lexicon, query: Query) -> TextMatch | None:
    """The words of a query, read and looked up; None when it has none."""
    terms = [term for term in query.terms if isinstance(term, TextTerm) and term.weight]
    if not terms:
        return None
    readings = {term.words: lexicon.read(term.words) for term in terms}
    found = [(term, lexicon.search(readings[term.words])) for term in terms]
    return TextMatch(readings, _found(query, found))


def _found(query: Query, found: Sequence[tuple[TextTerm, LexicalHits]]) -> TextScores | None:
    """All words together: each term's score by its weight, which is below 0 for what is not wanted."""
    share = (query.blocks or {}).get(LEXICAL, WEIGHT)
    if not share:
        return None
    total = sum(abs(term.weight) for term, _ in found)
    whole = sum(abs(term.weight) for term in query.terms)
    keys = np.unique(np.concatenate([hits.all_keys for _, hits in found]))
    scores = np.zeros(len(keys), np.float32)
    exact: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = [np.zeros(0, np.int64)]
    for term, hits in found:
        scores[np.searchsorted(keys, hits.all_keys)] += np.float32(term.weight / total) * hits.all_scores
        if term.weight > 0 and total >= MAIN * whole:
            exact.append(hits.keys[hits.exact])
    share *= total / whole
    return TextScores(keys, {LEXICAL: np.float32(share) * scores}, share, np.concatenate(exact))
