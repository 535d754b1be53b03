"""Score products by how much of a text their own texts hold, from the word index.

A product's score is the share of the text's information that its own texts hold. The information of a word is the
logarithm of how few products have it (IDF): "red" says little, "samovar" much. A match in a description counts less.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import Words, id_code
from catalog.text.quantities import quantity_of
from catalog.text.scripts import is_pictograph
from catalog.text.tokenizer import code, forms, normalise, tokenise, unspaced
from indexer.types import Floats, Ids, Mask
from search.query.glossary import Alternative, Concept, Glossary, RewrittenText
from search.query.spelling import SpellingVocabulary
from search.state.column_store import sorted_places

MAX_HITS = 1_000
DEFAULT_SHARE = 0.5  # share of the text score in the sum with the vector's score, for a query of text alone
MAX_CONCEPTS = 32  # first concepts of a text that count
FIELD_WEIGHTS = {"name": 1.0, "kind": 1.0, "text": 0.8}
RARE_SHARE = 0.001  # a model number is in at most this share of products, or in RARE_PRODUCTS if more
RARE_PRODUCTS = 10
VOCABULARY_SECONDS = 10.0  # time that a vocabulary is used although the shop has changed

# Letters with digits, or at least five digits; not a number with a few letters ("500ml") nor a year.
_MODEL = re.compile(r"(?=.*\d)(?!\d+(?:[.,]\d+)?[a-z]{0,3}$)[\w.,]{3,}|\d{5,}")

Scored = tuple[Ids, Floats]  # keys in order, each with its score
Postings = Callable[[str], Scored]


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that no product has, and the word that replaces it."""

    word: str
    used: str


@dataclass(frozen=True, slots=True)
class TextAnalysis:
    """A query's text as typed, and after corrections and the glossary."""

    text: str
    rewritten: RewrittenText
    corrections: tuple[Correction, ...] = ()

    @property
    def encoder_words(self) -> str:
        """The text for the encoder."""
        return self.rewritten.encoder_words


@dataclass(frozen=True, slots=True, eq=False)
class LexicalHits:
    """The best products, ties by key: `exact` ones, with a score of 1, come first."""

    keys: Ids  # (n,)
    scores: Floats  # (n,), 0 to 1
    exact: Mask  # (n,), those whose id, brand, article or model number is in the text
    all_keys: Ids  # sorted, of every product that holds any word of the text
    all_scores: Floats

    def scores_of(self, keys: Ids) -> Floats:
        """Return the scores of these products, float32 (n,): 0 for those that hold no word of the text."""
        return np.append(self.all_scores, np.float32(0.0))[sorted_places(self.all_keys, keys)]


class Lexicon:
    """The words of a shop's products. Threads share it."""

    def __init__(self, catalogue: Catalogue, glossary: Glossary) -> None:
        self._catalogue = catalogue
        self._glossary = glossary
        self._lock = threading.Lock()
        self._vocabulary = SpellingVocabulary(())
        self._seq = -1
        self._read_at = -math.inf

    def read(self, text: str) -> TextAnalysis:
        """Analyse a text: find the glossary's terms, and correct words that no product and no term has."""
        rewritten = self._glossary.apply(text)
        with self._catalogue.words() as index:
            corrections = tuple(self._corrections(index, rewritten))
        if not corrections:
            return TextAnalysis(text, rewritten)
        corrected = _replaced(text, {correction.word: correction.used for correction in corrections})
        return TextAnalysis(text, self._glossary.apply(corrected), corrections)

    def search(self, analysis: TextAnalysis, limit: int = MAX_HITS, allowed_keys: Ids | None = None) -> LexicalHits:
        """Return the best `limit` products that hold words of the text, and the scores of all; of `allowed_keys`."""
        with self._catalogue.words() as index:
            products = index.products()
            exact = _exact(index, analysis.text, products)
            postings = cache(partial(_postings, index))  # of a word, which many alternatives may have
            scored = _score_concepts(postings, analysis.rewritten.concepts[:MAX_CONCEPTS], products)
        keys, scores = _merge([scored, (exact, np.ones(len(exact), np.float32))], np.maximum)
        if allowed_keys is not None:
            allowed = np.isin(keys, allowed_keys)
            keys, scores = keys[allowed], scores[allowed]
        is_exact = np.isin(keys, exact)
        best = _top_places(scores + is_exact, limit)
        return LexicalHits(keys[best], scores[best], is_exact[best], keys, scores)

    def _corrections(self, index: Words, rewritten: RewrittenText) -> Iterator[Correction]:
        for concept in rewritten.concepts[:MAX_CONCEPTS]:
            words = concept.alternatives[0].words
            spellings = [way.words[0] for way in concept.alternatives if len(way.words) == 1]
            known = any(index.known(forms(spelling)) for spelling in spellings)
            if concept.in_glossary or len(words) > 1 or unspaced(words[0]) or known:
                continue
            nearest = self._current_vocabulary(index).nearest(words[0])
            if nearest not in (None, *forms(words[0])):
                yield Correction(words[0], str(nearest))

    def _current_vocabulary(self, index: Words) -> SpellingVocabulary:
        """Return the shop's vocabulary; read it again when the shop has changed, but not after every change."""
        with self._lock:
            now, seq = time.monotonic(), index.seq()
            if seq != self._seq and now - self._read_at >= VOCABULARY_SECONDS:
                known = dict(index.vocabulary())
                terms = (word for word in self._glossary.english if self._finds_products(word, known))
                counts = dict.fromkeys(terms, 0) | known
                self._vocabulary = SpellingVocabulary(sorted(counts.items()))
                self._seq, self._read_at = seq, now
            return self._vocabulary

    def _finds_products(self, term: str, known: Mapping[str, int]) -> bool:
        alternatives = (way for concept in self._glossary.apply(term).concepts for way in concept.alternatives)
        return any(all(any(form in known for form in forms(word)) for word in way.words) for way in alternatives)


def _replaced(text: str, corrections: Mapping[str, str]) -> str:
    corrected = normalise(text)
    for start, end, piece in reversed(list(tokenise(corrected))):
        corrected = corrected[:start] + corrections.get(piece, piece) + corrected[end:]
    return corrected


def _postings(index: Words, word: str) -> Scored:
    holding = ((_holding(index, forms(word), name), weight) for name, weight in FIELD_WEIGHTS.items())
    return _merge([(keys, np.full(len(keys), weight, np.float32)) for keys, weight in holding], np.maximum)


def _score_concepts(postings: Postings, concepts: tuple[Concept, ...], products: int) -> Scored:
    """Return every product that holds part of the concepts, with the share of their information that it holds."""
    parts: list[Scored] = []
    total = 0.0
    for concept in concepts:
        scored = [_score_alternative(postings, way, products) for way in concept.alternatives]
        information = next((weight for weight, complete, _ in scored if complete), scored[0][0])
        keys, shares = _merge([part for *_, part in scored], np.maximum)
        if not len(keys) and is_pictograph(concept.word):
            continue  # most pictographs in a query decorate it
        total += information
        parts.append((keys, shares * np.float32(information)))
    if not total:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    keys, sums = _merge(parts, np.add)
    return keys, np.minimum(sums / np.float32(total), np.float32(1.0))


def _score_alternative(postings: Postings, way: Alternative, products: int) -> tuple[float, bool, Scored]:
    """Return an alternative's information, whether all its words are known, and the share that each product holds."""
    held = [postings(word) for word in way.words]
    weights = [_information(len(keys), products) for keys, _ in held]
    total = sum(weights)
    shares = [np.float32(way.confidence * weight / total) for weight in weights]
    parts = [(keys, counts * share) for (keys, counts), share in zip(held, shares, strict=True)]
    return total, all(len(keys) for keys, _ in held), _merge(parts, np.add)


def _information(holding: int, products: int) -> float:
    return math.log(1.0 + (1.0 + products) / max(holding, 1))


def _exact(index: Words, text: str, products: int) -> Ids:
    """Return the keys of products whose id or brand the text is, or whose article or model number is in it."""
    normalised = normalise(text)
    whole = code(normalised)
    keys = set(_holding(index, (id_code(normalised), whole), "code").tolist() if whole else ())
    max_products = max(RARE_PRODUCTS, RARE_SHARE * products)
    for token in dict.fromkeys(normalised.split()):
        number = code(token)
        if number == whole or not any(map(str.isdigit, number)):
            continue
        keys.update(_holding(index, (id_code(number),), "code").tolist())
        if _MODEL.fullmatch(number) and not ((quantity := quantity_of(token)) and quantity.measured):
            for name in ("code", "name"):
                holding = _holding(index, (number,), name)
                keys.update(holding.tolist() if len(holding) <= max_products else ())
    return np.array(sorted(keys), np.int64)


def _holding(index: Words, words: tuple[str, ...], name: str) -> Ids:
    return np.fromstring(index.postings(words, name), np.int64, sep=",")


def _merge(parts: Sequence[Scored], combine: np.ufunc) -> Scored:
    """Return the sorted keys of all parts, with their scores combined by a ufunc, from 0."""
    if len(parts) == 1:
        return parts[0]
    keys = np.sort(np.concatenate([keys for keys, _ in parts]))
    keys = keys[np.diff(keys, prepend=-1) > 0]  # `np.unique` hashes them, which takes several times as long
    merged = np.zeros(len(keys), np.float32)
    for part_keys, scores in parts:
        places = np.searchsorted(keys, part_keys)
        merged[places] = combine(merged[places], scores)
    return keys, merged


def _top_places(values: Floats, limit: int) -> Ids:
    """Return the places of the largest values, largest first, equal ones in order."""
    places = np.arange(len(values))
    if len(values) > limit:
        lowest = np.partition(values, len(values) - limit)[len(values) - limit]
        above = np.flatnonzero(values > lowest)
        places = np.sort(np.concatenate([above, np.flatnonzero(values == lowest)[: limit - len(above)]]))
    return places[np.argsort(-values[places], kind="stable")]
