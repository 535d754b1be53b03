"""Score products by how much of a text their own texts hold, from the word index.

A product's score is the share of the text's information that its own texts hold. The information of a word is the
logarithm of how few products have it (IDF): "red" says little, "samovar" much. A match in a description counts less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, reduce

import numpy as np

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import id_code
from catalog.text.quantities import quantity_of
from catalog.text.scripts import is_pictograph
from catalog.text.tokenizer import code, codes, forms, normalise, unspaced
from indexer.columns.product_table import sorted_places
from indexer.types import Floats, Ids, Mask
from search.language.concepts import Alternative, Concept
from search.query.compounds import KnowsWord, cannot_tell
from search.query.glossary import Glossary
from search.query.negation import DENYING, DENYING_CHARACTERS, denies, joined_denials
from search.retrieval.text_reading import MAX_CONCEPTS, TextAnalysis, TextReader
from search.words.scored import Scored, common_places, merge
from search.words.word_lookup import CatalogueWords, WordLookup

MAX_HITS = 1_000
DEFAULT_SHARE = 0.5  # share of the text score in the sum with the vector's score, for a query of text alone
MAX_DENIALS = 128  # products whose texts are read to see whether they are without something
RARE_SHARE = 0.001  # a model number is in at most this share of products, or in RARE_PRODUCTS if more
RARE_PRODUCTS = 10
COMPOUND_CONFIDENCE = 0.6  # of a product that has a compound of the word: behind those that have the word itself

# Letters with digits, or at least five digits; not a number with a few letters ("500ml"), a side ("w120") nor a year.
_MODEL = re.compile(r"(?=.*\d)(?!\d+(?:[.,]\d+)?[a-z]{0,3}$|[whdlbt]\d{1,3}$)[\w.,]{3,}|\d{5,}")

Held = Callable[[Sequence[str]], Scored]  # the products that have one of some words


@dataclass(frozen=True, eq=False)
class LexicalHits:
    """The products that hold words of a text, with its share that each holds; the best of them first, ties by key.

    The first ones are `exact`, with a score of 1.
    """

    all_keys: Ids  # sorted, of every product that holds any word of the text; or of all products
    all_scores: Floats  # 0 to 1
    exact_keys: Ids  # sorted, of those whose id, brand, article or model number is in the text
    limit: int

    @cached_property
    def any(self) -> bool:
        """Whether a product holds a word of the text."""
        return bool(self.all_scores.any())

    @property
    def keys(self) -> Ids:
        """The keys of the best `limit` products (n,)."""
        return self.all_keys[self._best]

    @property
    def scores(self) -> Floats:
        """Their scores (n,)."""
        return self.all_scores[self._best]

    @property
    def exact(self) -> Mask:
        """Which of them are exact (n,)."""
        return np.isin(self.keys, self.exact_keys)

    @cached_property
    def _best(self) -> Ids:
        held = np.flatnonzero(self.all_scores)
        return held[top_places(self.all_scores[held] + np.isin(self.all_keys[held], self.exact_keys), self.limit)]

    def scores_of(self, keys: Ids) -> Floats:
        """Return the scores of these products, float32 (n,): 0 for those that hold no word of the text."""
        if keys is self.all_keys:
            return self.all_scores
        places = sorted_places(self.all_keys, keys)
        scores = np.zeros(len(keys), np.float32)
        scores[places >= 0] = self.all_scores[places[places >= 0]]
        return scores


class Lexicon:
    """The words of a shop's products. Threads share it.

    They are looked up in the words that a caller has of one state of the shop, or in the catalogue's own index.
    """

    def __init__(self, catalogue: Catalogue, glossary: Glossary) -> None:
        self._catalogue = catalogue
        self._reader = TextReader(glossary)

    def read(
        self,
        text: str,
        knows: KnowsWord = cannot_tell,
        language: str | None = None,
        words: WordLookup | None = None,
    ) -> TextAnalysis:
        """Analyse a text: glossary terms, corrections of words that no product and no term has, and compounds.

        The language is that which the text's own words show where none is given.
        """
        with self._words(words) as index:
            return self._reader.read(text, index, knows, language)

    def language_of(self, typed: str, text: str, words: WordLookup | None = None) -> str:
        """Return the language of a text as typed that looks for a `text`: what it shows, and what the shop has."""
        with self._words(words) as index:
            return self._reader.language_of(typed, text, index)

    def has_word(self, word: str, words: WordLookup | None = None) -> bool:
        """Return whether a product has a word in any form, or the glossary translates it."""
        with self._words(words) as index:
            return self._reader.has_word(word, index)

    def search(
        self,
        analysis: TextAnalysis,
        limit: int = MAX_HITS,
        allowed_keys: Ids | None = None,
        words: WordLookup | None = None,
    ) -> LexicalHits:
        """Return the best `limit` products that hold words of the text, and the scores of all; of `allowed_keys`."""
        with self._words(words) as index:
            products = index.products()
            exact = _exact(index, analysis.text, products)
            held = cache(index.scored)  # of a word's forms, which many alternatives may have
            scored = _score_concepts(held, analysis.rewritten.concepts[:MAX_CONCEPTS], products, index.size)
            scored = merge([scored, Scored.of(exact, 1.0)], np.maximum, index.size) if len(exact) else scored
            exact_keys = index.keys_of(exact)
            keys, scores = index.keys, scored.scores
            if index.size is not None:
                scores = scored.dense(index.size)
            elif scored.places is not None:
                keys = index.keys_of(scored.places)
        if allowed_keys is not None:
            allowed = np.isin(keys, allowed_keys)
            keys, scores = keys[allowed], scores[allowed]
        return LexicalHits(keys, scores, exact_keys, limit)

    def denied_by(
        self, analysis: TextAnalysis, hits: LexicalHits, preferred: Ids, words: WordLookup | None = None
    ) -> Ids:
        """Return the sorted keys of products whose texts say that they are without what a text names.

        `hits` are those of the text. The texts of at most MAX_DENIALS products are read, the `preferred` ones first.
        """
        phrases = _phrases(analysis)
        joined = tuple(word for phrase in phrases if phrase.isalpha() for word in joined_denials(phrase))
        with self._words(words) as index:
            denying = index.keys_of(index.scored((*DENYING, *DENYING_CHARACTERS)).sparse()[0])
            denied = set(index.keys_of(index.scored(joined).sparse()[0]).tolist()) if joined else set()
        candidates = denying[hits.scores_of(denying) > 0]
        candidates = np.concatenate([preferred[np.isin(preferred, candidates)], np.setdiff1d(candidates, preferred)])
        for key, product in self._catalogue.get_many(candidates[:MAX_DENIALS].tolist()).items():
            texts = (product.title, product.description, product.category, *product.attributes.values())
            if any(denies(text, phrase) for text in texts for phrase in phrases):
                denied.add(key)
        return np.array(sorted(denied), np.int64)

    @contextmanager
    def _words(self, words: WordLookup | None) -> Iterator[WordLookup]:
        if words is not None:
            yield words
            return
        with self._catalogue.words() as index:
            yield CatalogueWords(index)


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


def _score_concepts(held: Held, concepts: tuple[Concept, ...], products: int, size: int | None) -> Scored:
    """Return every product that holds part of the concepts, with the share of their information that it holds."""
    parts: list[Scored] = []
    weights: list[np.float32] = []
    total = 0.0
    for concept in concepts:
        scored = [_score_alternative(held, way, products, size) for way in _distinct(concept.alternatives)]
        if concept.compounds:
            found = held(concept.compounds).times(np.float32(COMPOUND_CONFIDENCE))
            holding = len(found)
            scored.append((_information(holding, products), bool(holding), found))
        information = next((weight for weight, complete, _ in scored if complete), scored[0][0])
        shares = merge([part for *_, part in scored], np.maximum, size)
        if is_pictograph(concept.word) and not len(shares):
            continue  # most pictographs in a query decorate it
        total += information
        parts.append(shares)
        weights.append(np.float32(information))
    if not total:
        return Scored.none()
    merged = merge(parts, np.add, size, weights)
    is_own = all(merged.scores is not part.scores for part in parts)
    return merged.share_of(np.float32(total), is_own)


def _distinct(ways: Sequence[Alternative]) -> Iterable[Alternative]:
    """Return alternatives without those that say the same as others with no more confidence: "men" for "men"."""
    most: dict[tuple[tuple[str, ...], bool], Alternative] = {}
    for way in ways:
        known = most.setdefault((way.words, way.indivisible), way)
        if way.confidence > known.confidence:
            most[way.words, way.indivisible] = way
    return most.values()


def _score_alternative(held: Held, way: Alternative, products: int, size: int | None) -> tuple[float, bool, Scored]:
    """Return an alternative's information, whether all its words are known, and the share that each product holds."""
    found = [held(forms(word)) for word in way.words]
    counts = [len(scored) for scored in found]
    weights = [_information(count, products) for count in counts]
    total = sum(weights)
    shares = [np.float32(way.confidence * weight / total) for weight in weights]
    if way.indivisible:
        whole = reduce(common_places, [scored.sparse()[0] for scored in found])
        found = [scored.among(whole) for scored in found]
    return total, all(counts), merge(found, np.add, size, shares)


def _information(holding: int, products: int) -> float:
    return math.log(1.0 + (1.0 + products) / max(holding, 1))


def _exact(index: WordLookup, text: str, products: int) -> Ids:
    """Return the places of products whose id or brand the text is, or whose article or model number is in it."""
    normalised = normalise(text)
    whole = code(normalised)
    keys = set(index.holding((id_code(normalised), *codes(text)), "code").tolist() if whole else ())
    max_products = max(RARE_PRODUCTS, RARE_SHARE * products)
    for token in dict.fromkeys(normalised.split()):
        number = code(token)
        if number == whole or not any(map(str.isdigit, number)):
            continue
        keys.update(index.holding((id_code(number),), "code").tolist())
        if _MODEL.fullmatch(number) and not ((quantity := quantity_of(token)) and quantity.measured):
            for name in ("code", "name"):
                holding = index.holding((number,), name)
                keys.update(holding.tolist() if len(holding) <= max_products else ())
    return np.array(sorted(keys), np.int64)


def top_places(values: Floats, limit: int) -> Ids:
    """Return the places of the largest values, largest first, equal ones in order."""
    places = np.arange(len(values))
    if len(values) > limit:
        lowest = np.partition(values, len(values) - limit)[len(values) - limit]
        above = np.flatnonzero(values > lowest)
        places = np.sort(np.concatenate([above, np.flatnonzero(values == lowest)[: limit - len(above)]]))
    return places[np.argsort(-values[places], kind="stable")]
