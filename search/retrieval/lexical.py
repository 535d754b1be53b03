"""Score products by how much of a text their own texts hold, from the word index.

A product's score is the share of the text's information that its own texts hold. The information of a word is the
logarithm of how few products have it (IDF): "red" says little, "samovar" much. A match in a description counts less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce

import numpy as np

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import Words, id_code
from catalog.text.quantities import quantity_of
from catalog.text.scripts import is_pictograph
from catalog.text.tokenizer import code, codes, forms, normalise, unspaced
from indexer.types import Floats, Ids, Mask
from search.language.concepts import Alternative, Concept
from search.query.compounds import KnowsWord, cannot_tell
from search.query.glossary import Glossary
from search.query.negation import DENYING, DENYING_CHARACTERS, denies, joined_denials
from search.retrieval.text_reading import MAX_CONCEPTS, TextAnalysis, TextReader
from search.state.column_store import sorted_places

MAX_HITS = 1_000
DEFAULT_SHARE = 0.5  # share of the text score in the sum with the vector's score, for a query of text alone
ANY_FIELD = "{name kind text}"
MAX_DENIALS = 128  # products whose texts are read to see whether they are without something
FIELD_WEIGHTS = {"name": 1.0, "kind": 1.0, "text": 0.8}
RARE_SHARE = 0.001  # a model number is in at most this share of products, or in RARE_PRODUCTS if more
RARE_PRODUCTS = 10
COMPOUND_CONFIDENCE = 0.6  # of a product that has a compound of the word: behind those that have the word itself

# Letters with digits, or at least five digits; not a number with a few letters ("500ml"), a side ("w120") nor a year.
_MODEL = re.compile(r"(?=.*\d)(?!\d+(?:[.,]\d+)?[a-z]{0,3}$|[whdlbt]\d{1,3}$)[\w.,]{3,}|\d{5,}")

Scored = tuple[Ids, Floats]  # keys in order, each with its score
Postings = Callable[[str], Scored]


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
        self._reader = TextReader(glossary)

    def read(self, text: str, knows: KnowsWord = cannot_tell, language: str | None = None) -> TextAnalysis:
        """Analyse a text: glossary terms, corrections of words that no product and no term has, and compounds.

        The language is that which the text's own words show where none is given.
        """
        with self._catalogue.words() as index:
            return self._reader.read(text, index, knows, language)

    def language_of(self, typed: str, words: str) -> str:
        """Return the language of a text as typed that looks for words: what it shows, and what the shop has."""
        with self._catalogue.words() as index:
            return self._reader.language_of(typed, words, index)

    def has_word(self, word: str) -> bool:
        """Return whether a product has a word in any form, or the glossary translates it."""
        with self._catalogue.words() as index:
            return self._reader.has_word(word, index)

    def search(self, analysis: TextAnalysis, limit: int = MAX_HITS, allowed_keys: Ids | None = None) -> LexicalHits:
        """Return the best `limit` products that hold words of the text, and the scores of all; of `allowed_keys`."""
        with self._catalogue.words() as index:
            products = index.products()
            exact = _exact(index, analysis.text, products)
            postings = cache(partial(_postings, index))  # of a word, which many alternatives may have
            compounds = partial(_any_of, index)
            scored = _score_concepts(postings, compounds, analysis.rewritten.concepts[:MAX_CONCEPTS], products)
        keys, scores = _merge([scored, (exact, np.ones(len(exact), np.float32))], np.maximum)
        if allowed_keys is not None:
            allowed = np.isin(keys, allowed_keys)
            keys, scores = keys[allowed], scores[allowed]
        is_exact = np.isin(keys, exact)
        best = _top_places(scores + is_exact, limit)
        return LexicalHits(keys[best], scores[best], is_exact[best], keys, scores)

    def denied_by(self, analysis: TextAnalysis, hits: LexicalHits, preferred: Ids) -> Ids:
        """Return the sorted keys of products whose texts say that they are without what a text names.

        `hits` are those of the text. The texts of at most MAX_DENIALS products are read, the `preferred` ones first.
        """
        phrases = _phrases(analysis)
        joined = tuple(word for phrase in phrases if phrase.isalpha() for word in joined_denials(phrase))
        with self._catalogue.words() as index:
            denying = _holding(index, (*DENYING, *DENYING_CHARACTERS), ANY_FIELD)
            denied = set(_holding(index, joined, ANY_FIELD).tolist()) if joined else set()
        candidates = np.intersect1d(hits.all_keys, denying, assume_unique=True)
        candidates = np.concatenate([preferred[np.isin(preferred, candidates)], np.setdiff1d(candidates, preferred)])
        for key, product in self._catalogue.get_many(candidates[:MAX_DENIALS].tolist()).items():
            texts = (product.title, product.description, product.category, *product.attributes.values())
            if any(denies(text, phrase) for text in texts for phrase in phrases):
                denied.add(key)
        return np.array(sorted(denied), np.int64)


def _phrases(analysis: TextAnalysis) -> list[str]:
    """Return what a text names: itself, its last word, and the synonyms where it is one word.

    Of a text that says "without" itself (无线) the last word alone is the opposite.
    """
    if unspaced(analysis.text) and normalise(analysis.text)[0] in DENYING_CHARACTERS:
        return [analysis.text]
    concepts = analysis.rewritten.concepts
    phrases = [analysis.text, *(concept.word for concept in concepts[-1:])]
    if len(concepts) == 1:
        phrases += [" ".join(way.words) for way in concepts[0].alternatives if not unspaced("".join(way.words))]
    return list(dict.fromkeys(phrases))


def _postings(index: Words, word: str) -> Scored:
    return _any_of(index, forms(word))


def _any_of(index: Words, words: tuple[str, ...]) -> Scored:
    """Return the products that have one of the words."""
    holding = ((_holding(index, words, name), weight) for name, weight in FIELD_WEIGHTS.items())
    return _merge([(keys, np.full(len(keys), weight, np.float32)) for keys, weight in holding], np.maximum)


def _score_concepts(
    postings: Postings, compounds: Callable[[tuple[str, ...]], Scored], concepts: tuple[Concept, ...], products: int
) -> Scored:
    """Return every product that holds part of the concepts, with the share of their information that it holds."""
    parts: list[Scored] = []
    total = 0.0
    for concept in concepts:
        scored = [_score_alternative(postings, way, products) for way in concept.alternatives]
        if concept.compounds:
            keys, shares = compounds(concept.compounds)
            found = (keys, shares * np.float32(COMPOUND_CONFIDENCE))
            scored.append((_information(len(keys), products), bool(len(keys)), found))
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
    if way.indivisible:
        whole = reduce(np.intersect1d, [keys for keys, _ in held])
        parts = [(whole, scores[np.searchsorted(keys, whole)]) for keys, scores in parts]
    return total, all(len(keys) for keys, _ in held), _merge(parts, np.add)


def _information(holding: int, products: int) -> float:
    return math.log(1.0 + (1.0 + products) / max(holding, 1))


def _exact(index: Words, text: str, products: int) -> Ids:
    """Return the keys of products whose id or brand the text is, or whose article or model number is in it."""
    normalised = normalise(text)
    whole = code(normalised)
    keys = set(_holding(index, (id_code(normalised), *codes(text)), "code").tolist() if whole else ())
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
