"""Which products' own texts say what was asked, and how much of it: the word index, asked and scored.

A product's score is the share of the question's information that its texts hold. A word's information is the logarithm
of how few products have it (its idf): "red" says little, "samovar" much. What only a description says counts less.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import Words, id_code
from catalog.text.tokenizer import code, forms, normalise, tokenise, unspaced
from search.query.glossary import Alternative, Concept, Glossary, Replacement, RewrittenText
from search.query.spelling import SpellingVocabulary

LIMIT = 1_000
WEIGHT = 0.5  # of this score in the sum with the vector's, for words alone
MAX_CONCEPTS = 32  # of a question: the first ones count
FIELDS = {"name": 1.0, "kind": 1.0, "text": 0.8}  # what a word counts by where it stands
RARE = 0.001  # the share of products (and at least RARE_PRODUCTS) that may have a model number for it to be one
RARE_PRODUCTS = 10
FRESH_SECONDS = 10.0  # for which a vocabulary is used although the shop has changed

# Letters with digits, or at least five digits; not a quantity ("500ml") nor a year.
_MODEL = re.compile(r"(?=.*\d)(?!\d+(?:[.,]\d+)?[a-z]{0,3}$)[\w.,]{3,}|\d{5,}")

Keys = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that no product has, and the one that was taken instead."""

    word: str
    used: str


@dataclass(frozen=True, slots=True)
class TextAnalysis:
    """How a question's words were understood: as they were asked, and after the glossary and corrections."""

    asked: str
    applied: RewrittenText
    corrections: tuple[Correction, ...] = ()

    @property
    def encoder_words(self) -> str:
        """What the encoder is to read."""
        return self.applied.encoder_words

    @property
    def replaced(self) -> tuple[Replacement, ...]:
        """What the glossary put in the place of what."""
        return self.applied.replaced


@dataclass(frozen=True, slots=True, eq=False)
class LexicalHits:
    """The best products, ties by key: keys int64 (n,), scores float32 (n,) in 0 to 1, exact bool (n,).

    `exact` are those whose id, brand, article or model number was asked for: they come first, with a score of 1.
    `all_keys`, rising, and `all_scores` are those of every product that holds anything of what was asked.
    """

    keys: Keys
    scores: Scores
    exact: NDArray[np.bool_]
    all_keys: Keys
    all_scores: Scores

    def scores_of(self, keys: Keys) -> Scores:
        """The score of each of these products, float32 (n,): 0 for those that hold nothing of what was asked."""
        if not len(self.all_keys):
            return np.zeros(len(keys), np.float32)
        place = np.minimum(np.searchsorted(self.all_keys, keys), len(self.all_keys) - 1)
        return np.where(self.all_keys[place] == keys, self.all_scores[place], np.float32(0.0))


@dataclass(slots=True)
class _Postings:
    """Which products hold a word, each asked for once: keys, rising, and what the word counts in each."""

    words: Words
    found: dict[str, tuple[Keys, Scores]] = field(default_factory=dict)

    def of(self, word: str) -> tuple[Keys, Scores]:
        if word not in self.found:
            self.found[word] = _most([(_holding(self.words, forms(word), name), c) for name, c in FIELDS.items()])
        return self.found[word]


class Lexicon:
    """A shop's words, ready to be asked. Shared by threads."""

    def __init__(self, catalogue: Catalogue, glossary: Glossary) -> None:
        self._catalogue = catalogue
        self._glossary = glossary
        self._lock = threading.Lock()
        self._vocabulary = SpellingVocabulary(())
        self._seq = -1
        self._read_at = -math.inf

    def read(self, words: str) -> TextAnalysis:
        """Understand a question's words: find the glossary's terms, and correct what no product and no term has."""
        applied = self._glossary.apply(words)
        with self._catalogue.words() as index:
            corrections = tuple(self._corrections(index, applied))
        if not corrections:
            return TextAnalysis(words, applied)
        corrected = _replaced(words, {one.word: one.used for one in corrections})
        return TextAnalysis(words, self._glossary.apply(corrected), corrections)

    def search(self, reading: TextAnalysis, limit: int = LIMIT, allowed_keys: Keys | None = None) -> LexicalHits:
        """The products that hold what was asked: the best `limit`, and the scores of all; only of `allowed_keys`."""
        with self._catalogue.words() as index:
            products = index.products()
            exact = _exact(index, reading.asked, products)
            keys, scores = _scored(_Postings(index), reading.applied.concepts[:MAX_CONCEPTS], products)
        keys, scores = _best([(keys, scores), (exact, np.ones(len(exact), np.float32))])
        if allowed_keys is not None:
            kept = np.isin(keys, allowed_keys)
            keys, scores = keys[kept], scores[kept]
        flagged = np.isin(keys, exact)
        best = _leading(scores + flagged, limit)
        return LexicalHits(keys[best], scores[best], flagged[best], keys, scores)

    def _corrections(self, index: Words, applied: RewrittenText) -> Iterator[Correction]:
        for concept in applied.concepts[:MAX_CONCEPTS]:
            word = concept.ways[0].words[0]
            if concept.listed or len(concept.ways[0].words) > 1 or unspaced(word) or index.known(forms(word)):
                continue
            nearest = self._current(index).nearest(word)
            if nearest not in (None, *forms(word)):
                yield Correction(word, str(nearest))

    def _current(self, index: Words) -> SpellingVocabulary:
        """The shop's vocabulary, read again when the shop has changed since, but not with every change."""
        with self._lock:
            now, seq = time.monotonic(), index.seq()
            if seq != self._seq and now - self._read_at >= FRESH_SECONDS:
                known = dict(index.vocabulary())
                listed = (word for word in self._glossary.english if self._leads_to(word, known))
                counts = dict.fromkeys(listed, 0) | known
                self._vocabulary = SpellingVocabulary(sorted(counts.items()))
                self._seq, self._read_at = seq, now
            return self._vocabulary

    def _leads_to(self, word: str, known: Mapping[str, int]) -> bool:
        """Whether a word of the glossary stands for something that a product has."""
        ways = (way for concept in self._glossary.apply(word).concepts for way in concept.ways)
        return any(all(any(form in known for form in forms(each)) for each in way.words) for way in ways)


def _replaced(words: str, corrections: Mapping[str, str]) -> str:
    folded, at, pieces = normalise(words), 0, []
    for start, end, piece in tokenise(folded):
        pieces += [folded[at:start], corrections.get(piece, piece)]
        at = end
    return "".join((*pieces, folded[at:]))


def _scored(postings: _Postings, concepts: tuple[Concept, ...], products: int) -> tuple[Keys, Scores]:
    """Every product that holds anything of the concepts, and the share of their information that it holds."""
    held: list[tuple[Keys, Scores]] = []
    total = 0.0
    for concept in concepts:
        ways = [_way(postings, way, products) for way in concept.ways]
        information = next((weight for weight, complete, *_ in ways if complete), ways[0][0])
        total += information
        keys, shares = _best([(keys, shares) for _, _, keys, shares in ways])
        held.append((keys, shares * np.float32(information)))
    if not total:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    keys, sums = _sum(held)
    return keys, np.minimum(sums / np.float32(total), np.float32(1.0))


def _way(postings: _Postings, way: Alternative, products: int) -> tuple[float, bool, Keys, Scores]:
    """A way's information, whether each of its words is known, and the share of it that each product holds."""
    found = [postings.of(word) for word in way.words]
    complete = all(len(keys) for keys, _ in found)
    weights = [_information(len(keys), products) for keys, _ in found]
    total = sum(weights)
    shares = [way.sure * weight / total for weight in weights]
    keys, held = _sum([(keys, counts * np.float32(share)) for (keys, counts), share in zip(found, shares, strict=True)])
    return total, complete, keys, held


def _information(holding: int, products: int) -> float:
    return math.log(1.0 + (1.0 + products) / max(holding, 1))


def _exact(index: Words, words: str, products: int) -> Keys:
    """The keys of the products whose id or brand the words are, or whose article or model number is among them."""
    folded = normalise(words)
    whole = code(folded)
    found: set[int] = set()
    if whole:
        found.update(_holding(index, (id_code(folded), whole), "code").tolist())
    rare = max(RARE_PRODUCTS, RARE * products)
    for token in dict.fromkeys(folded.split()):
        number = code(token)
        if number == whole or not any(map(str.isdigit, number)):
            continue
        found.update(_holding(index, (id_code(number),), "code").tolist())
        if _MODEL.fullmatch(number):
            for name in ("code", "name"):
                keys = _holding(index, (number,), name)
                found.update(keys.tolist() if len(keys) <= rare else ())
    return np.array(sorted(found), np.int64)


def _holding(index: Words, words: tuple[str, ...], name: str) -> Keys:
    return np.fromstring(index.postings(words, name), np.int64, sep=",")


def _most(held: Sequence[tuple[Keys, float]]) -> tuple[Keys, Scores]:
    """The keys of all, rising, each with the largest number it is given."""
    keys = _union([keys for keys, _ in held])
    most = np.zeros(len(keys), np.float32)
    for some, number in sorted(held, key=lambda one: one[1]):
        most[np.searchsorted(keys, some)] = number
    return keys, most


def _best(held: Sequence[tuple[Keys, Scores]]) -> tuple[Keys, Scores]:
    """The keys of all, rising, each with its largest score."""
    if len(held) == 1:
        return held[0]
    keys = _union([keys for keys, _ in held])
    best = np.zeros(len(keys), np.float32)
    for some, scores in held:
        place = np.searchsorted(keys, some)
        best[place] = np.maximum(best[place], scores)
    return keys, best


def _sum(held: Sequence[tuple[Keys, Scores]]) -> tuple[Keys, Scores]:
    """The keys of all, rising, each with the sum of its scores."""
    if len(held) == 1:
        return held[0]
    keys = _union([keys for keys, _ in held])
    total = np.zeros(len(keys), np.float32)
    for some, scores in held:
        total[np.searchsorted(keys, some)] += scores
    return keys, total


def _leading(values: Scores, limit: int) -> Keys:
    """The places of the largest values, largest first, equal ones in order."""
    places = np.arange(len(values))
    if len(values) > limit:
        least = np.partition(values, len(values) - limit)[len(values) - limit]
        above = np.flatnonzero(values > least)
        places = np.sort(np.concatenate([above, np.flatnonzero(values == least)[: limit - len(above)]]))
    return places[np.argsort(-values[places], kind="stable")]


def _union(held: Sequence[Keys]) -> Keys:
    """Every key once, rising. numpy's own unique hashes them, which takes several times as long."""
    keys = np.sort(np.concatenate(held))
    return keys[np.diff(keys, prepend=-1) > 0]
