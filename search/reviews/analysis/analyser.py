"""Analyse reviews: how positive each is as a whole, and what its clauses say of the product's aspects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.reviews.review import Opinion, ReviewAnalysis
from catalog.reviews.review_query import QUICK
from catalog.text.glossary import ENGLISH
from catalog.text.scripts import unspaced
from indexer.numeric import sigmoid
from indexer.types import Floats
from search.language.detection import CHINESE, language_of
from search.reviews.analysis.aspects import aspect_terms, terms_digest
from search.reviews.analysis.clauses import TextSpan, clauses_of, sentences_of
from search.reviews.analysis.polarity import SentenceHeads, clause_polarity, heads_digest
from search.text_heads.text_vectors import TextVectors

FORMAT = "2"  # raise it whenever the same heads and lists give other analyses
BATCH = 1024  # reviews whose sentences are scored together
PASSAGE = 240  # characters of the sentences that are read together, a quarter of them for Chinese: 64 tokens at most
LAST = 3.0  # weight of a review's last sentence; the first one's is 1, since reviews end with their verdict
QUICK_CHARACTERS = 24  # a review that are read by a model in a quick analysis: 100,000 reviews take minutes
HAN_CHARACTERS = 4  # of a Latin text that take a model as long as one of a Chinese text
WORD_LANGUAGES = (ENGLISH, CHINESE)  # whose words the quick head knows
TEXT_CHARACTERS = 10  # that every text takes a model besides its own
NO_TEXT = 0.5


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause about an aspect, and what the aspect's terms mean of themselves."""

    span: TextSpan
    aspect: str
    meanings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of a review is scored."""

    language: str
    sentences: list[TextSpan]
    passages: list[TextSpan]
    clauses: list[_Clause]

    def texts(self) -> Iterator[str]:
        """Yield the texts whose vectors are needed."""
        for spans in (self.sentences, self.passages, (clause.span for clause in self.clauses)):
            yield from (span.text for span in spans)


class ReviewAnalyser:
    """Analyses reviews in any language; aspects are found in English and Chinese. Threads share it.

    A quick one scores English and Chinese sentences by their words, and the model reads only the least sure of each
    batch and a part of what is in other languages. It is for a whole shop's reviews at once, and less accurate.
    """

    def __init__(self, vectors: TextVectors, heads: SentenceHeads, *, quick: bool = False) -> None:
        self._vectors = vectors
        self._heads = heads
        self._quick = quick
        self.model = f"reviews-{FORMAT} {heads_digest()} {terms_digest()} {vectors.fingerprint}{QUICK if quick else ''}"

    @classmethod
    def open(cls, vectors: TextVectors | None = None, *, quick: bool = False) -> ReviewAnalyser:
        """Open the analyser on a shop's vectors, or on the starter's. Raises EncoderUnavailable and StoreError."""
        return cls(vectors if vectors is not None else TextVectors.open(), SentenceHeads.load(), quick=quick)

    def analyse(self, texts: Sequence[str]) -> list[ReviewAnalysis]:
        """Return the analysis of each text. Each different sentence of a batch is read once."""
        found: list[ReviewAnalysis] = []
        for start in range(0, len(texts), BATCH):
            parts = [_parts(text, passages=not self._quick) for text in texts[start : start + BATCH]]
            scores = self._quick_scores(parts) if self._quick else self._scores(parts)
            found += [scores.analysis(part) for part in parts]
        return found

    def _scores(self, parts: Sequence[_Parts]) -> _Scores:
        texts = list(dict.fromkeys(text for part in parts for text in part.texts()))
        places = {text: place for place, text in enumerate(texts)}
        rows = self._vectors.multilingual(texts)
        return _Scores(places, self._heads.positive_logits(rows), self._heads.polarity_logits(rows))

    def _quick_scores(self, parts: Sequence[_Parts]) -> _Scores:
        """Return the logits of words, with those of the model in place of the least sure ones."""
        texts = list(dict.fromkeys(text for part in parts for text in part.texts()))
        places = {text: place for place, text in enumerate(texts)}
        logits = self._heads.words.logits(texts)
        positive, polarity = logits[:, 0].copy(), logits[:, 1:].copy()
        known = {text for part in parts if part.language in WORD_LANGUAGES for text in part.texts()}
        foreign = np.array([text not in known for text in texts], dtype=bool)
        positive[foreign], polarity[foreign] = 0.0, 0.0
        order = np.argsort(np.abs(positive), kind="stable")
        factors = np.array([HAN_CHARACTERS if unspaced(text) else 1 for text in texts], dtype=np.int64)
        lengths = TEXT_CHARACTERS + factors * np.array([len(text) for text in texts], dtype=np.int64)
        chosen = order[np.cumsum(lengths[order]) <= QUICK_CHARACTERS * len(parts)]
        if len(chosen):
            rows = self._vectors.multilingual([texts[place] for place in chosen])
            positive[chosen], polarity[chosen] = self._heads.positive_logits(rows), self._heads.polarity_logits(rows)
        return _Scores(places, positive, polarity)


@dataclass(frozen=True, slots=True)
class _Scores:
    """The logits of the sentences of a batch, by text."""

    places: dict[str, int]
    positive: Floats
    polarity: Floats

    def analysis(self, part: _Parts) -> ReviewAnalysis:
        """Return the analysis of a review from its parts."""
        if not part.sentences:
            return ReviewAnalysis(NO_TEXT)
        logit = self._mean(part.sentences)
        if part.passages:
            logit = (logit + self._mean(part.passages)) / 2
        else:
            logit *= len(part.sentences) ** 0.5  # words say little of one sentence: several together are surer
        return ReviewAnalysis(sigmoid(logit), tuple(self._opinions(part.clauses)))

    def _mean(self, spans: Sequence[TextSpan]) -> float:
        """Return the mean logit; longer and later spans weigh more."""
        logits = self.positive[[self.places[span.text] for span in spans]]
        weights = np.sqrt([len(span.text) for span in spans]) * np.linspace(1, LAST, len(spans))
        return float((logits * weights).sum() / weights.sum())

    def _opinions(self, clauses: Sequence[_Clause]) -> Iterator[Opinion]:
        for clause in clauses:
            polarity, probability = clause_polarity(self.polarity[self.places[clause.span.text]], clause.meanings)
            yield Opinion(clause.aspect, polarity, probability, clause.span.start, clause.span.end)


def _parts(text: str, *, passages: bool) -> _Parts:
    sentences = sentences_of(text)
    language = language_of(text)
    clauses = [
        clause for sentence in sentences for span in clauses_of(sentence) for clause in _about_aspects(span, language)
    ]
    return _Parts(language, sentences, list(_passages(text, sentences)) if passages else [], clauses)


def _about_aspects(span: TextSpan, language: str) -> Iterator[_Clause]:
    meanings: dict[str, list[str]] = {}
    for term in aspect_terms(span.text, language):
        meanings.setdefault(term.aspect, []).append(term.polarity)
    yield from (_Clause(span, aspect, tuple(own)) for aspect, own in meanings.items())


def _passages(text: str, sentences: Sequence[TextSpan]) -> Iterator[TextSpan]:
    """Yield sentences that follow each other together, as far as a model reads them."""
    longest = PASSAGE // HAN_CHARACTERS if unspaced(text) else PASSAGE
    start = end = None
    for sentence in sentences:
        if start is not None and end is not None and sentence.end - start > longest:
            yield TextSpan(text[start:end], start, end)
            start = None
        start, end = sentence.start if start is None else start, sentence.end
    if start is not None and end is not None:
        yield TextSpan(text[start:end], start, end)
