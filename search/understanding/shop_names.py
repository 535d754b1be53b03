"""The names of a shop: which kinds, attribute values and brands its words stand for.

Names of kinds are its category names, in every language that it has, and the head nouns of its titles. Nothing here is
a list of ours: a shop that calls its jugs "pitchers" is understood when it is asked for pitchers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from indexer.columns.fields import HEAD
from indexer.columns.label_columns import LabelColumn
from search.language.detection import speaks
from search.language.stems import is_form, stem
from search.language.terms import GERMAN
from search.query.filters import ATTRIBUTE, BRAND, CATEGORY, COLOUR
from search.state.column_store import ProductColumns
from search.state.listed_colours import LISTED_VALUES
from search.understanding.question_words import EMPTY_WORDS, PREPOSITIONS, UNSPACED_ENDINGS, name_keys
from search.understanding.understood import KindRef, ValueRef
from search.understanding.world_kinds import names_of_kinds

MAX_NAME_WORDS = 8
MAX_VALUES = 500  # labels of an attribute; one with more holds texts or numbers
MIN_PRODUCTS = 2.0  # products a label, on average, from which its words stand for it: others are texts
MAX_VALUE_WORDS = 6
LAST_WORD = 0.95  # confidence of a category by the last word of its name: "lamp" for "Table lamps"
HEAD_NOUN = 0.9  # confidence of a kind by the head noun of titles
MIN_HEAD_SHARE = 0.8  # share of the products with a head noun that one category must have to be called by it
MIN_OWN_SHARE = 0.3  # share of that category's products that the noun must name
MIN_HEAD_PRODUCTS = 3
MIN_HEAD, MIN_MODIFIER = 4, 3  # letters of a German compound's parts
LISTED, PART = 0.9, 0.5  # quality of one of a label's several values ("navy" of "ivory and navy"), and of a word in it
CATEGORY_ATTRIBUTES = tuple(ATTRIBUTE + name for name in ("category", "product_type", "google_product_category"))

# Attributes that hold texts or numbers of one product, or name the group of its variants.
_NO_VALUES = re.compile(
    r"attributes\.(?:title|description|item_group_id|group|id|sku|gtin|ean|mpn|code|link|url|image|custom_label)"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name stands for: kinds, attribute values, or both ("glass")."""

    kinds: tuple[KindRef, ...] = ()
    values: tuple[ValueRef, ...] = ()


class ShopNames:
    """The names of a shop at one state. Never changes; threads share it."""

    def __init__(self, columns: ProductColumns) -> None:
        values = _value_names(columns)
        kinds = _category_names(columns)
        for key, refs in _head_names(columns, {*values, *kinds}).items():
            kinds.setdefault(key, refs)
        self._names = {key: Meaning(tuple(kinds.get(key, ())), tuple(values.get(key, ()))) for key in {*kinds, *values}}
        self.longest = min(MAX_NAME_WORDS, max(map(len, self._names), default=0))
        self._in_languages: dict[str, ShopNames] = {}

    def find(self, words: tuple[str, ...]) -> Meaning | None:
        """Return what a name stands for; None when it is no name of the shop."""
        return self._names.get(words)

    def in_language(self, language: str) -> ShopNames:
        """Return the names as those of a language, in which a name is also found by a form of it: "tassen", "tasse"."""
        if language not in self._in_languages:
            self._in_languages[language] = _LanguageNames(self._names, self.longest, language)
        return self._in_languages[language]


class _LanguageNames(ShopNames):
    """The names of a shop, by their words and by the stems of these; a German kind also as the end of a compound."""

    def __init__(self, names: Mapping[tuple[str, ...], Meaning], longest: int, language: str) -> None:
        self._names, self.longest, self._language = dict(names), longest, language
        self._in_languages = {}
        self._by_stem: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        words = {word for key in names for word in key}
        if speaks(words, language):  # a Spanish "vaso" is no form of an English "vase"
            for key in names:
                self._by_stem[self._stems(key)].append(key)

    def find(self, words: tuple[str, ...]) -> Meaning | None:
        """Return what a name stands for, the name as it is before one of which the words are forms."""
        if (meaning := self._names.get(words)) is not None or any(word in PREPOSITIONS for word in words):
            return meaning
        for key in self._by_stem.get(self._stems(words), ()):
            if all(map(is_form, words, key)):
                return self._names[key]
        return self._compound(words[0]) if self._language == GERMAN and len(words) == 1 else None

    def _compound(self, word: str) -> Meaning | None:
        """Return the kind that the end of a compound names: a Kaffeetasse is a Tasse."""
        for at in range(MIN_MODIFIER, len(word) - MIN_HEAD + 1):
            for key in self._by_stem.get((stem(word[at:], self._language),), ()):
                if len(key[0]) >= MIN_HEAD and is_form(word[at:], key[0]) and self._names[key].kinds:
                    kinds = (replace(ref, confidence=ref.confidence * LAST_WORD) for ref in self._names[key].kinds)
                    return Meaning(tuple(kinds))
        return None

    def _stems(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(stem(word, self._language) for word in words)


def _category_names(columns: ProductColumns) -> dict[tuple[str, ...], list[KindRef]]:
    exact: defaultdict[tuple[str, ...], list[KindRef]] = defaultdict(list)
    by_last: defaultdict[tuple[str, ...], list[KindRef]] = defaultdict(list)
    for field, labels in columns.labels.items():
        if field != CATEGORY and not field.startswith(CATEGORY_ATTRIBUTES):
            continue
        for label in labels.texts():
            name = label.rpartition(CATEGORY_SEPARATOR.strip())[2].strip()
            for key in _variants(name):
                exact[key].append(KindRef(field, label))
                if len(key) > 1 and not PREPOSITIONS.intersection(key):
                    for size in range(1, len(key)):
                        by_last[key[size:]].append(KindRef(field, label, LAST_WORD))
    names = {key: _deepest(refs) for key, refs in exact.items()}
    for key, refs in by_last.items():
        if key not in names and not EMPTY_WORDS.issuperset(key) and not UNSPACED_ENDINGS.issuperset(key):
            names[key] = _deepest(refs)
    return names


def _variants(name: str) -> Iterator[tuple[str, ...]]:
    """Yield a name's words, and those of each name in it: "Perfume and Body Mist" is also "Perfume"."""
    yield from name_keys(name)
    parts = LISTED_VALUES.split(name)
    if len(parts) > 1:
        for part in parts:
            yield from name_keys(part)


def _deepest(refs: Iterable[KindRef]) -> list[KindRef]:
    """Return the kinds without those that only contain another one of the same name: "Socks > Socks" is one kind."""
    unique = list(dict.fromkeys(refs))
    return [
        ref
        for ref in unique
        if not any(other.label.startswith(ref.label + CATEGORY_SEPARATOR) for other in unique if other is not ref)
    ]


def _head_names(columns: ProductColumns, taken: set[tuple[str, ...]]) -> dict[tuple[str, ...], list[KindRef]]:
    """Return the kinds that head nouns of titles name, where no category or attribute value has that name."""
    heads, categories = columns.labels_of(HEAD), columns.labels_of(CATEGORY)
    if not heads.size:
        return {}
    place = np.full(len(columns), -1, np.int64)
    depths = np.array([text.count(CATEGORY_SEPARATOR) for text in categories.words.texts], np.int64)
    order = np.argsort(depths[categories.codes], kind="stable") if len(categories.codes) else np.zeros(0, np.int64)
    place[categories.rows[order]] = categories.codes[order]  # the deepest is written last
    sizes = np.bincount(place[place >= 0], minlength=len(depths)) if len(depths) else np.zeros(0, np.int64)
    own = place[heads.rows]
    pairs, counts = np.unique(heads.codes.astype(np.int64) * (len(depths) + 1) + own + 1, return_counts=True)
    codes, own = pairs // (len(depths) + 1), pairs % (len(depths) + 1) - 1
    totals = np.bincount(codes, weights=counts, minlength=len(heads.words.texts))
    names: dict[tuple[str, ...], list[KindRef]] = {}
    for code, category, count in zip(codes.tolist(), own.tolist(), counts.tolist(), strict=True):
        key = next(name_keys(heads.words.texts[code]), ())
        if not key or key in taken or EMPTY_WORDS.issuperset(key):
            continue
        if count < MIN_HEAD_PRODUCTS or count < MIN_HEAD_SHARE * totals[code]:
            continue  # one word in a title, or one that ends titles of all kinds: "pack", "black"
        refs = names.setdefault(key, [KindRef(HEAD, heads.words.texts[code], HEAD_NOUN)])
        if category >= 0 and count >= MIN_OWN_SHARE * sizes[category]:
            refs.append(KindRef(CATEGORY, categories.text(category), HEAD_NOUN))
    return names


def _value_names(columns: ProductColumns) -> dict[tuple[str, ...], list[ValueRef]]:
    best: defaultdict[tuple[str, ...], dict[tuple[str, str], float]] = defaultdict(dict)
    for field, labels in columns.labels.items():
        if not _is_attribute(field, labels):
            continue
        split = field == COLOUR or (field != BRAND and MIN_PRODUCTS * labels.size <= labels.entries)
        for label in labels.texts():
            for key, quality in _value_keys(label, split):
                known = best[key]
                known[field, label] = max(known.get((field, label), 0.0), quality)
    return {
        key: [ValueRef(field, label, quality) for (field, label), quality in sorted(refs.items(), key=_by_quality)]
        for key, refs in best.items()
    }


def _by_quality(item: tuple[tuple[str, str], float]) -> tuple[float, tuple[str, str]]:
    return -item[1], item[0]


def _is_attribute(field: str, labels: LabelColumn) -> bool:
    if field in (BRAND, COLOUR):
        return True
    if not field.startswith(ATTRIBUTE) or field.startswith(CATEGORY_ATTRIBUTES) or _NO_VALUES.match(field):
        return False
    return 0 < labels.size <= MAX_VALUES


def _value_keys(label: str, split: bool) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield the names of a label with their quality: the whole, each of several values, and each word of a value."""
    for whole in name_keys(label):
        if len(whole) <= MAX_VALUE_WORDS and not all(word.isdigit() for word in whole):
            yield whole, 1.0
    if not split:
        return
    parts = LISTED_VALUES.split(label)
    for part in parts:
        for key in name_keys(part):
            if any(map(str.isdigit, key)) or len(key) > MAX_VALUE_WORDS or EMPTY_WORDS.issuperset(key):
                continue
            if len(parts) > 1:
                yield key, LISTED
            if len(key) > 1:
                yield from (
                    ((word,), PART) for place, word in enumerate(key, 1) if _stands_alone(word, place == len(key))
                )


def _stands_alone(word: str, is_last: bool) -> bool:
    """Return whether a word of a value has its meaning: "blue" of "sky blue", but not "bottle" of "bottle green"."""
    if len(word) < 2 or not word.isalpha() or word in EMPTY_WORDS or word in PREPOSITIONS:
        return False
    return is_last or (word,) not in names_of_kinds()
