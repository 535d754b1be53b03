"""Build a segment of words from the titles and labels of products."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, levels_of
from catalog.text.tokenizer import normalise, tokenise, unspaced
from indexer.columns.fields import CATEGORY, CURRENCY
from indexer.columns.label_columns import LabelColumn
from indexer.columns.product_table import ShopTable, spans
from indexer.columns.text_column import TextColumn
from indexer.suggestions.product_mask import Bits, ProductMask
from indexer.suggestions.sorted_words import SortedWords
from indexer.suggestions.text_units import BREAK, WordNumbers
from indexer.suggestions.unspaced_words import UnspacedWords
from indexer.suggestions.word_segment import Numbers, WordSegment
from indexer.types import Floats, Ids

MAX_LABEL = 80  # characters; a longer value is prose, not a label
MAX_LEARNT_TITLES = 10_000  # titles from which the words of scripts without spaces are learnt
CODE_FIELD_FROM = 20  # labels from which a field of labels that are nearly all different holds codes
SHORT = 3  # letters of a word that may be one between others: "of", "und", "для"
PROSE = "description"
DENSE_SHARE = 32  # of all products, one in so many, from which a word has a bit for each product instead of a list
MIN_DENSE = 4_096  # products from which words are dense
_ONE_WITH_DIGIT = re.compile(r"(?=\S*\d)\S+")
_CODE = re.compile(r"(?=\S*\d)(?:\S{6,}|\S*[-_/#]\S*)")  # "table-lamp-3", not "750ml"

Parts = list[tuple[Ids, Ids, Numbers]]  # texts of products: their places, the lengths of their texts, and these


def build_segment(table: ShopTable, titles: Iterable[tuple[int, str]]) -> WordSegment:
    """Return the words of all products of a table; `titles` has the title of each key."""
    titles = list(titles)
    fields = _fields(table)
    numbers = WordNumbers(_unspaced_words([title for _, title in titles], fields))
    parts: Parts = [_read_titles(numbers, table, titles)]
    parts += [_read_labels(numbers, name, column) for name, column in fields.items()]
    return _assembled(table, numbers, parts)


def _fields(table: ShopTable) -> dict[str, LabelColumn]:
    """Return the fields whose labels are read: not prose, and not codes, which are nearly all different."""
    fields = {}
    for name, column in table.labels.items():
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


def _read_titles(numbers: WordNumbers, table: ShopTable, titles: Sequence[tuple[int, str]]) -> tuple[Ids, Ids, Numbers]:
    places = table.ordinals(np.array([key for key, _ in titles], np.int64))
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


def _assembled(table: ShopTable, numbers: WordNumbers, parts: Parts) -> WordSegment:
    size = len(table)
    unsorted = list(numbers.numbers)
    by_word = sorted(range(len(unsorted)), key=unsorted.__getitem__)
    words = [unsorted[number] for number in by_word]
    ranks = np.empty(len(words) + 1, np.int32)
    ranks[by_word] = np.arange(len(words))
    ranks[BREAK] = BREAK
    texts, text_starts = _joined(parts, ranks, size)
    holders, counts = _holders(texts, text_starts, len(words), size)
    is_dense = (counts * DENSE_SHARE >= size) & (size >= MIN_DENSE)
    listed = np.where(is_dense, 0, counts)
    whole = [number in numbers.whole or unspaced(unsorted[number]) for number in by_word]
    spelled = _spellings(numbers, words, counts.tolist())
    kinds = table.labels.get(CATEGORY) or LabelColumn.empty()
    segment = WordSegment(
        words=SortedWords.of(words),
        spelled=np.array([*spelled], np.int32),
        spellings=TextColumn.of(spelled.values()),
        visible=np.array(whole, np.bool_),
        title_shares=_title_shares(parts[0], ranks, counts, size),
        table=table,
        holders=holders[np.repeat(~is_dense, counts)],
        starts=np.append(0, np.cumsum(listed)),
        dense=np.flatnonzero(is_dense).astype(np.int32),
        bits=_bits(holders, counts, is_dense, size),
        texts=texts,
        text_starts=text_starts,
        present=ProductMask.of(np.ones(size, np.bool_)),
        counts=counts,
        kinds=_deepest(kinds, size),
        kind_names=kinds.words.texts[: len(kinds.words)],
        lineage=table.lineage,
    )
    return segment.without(np.flatnonzero(~table.present))


def _joined(parts: Parts, ranks: Numbers, size: int) -> tuple[Numbers, Ids]:
    """Return the texts of all products one after another with a BREAK behind the last, and where each one's start."""
    lengths = sum((np.bincount(places, sizes, size) for places, sizes, _ in parts), np.zeros(size)).astype(np.int64)
    starts = np.append(0, np.cumsum(lengths))
    texts = np.full(int(starts[-1]) + 1, BREAK, np.int32)
    free = starts[:-1].copy()
    for places, sizes, words in parts:
        before = np.cumsum(sizes) - sizes
        first = np.flatnonzero(np.diff(places, prepend=-1))  # of each product: one may come several times
        within = before - np.repeat(before[first], np.diff(first, append=len(places)))
        texts[spans(free[places] + within, sizes)] = ranks[words]
        free += np.bincount(places, sizes, size).astype(np.int64)
    return texts, starts


def _holders(texts: Numbers, text_starts: Ids, count: int, size: int) -> tuple[Numbers, Ids]:
    """Return the products that hold word 0, in order, then those of word 1 ..., and how many each of them has."""
    owners = np.repeat(np.arange(size), np.diff(text_starts))
    pairs = _pairs(texts[:-1], owners, size)
    words, products = np.divmod(pairs, max(1, size))
    return products.astype(np.int32), np.bincount(words, minlength=count)


def _bits(holders: Numbers, counts: Ids, is_dense: NDArray[np.bool_], size: int) -> Bits:
    """Return a bit for each product of each dense word: whether it holds the word."""
    ends = np.cumsum(counts)
    found = [np.zeros(0, np.uint64)]
    for number in np.flatnonzero(is_dense).tolist():
        mask = np.zeros(size, np.bool_)
        mask[holders[ends[number] - counts[number] : ends[number]]] = True
        found.append(ProductMask.of(mask).bits)
    return np.concatenate(found)


def _pairs(words: Numbers, places: Ids, size: int) -> Ids:
    """Return word times `size` plus product for each product that holds a word, in order."""
    known = words != BREAK
    pairs = words[known].astype(np.int64) * max(1, size) + places[known]
    pairs.sort()
    distinct: Ids = pairs[np.diff(pairs, prepend=-1) > 0]  # `np.unique` hashes them, which takes longer
    return distinct


def _title_shares(titles: tuple[Ids, Ids, Numbers], ranks: Numbers, counts: Ids, size: int) -> Floats:
    """Return the share of each word's products that have it in their titles."""
    places, lengths, words = titles
    pairs = _pairs(ranks[words], np.repeat(places, lengths), size)
    held = np.bincount(pairs // max(1, size), minlength=len(counts))
    return (held / np.maximum(counts, 1)).astype(np.float32)


def _spellings(numbers: WordNumbers, words: Sequence[str], counts: Sequence[int]) -> dict[int, str]:
    """Return the words that the shop writes in another way, by number."""
    spelled = (numbers.spelling(word, count) for word, count in zip(words, counts, strict=True))
    return {at: spelling for at, spelling in enumerate(spelled) if spelling != words[at]}


def _deepest(column: LabelColumn, size: int) -> Numbers:
    """Return the number of each product's deepest category, one more than the largest number where it has none."""
    kinds = np.full(size, len(column.words), np.int32)
    depths = np.array([text.count(CATEGORY_SEPARATOR) for text in column.words.texts[: len(column.words)]], np.int64)
    order = np.argsort(depths[column.codes], kind="stable")
    kinds[column.rows[order]] = column.codes[order]  # of several, the last one stays
    return kinds
