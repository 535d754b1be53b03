"""One request for suggestions: candidates from the segments of the vocabulary, ranked and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, levels_of
from catalog.text.tokenizer import normalise, singularise, unspaced
from indexer.columns.label_columns import LabelColumn
from indexer.suggestions.product_mask import ProductMask
from search.query.filters import BRAND, CATEGORY
from search.state.column_store import ProductColumns
from search.suggest.label_names import LabelNames
from search.suggest.ranking import best_products, says_nothing_alone, weights_of
from search.suggest.suggestions import BrandSuggestion, KindSuggestion, LoggedSearch, WordCandidate, WordSuggestion
from search.suggest.typed_text import JOINING_WORDS, TypedText, readings, words_of
from search.suggest.typing_mistakes import near_spellings
from search.suggest.vocabulary import ShopVocabulary

SPARE = 4  # words that are looked at for each that is suggested
CHINESE = "zh"
RARE_MENDED = 0.05  # share of the best mended word's products, below which another is no better than a mistake
MAX_RANKED = 5_000  # products among which the best are chosen, by stock and the beginning of the title
MAX_LOGGED = 20  # logged searches that begin with a text and are looked at


@dataclass(slots=True)
class SuggestRequest:
    """What one request looks at; `logged` has earlier searches by their normalised texts, the most frequent first."""

    vocabulary: ShopVocabulary
    columns: ProductColumns
    limit: int
    logged: Mapping[str, LoggedSearch]
    is_function_word: Callable[[str], bool]  # whether the search leaves a word out
    _known: dict[tuple[str, ...], list[ProductMask]] = field(default_factory=dict)  # the products that hold words

    def read(self, text: str) -> tuple[TypedText | None, list[WordCandidate]]:
        """Return the way to read a text for which there are candidates, and these, best first."""
        first: TypedText | None = None
        for reading in readings(text, self.vocabulary):
            first = first or reading
            if found := self._completions(reading):
                return reading, found
        return first, self._mended(first) if first is not None else []

    def words(self, text: str, candidates: Sequence[WordCandidate]) -> tuple[WordSuggestion, ...]:
        """Return the texts to suggest: logged searches that begin as the text does, and the candidates."""
        found: dict[tuple[str, ...], tuple[float, WordSuggestion]] = {}
        spaced = any(map(str.isspace, text.strip()))
        own = [(candidate.weight, self._suggestion(candidate, spaced)) for candidate in candidates]
        for weight, word in (*((logged.products, logged) for logged in self._logged(text)), *own):
            key = tuple(map(singularise, normalise(word.text).split()))
            found.setdefault(key, (weight * (1 + word.occasions), word))
        typed = normalise(text.strip())
        ranked = sorted(
            found.values(), key=lambda pair: (pair[1].corrected, normalise(pair[1].text) != typed, -pair[0])
        )
        return tuple(word for _, word in ranked[: self.limit])

    def frequent_searches(self) -> tuple[WordSuggestion, ...]:
        """Return the most frequent logged searches that find something now."""
        return tuple(self._logged("")[: self.limit])

    def kinds(self, words: Sequence[str]) -> tuple[KindSuggestion, ...]:
        """Return the categories whose names have the beginnings of the words, the largest first."""
        found = self._labels(self.columns.labels_of(CATEGORY), self.vocabulary.kinds, words)
        listed = set(found)
        own = (label for label in found if not (_repeats_parent(label[0]) and (_parent(label[0]), label[1]) in listed))
        return tuple(KindSuggestion(text, count) for text, count in own)

    def brands(self, words: Sequence[str]) -> tuple[BrandSuggestion, ...]:
        """Return the brands whose names have the beginnings of the words, the largest first."""
        found = self._labels(self.columns.labels_of(BRAND), self.vocabulary.brands, words)
        return tuple(BrandSuggestion(text, count) for text, count in found)

    def largest_kinds(self) -> tuple[KindSuggestion, ...]:
        """Return the categories without subcategories that have the most products."""
        column = self.columns.labels_of(CATEGORY)
        totals = np.where(self.vocabulary.kinds.leaves(len(column.totals)), column.totals, 0)
        largest = [code for code in np.argsort(-totals, kind="stable")[: self.limit].tolist() if totals[code]]
        return tuple(KindSuggestion(column.text(code), int(totals[code])) for code in largest)

    def products(self, text: str, reading: TypedText | None, candidates: Sequence[WordCandidate]) -> list[int]:
        """Return the keys of products: those whose ids begin with the text, then those that hold its words."""
        keys = self._with_id(text.strip())
        if reading is None:
            return keys[: self.limit]
        words, prefix = reading.words, reading.prefix
        if candidates and candidates[0].corrected:
            *before, prefix = candidates[0].words
            words = tuple(before)
        for segment, among in zip(self.vocabulary.segments, self._holding(words), strict=True):
            bounds = segment.range_of(prefix)
            places = segment.with_prefix(among, bounds, MAX_RANKED) if prefix else among.places[:MAX_RANKED]
            keys += best_products(segment, self.columns, places, bounds, self.limit)
        return list(dict.fromkeys(keys))[: self.limit]

    def _completions(self, reading: TypedText, corrected: bool = False) -> list[WordCandidate]:
        """Return texts that go on as the reading does, those that most products hold first."""
        if reading.words and not self._products_with(reading.words):
            return []
        if not reading.prefix:
            return self._continued(reading.words, corrected)
        found = self._counted(reading.words, self._words_from(reading.words, [reading.prefix]), corrected)
        if len(found) < self.limit and (exact := [c for c in found if c.words[-1] == reading.prefix]):
            found += self._continued(exact[0].words, corrected)
        return found

    def _continued(self, words: tuple[str, ...], corrected: bool) -> list[WordCandidate]:
        """Return the texts that follow some words in the texts of products; a preposition has a word behind it."""
        found = self._of_kinds(words, corrected)
        for candidate in self._counted(words, self._following(words), corrected, with_joining=True):
            if self._joins(candidate.words[-1]):
                behind = self._following(candidate.words)[:2]
                found += self._counted(candidate.words, behind, corrected)[:1]
            else:
                found.append(candidate)
        return found

    def _of_kinds(self, words: tuple[str, ...], corrected: bool) -> list[WordCandidate]:
        """Return the words with the names of the kinds that most products have which hold them: "red mug"."""
        counts: Counter[str] = Counter()
        for segment, among in zip(self.vocabulary.segments, self._holding(words), strict=True):
            counts.update(segment.kind_counts(among, self.limit + 2))
        found = []
        for path, _ in counts.most_common(self.limit + 2):
            kind = levels_of(path)[-1]
            if unspaced(words[-1]):
                kind = self.vocabulary.kinds.translated(kind, CHINESE) or kind
            named = tuple(map(singularise, words_of(kind, self.vocabulary)))
            repeats = words[-1] in kind if unspaced(words[-1]) else bool(set(named) & set(words))
            if named and not repeats and (products := self._products_with((*words, *named))):
                weight = float(weights_of(np.array([products]), self._title_shares(named[-1:]))[0])
                found.append(WordCandidate((*words, *named), products, weight, corrected))
        return sorted(found, key=lambda candidate: (-candidate.products, candidate.words))

    def _products_with(self, words: tuple[str, ...]) -> int:
        return sum(among.count for among in self._holding(words))

    def _following(self, words: tuple[str, ...]) -> list[str]:
        found: dict[str, None] = {}
        for segment, among in zip(self.vocabulary.segments, self._holding(words), strict=True):
            numbers = segment.following(among, words[-1], SPARE * self.limit)
            found.update(dict.fromkeys(segment.words[number] for number in numbers))
        return [word for word in found if word not in words]

    def _counted(
        self, before: tuple[str, ...], words: Sequence[str], corrected: bool, with_joining: bool = False
    ) -> list[WordCandidate]:
        listed = [word for word in words if before or not says_nothing_alone(word)]
        listed = [word for word in listed if with_joining or not self._joins(word)]
        counts = np.zeros(len(listed), np.int64)
        for segment, among in zip(self.vocabulary.segments, self._holding(before), strict=True):
            numbers = segment.words.numbers(listed)
            known = np.flatnonzero(numbers >= 0)
            counts[known] += segment.counts_among(among, numbers[known]) if before else segment.counts[numbers[known]]
        weights = weights_of(counts, self._title_shares(listed))
        counted = zip(listed, counts.tolist(), weights.tolist(), strict=True)
        found = [WordCandidate((*before, word), count, weight, corrected) for word, count, weight in counted if count]
        names = self.vocabulary.kinds.names
        found.sort(key=lambda candidate: (-candidate.weight, not names(candidate.words[-1]), candidate.words))
        return found

    def _title_shares(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return the largest share of the products with each word that have it in their titles, among the segments."""
        shares = np.zeros(len(words))
        for segment in self.vocabulary.segments:
            numbers = segment.words.numbers(words)
            known = np.flatnonzero(numbers >= 0)
            shares[known] = np.maximum(shares[known], segment.title_shares[numbers[known]])
        return shares

    def _mended(self, reading: TypedText) -> list[WordCandidate]:
        """Return candidates for a text with a typing mistake in a complete word, or in the beginning of the last."""
        words = tuple(self._nearest(word) if self._is_unknown(word) else word for word in reading.words)
        if not all(words):
            return []
        found = self._completions(TypedText(words, reading.prefix), True) if words != reading.words else []
        if found or not reading.prefix:
            return found
        near = [*dict.fromkeys(near_spellings(reading.prefix, self.vocabulary.alphabet))]
        found = self._counted(words, self._words_from(words, near), True)
        found = [candidate for candidate in found if candidate.products >= RARE_MENDED * found[0].products]
        found.sort(key=lambda candidate: candidate.words[-1][0] != reading.prefix[0])
        return found

    def _words_from(self, before: tuple[str, ...], prefixes: Sequence[str]) -> list[str]:
        """Return words that begin with one of some texts, of each text those most frequent where the words before are.

        A segment gives its own most frequent ones.
        """
        found: dict[str, None] = {}
        masks = self._holding(before) if before else [None for _ in self.vocabulary.segments]
        for segment, among in zip(self.vocabulary.segments, masks, strict=True):
            first, end = segment.words.ranges(prefixes)
            for at in np.flatnonzero(end > first).tolist():
                bounds = int(first[at]), int(end[at])
                numbers = segment.completions(among, bounds, SPARE * self.limit)
                found.update(dict.fromkeys(segment.words[number] for number in numbers))
        return [*found]

    def _joins(self, word: str) -> bool:
        return word in JOINING_WORDS or self.is_function_word(word)

    def _nearest(self, word: str) -> str:
        """Return the most frequent word that is one mistake away, "" where there is none."""
        spellings = dict.fromkeys(near_spellings(word, self.vocabulary.alphabet))
        counts: Counter[str] = Counter()
        for segment in self.vocabulary.segments:
            counts.update(segment.known(list(spellings)))
        return min(filter(counts.get, counts), key=lambda near: (-counts[near], near), default="")

    def _is_unknown(self, word: str) -> bool:
        return not self.is_function_word(word) and not self._products_with((word,))

    def _holding(self, words: tuple[str, ...]) -> list[ProductMask]:
        """Return each segment's products that hold all words; words such as "for" are no condition."""
        found = self._known.get(words)
        if found is None:
            found = [segment.present for segment in self.vocabulary.segments]
            for word in [word for word in words if not self.is_function_word(word)] or words:
                if (word,) not in self._known:
                    self._known[word,] = [segment.holding(word) for segment in self.vocabulary.segments]
                pairs = zip(found, self._known[word,], self.vocabulary.segments, strict=True)
                found = [own if before is segment.present else before & own for before, own, segment in pairs]
            self._known[words] = found
        return found

    def _logged(self, text: str) -> list[WordSuggestion]:
        """Return the logged searches that begin as a text does, and find something now, the most frequent first."""
        beginning = " ".join(normalise(text).split())
        starting = [logged for words, logged in self.logged.items() if words.startswith(beginning)]
        found = []
        for logged in starting[:MAX_LOGGED]:
            words = words_of(logged.text, self.vocabulary)
            products = self._products_with(words) if words else 0
            if products and not all(map(self._joins, words)):
                found.append(WordSuggestion(logged.text, products, occasions=logged.occasions))
        return found

    def _suggestion(self, candidate: WordCandidate, spaced: bool) -> WordSuggestion:
        """Return a candidate as a text; words of scripts without spaces are joined where the typed text has none."""
        text = ""
        before = ""
        for word in candidate.words:
            space = " " if before and (spaced or not (unspaced(before) and unspaced(word))) else ""
            text += space + self._spelled(word)
            before = word
        logged = self.logged.get(normalise(text))
        return WordSuggestion(text, candidate.products, candidate.corrected, logged.occasions if logged else 0)

    def _spelled(self, word: str) -> str:
        return next(filter(None, (segment.spelling(word) for segment in self.vocabulary.segments)), word)

    def _labels(self, column: LabelColumn, names: LabelNames, words: Sequence[str]) -> list[tuple[str, int]]:
        found, _ = names.matching(words, self.vocabulary.alphabet)
        totals = column.totals
        counted = [(code, int(totals[code])) for code in found if code < len(totals) and totals[code]]
        labels = [(column.text(code), count) for code, count in counted]
        return sorted(labels, key=lambda label: (-label[1], label[0]))[: self.limit]

    def _with_id(self, text: str) -> list[int]:
        if not text or " " in text:
            return []
        found: list[int] = []
        for segment in self.vocabulary.segments:
            for prefix in dict.fromkeys((text, text.upper(), text.lower())):
                found += segment.table.keys[segment.ids_from(prefix, self.limit)].tolist()
        return found


def _parent(category: str) -> str:
    return category.rpartition(CATEGORY_SEPARATOR)[0]


def _repeats_parent(category: str) -> bool:
    """Return whether a category is named as the one above it: "Watches > Watches"."""
    return levels_of(category)[-2:-1] == levels_of(category)[-1:]
