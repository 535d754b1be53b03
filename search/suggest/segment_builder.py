"""Build a segment of words from the titles and labels of products."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, levels_of
from catalog.text.tokenizer import normalise, tokenise, unspaced
from indexer.columns.fields import CURRENCY
from indexer.columns.label_columns import LabelColumn
from indexer.columns.product_table import spans
from indexer.types import Floats, Ids
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns
from search.suggest.text_units import BREAK, WordNumbers
from search.suggest.unspaced_words import UnspacedWords
from search.suggest.word_segment import Numbers, WordSegment

MAX_LABEL = 80  # characters; a longer value is prose, not a label
MAX_LEARNT_TITLES = 10_000  # titles from which the words of scripts without spaces are learnt
CODE_FIELD_FROM = 20  # labels from which a field of labels that are nearly all different holds codes
SHORT = 3  # letters of a word that may be one between others: "of", "und", "для"
PROSE = "description"
_ONE_WITH_DIGIT = re.compile(r"(?=\S*\d)\S+")
_CODE = re.compile(r"(?=\S*\d)(?:\S{6,}|\S*[-_/#]\S*)")  # "table-lamp-3", not "750ml"

Parts = list[tuple[Ids, Ids, Numbers]]  # texts of products: their places, the lengths of their texts, and these


def build_segment(columns: ProductColumns, titles: Iterable[tuple[int, str]]) -> WordSegment:
    """Return the words of all products of the columns; `titles` has the title of each key."""
    titles = list(titles)
    fields = _fields(columns)
    numbers = WordNumbers(_unspaced_words([title for _, title in titles], fields))
    parts: Parts = [_read_titles(numbers, columns, titles)]
    parts += [_read_labels(numbers, name, column) for name, column in fields.items()]
    return _assembled(columns, numbers, parts)


def _fields(columns: ProductColumns) -> dict[str, LabelColumn]:
    """Return the fields whose labels are read: not prose, and not codes, which are nearly all different."""
    fields = {}
    for name, column in columns.labels.items():
        labels = column.texts()
        if name == CURRENCY or PROSE in name or not labels:
            continue
        different = len(labels) >= CODE_FIELD_FROM and 2 * len(labels) > len(column.rows)
        if not (different and all(_ONE_WITH_DIGIT.fullmatch(label) for label in labels[:100])):
            fields[name] = column
    return fields


def _unspaced_words(titles: Sequence[str], fields: Mapping[str, LabelColumn]) -> UnspacedWords:
    labels = {run for column in fields.values() for text in column.texts() for run in _runs(text)}
    step = max(1, len(titles) // MAX_LEARNT_TITLES)
    texts = [*titles[::step]]
    for name, column in fields.items():
        if "title" in name:  # a title in another language is no word, but it has some
            names = column.texts()
            labels -= {run for text in names for run in _runs(text)}
            texts += names[:: max(1, len(names) // MAX_LEARNT_TITLES)]
    return UnspacedWords.learn((run for text in texts for run in _runs(text)), labels)


def _runs(text: str) -> Iterator[str]:
    if unspaced(text):
        yield from (piece for _, _, piece in tokenise(normalise(text)) if unspaced(piece))


def _read_titles(
    numbers: WordNumbers, columns: ProductColumns, titles: Sequence[tuple[int, str]]
) -> tuple[Ids, Ids, Numbers]:
    places = columns.ordinals(np.array([key for key, _ in titles], np.int64))
    texts, lengths = array("i"), []
    for _, title in titles:
        words = numbers.read(title)
        texts.extend(words)
        lengths.append(len(words))
    known = places >= 0
    sizes = np.array(lengths, np.int64)
    found = np.array(texts, np.int32)
    return places[known], sizes[known], found[np.repeat(known, sizes)]


def _read_labels(numbers: WordNumbers, name: str, column: LabelColumn) -> tuple[Ids, Ids, Numbers]:
    texts, lengths = array("i"), []
    counts = np.bincount(column.codes, minlength=len(column.words))
    for code, label in enumerate(column.words.texts[: len(counts)]):
        words: list[int] = []
        if counts[code] and len(label) <= MAX_LABEL and "://" not in label and not _CODE.fullmatch(label):
            words = numbers.read(levels_of(label)[-1] if name == CATEGORY else label)
        texts.extend(words)
        lengths.append(len(words))
    sizes = np.array(lengths, np.int64)
    starts = np.cumsum(sizes) - sizes
    flat = np.array(texts, np.int32)
    held = sizes[column.codes]
    return column.rows.astype(np.int64), held, flat[spans(starts[column.codes], held)]


def _assembled(columns: ProductColumns, numbers: WordNumbers, parts: Parts) -> WordSegment:
    places = np.concatenate([np.repeat(places, lengths) for places, lengths, _ in parts])
    texts = np.concatenate([words for _, _, words in parts])
    order = np.argsort(places, kind="stable")
    places, texts = places[order], texts[order]
    unsorted = list(numbers.numbers)
    by_word = sorted(range(len(unsorted)), key=unsorted.__getitem__)
    words = [unsorted[number] for number in by_word]
    ranks = np.empty(len(words) + 1, np.int32)
    ranks[by_word] = np.arange(len(words))
    ranks[BREAK] = BREAK
    texts = ranks[texts]
    size, count = len(columns), len(words)
    pairs = _pairs(texts, places, size)
    holders = (pairs % max(1, size)).astype(np.int32)
    counts = np.bincount(pairs // max(1, size), minlength=count)
    own = np.bincount(places, minlength=size)
    whole = np.array([number in numbers.whole or unspaced(unsorted[number]) for number in by_word], np.bool_)
    segment = WordSegment(
        words=words,
        spellings=_spellings(numbers, words, counts.tolist()),
        visible=whole,
        title_shares=_title_shares(parts[0], ranks, counts, size),
        keys=columns.keys,
        ids=columns.ids[np.arange(size)],
        by_id=columns.by_id.astype(np.int64),
        holders=holders,
        starts=np.append(0, np.cumsum(counts)),
        texts=np.append(texts, np.int32(BREAK)),
        text_starts=np.append(0, np.cumsum(own)),
        present=np.ones(size, np.bool_),
        counts=counts,
        kinds=_deepest(columns.labels_of(CATEGORY), size),
        kind_names=columns.labels_of(CATEGORY).words.texts,
        lineage=columns.lineage,
    )
    return segment.without(np.flatnonzero(~columns.present))


def _pairs(words: Numbers, places: Ids, size: int) -> Ids:
    """Return word times `size` plus product for each product that holds a word, in order."""
    pairs = np.sort(words[words != BREAK].astype(np.int64) * max(1, size) + places[words != BREAK])
    return pairs[np.diff(pairs, prepend=-1) > 0]  # `np.unique` hashes them, which takes longer


def _title_shares(titles: tuple[Ids, Ids, Numbers], ranks: Numbers, counts: Ids, size: int) -> Floats:
    """Return the share of each word's products that have it in their titles."""
    places, lengths, words = titles
    pairs = _pairs(ranks[words], np.repeat(places, lengths), size)
    held = np.bincount(pairs // max(1, size), minlength=len(counts))
    return (held / np.maximum(counts, 1)).astype(np.float32)


def _spellings(numbers: WordNumbers, words: Sequence[str], counts: Sequence[int]) -> dict[str, str]:
    spelled = ((word, numbers.spelling(word, count)) for word, count in zip(words, counts, strict=True))
    return {word: spelling for word, spelling in spelled if spelling != word}


def _deepest(column: LabelColumn, size: int) -> Numbers:
    """Return the number of each product's deepest category, one more than the largest number where it has none."""
    kinds = np.full(size, len(column.words), np.int32)
    depths = np.array([text.count(CATEGORY_SEPARATOR) for text in column.words.texts[: len(column.words)]], np.int64)
    order = np.argsort(depths[column.codes], kind="stable")
    kinds[column.rows[order]] = column.codes[order]  # of several, the last one stays
    return kinds
