"""Match the text of a query with the products' own texts, and fuse the scores of its terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexer.types import Floats, Ids
from search.query.terms import LEXICAL, Query, TextTerm
from search.retrieval.lexical import DEFAULT_SHARE, LexicalHits, Lexicon, TextAnalysis
from search.state.column_store import sorted_places

MIN_EXACT_SHARE = 0.5  # share of text in a query's weight from which a number or name in it is an exact match


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The matched text of one query: the analysis of each term's words, and the scores of the products found."""

    readings: Mapping[str, TextAnalysis]
    scores: TextScores | None

    @property
    def notes(self) -> tuple[str, ...]:
        """The corrections and translations, in sentences for shoppers."""
        notes = []
        for analysis in self.readings.values():
            notes += [f"{correction.word!r} was read as {correction.used!r}" for correction in analysis.corrections]
            notes += [f"{term.term} was read as {term.by[0]!r}" for term in analysis.rewritten.replaced if term.by]
        return tuple(dict.fromkeys(notes))


def match_text(lexicon: Lexicon, query: Query) -> TextMatch | None:
    """Analyse the text of a query and look it up; None when the query has no text."""
    terms = [term for term in query.terms if isinstance(term, TextTerm) and term.weight]
    if not terms:
        return None
    readings = {term.words: lexicon.read(term.words) for term in terms}
    hits = [(term, lexicon.search(readings[term.words])) for term in terms]
    return TextMatch(readings, _fuse(query, hits))


def _fuse(query: Query, term_hits: Sequence[tuple[TextTerm, LexicalHits]]) -> TextScores | None:
    """Add the scores of all text terms by their weights, which are below 0 for what is not wanted."""
    share = (query.blocks or {}).get(LEXICAL, DEFAULT_SHARE)
    if not share:
        return None
    total = sum(abs(term.weight) for term, _ in term_hits)
    whole = sum(abs(term.weight) for term in query.terms)
    keys = np.unique(np.concatenate([hits.all_keys for _, hits in term_hits]))
    scores = np.zeros(len(keys), np.float32)
    exact: list[Ids] = [np.zeros(0, np.int64)]
    for term, hits in term_hits:
        scores[np.searchsorted(keys, hits.all_keys)] += np.float32(term.weight / total) * hits.all_scores
        if term.weight > 0 and total >= MIN_EXACT_SHARE * whole:
            exact.append(hits.keys[hits.exact])
    share *= total / whole
    return TextScores(keys, {LEXICAL: np.float32(share) * scores}, share, np.concatenate(exact))


@dataclass(frozen=True, slots=True)
class TextScores:
    """Score components other than vector similarity, per product; a product's parts add up to at most `share`."""

    keys: Ids  # sorted
    parts: Mapping[str, Floats]  # float32 (n,) each
    share: float  # the vector score counts 1 - share
    exact: Ids  # keys of products whose number or name is in the text

    @property
    def scores(self) -> Floats:
        """The sum of all parts, float32 (n,)."""
        total: Floats = np.sum([np.zeros(len(self.keys), np.float32), *self.parts.values()], axis=0, dtype=np.float32)
        return total

    def parts_of(self, keys: Ids) -> dict[str, Floats]:
        """Return the parts of these keys, 0 for other products."""
        places = sorted_places(self.keys, keys)
        return {name: np.append(part, np.float32(0.0))[places] for name, part in self.parts.items()}

    def and_part(self, name: str, keys: Ids, share: float) -> TextScores:
        """Add a part that is `share` for these sorted keys and 0 for others; the earlier parts count less."""
        union = np.union1d(self.keys, keys)
        smaller = replace(self, parts={other: (1 - share) * part for other, part in self.parts.items()})
        parts = smaller.parts_of(union)
        parts[name] = np.where(np.isin(union, keys), np.float32(share), np.float32(0.0))
        return TextScores(union, parts, share + (1 - share) * self.share, self.exact)
