"""Build a segment of words from the titles and labels of products."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.product import levels_of
from catalog.text.tokenizer import normalise, tokenise, unspaced
from indexer.types import Ids, Mask
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns, spans
from search.state.label_columns import CURRENCY, LabelColumn
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


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    column: LabelColumn
    has_codes: bool

    def is_code(self, label: str) -> bool:
        return self.has_codes or _CODE.fullmatch(label) is not None


def build_segment(columns: ProductColumns, titles: Iterable[tuple[int, str]]) -> WordSegment:
    """Return the words of all products of the columns; `titles` has the title of each key."""
    titles = list(titles)
    fields = _fields(columns)
    numbers = WordNumbers(_unspaced_words([title for _, title in titles], fields))
    parts: Parts = [_read_titles(numbers, columns, titles)]
    parts += [_read_labels(numbers, field, codes=False) for field in fields]
    shown = len(numbers.numbers)
    parts += [_read_labels(numbers, field, codes=True) for field in fields]
    return _assembled(columns, numbers, parts, shown)


def _fields(columns: ProductColumns) -> list[_Field]:
    """Return the fields whose labels are read; one of labels that are nearly all different has codes."""
    fields = []
    for name, column in columns.labels.items():
        labels = column.texts()
        if name == CURRENCY or PROSE in name or not labels:
            continue
        different = len(labels) >= CODE_FIELD_FROM and 2 * len(labels) > len(column.rows)
        has_codes = different and all(_ONE_WITH_DIGIT.fullmatch(label) for label in labels[:100])
        fields.append(_Field(name, column, has_codes))
    return fields


def _unspaced_words(titles: Sequence[str], fields: Sequence[_Field]) -> UnspacedWords:
    labels = {run for field in fields for text in field.column.texts() for run in _runs(text)}
    step = max(1, len(titles) // MAX_LEARNT_TITLES)
    texts = [*titles[::step]]
    for field in fields:
        if "title" in field.name:  # a title in another language is no word, but it has some
            names = field.column.texts()
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


def _read_labels(numbers: WordNumbers, field: _Field, *, codes: bool) -> tuple[Ids, Ids, Numbers]:
    """Return the words of the labels that are codes, or of those that are not."""
    column = field.column
    texts, lengths = array("i"), []
    counts = np.bincount(column.codes, minlength=len(column.words))
    for code, label in enumerate(column.words.texts[: len(counts)]):
        words: list[int] = []
        if counts[code] and len(label) <= MAX_LABEL and "://" not in label and field.is_code(label) == codes:
            words = numbers.read(levels_of(label)[-1] if field.name == CATEGORY else label)
        texts.extend(words)
        lengths.append(len(words))
    sizes = np.array(lengths, np.int64)
    starts = np.cumsum(sizes) - sizes
    flat = np.array(texts, np.int32)
    held = sizes[column.codes]
    return column.rows.astype(np.int64), held, flat[spans(starts[column.codes], held)]


def _assembled(columns: ProductColumns, numbers: WordNumbers, parts: Parts, shown: int) -> WordSegment:
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
    is_code = np.array(by_word, np.int64) >= shown
    texts = ranks[texts]
    size, count = len(columns), len(words)
    pairs = np.unique(texts[texts != BREAK].astype(np.int64) * max(1, size) + places[texts != BREAK])
    holders = (pairs % max(1, size)).astype(np.int32)
    counts = np.bincount(pairs // max(1, size), minlength=count)
    own = np.bincount(places, minlength=size)
    segment = WordSegment(
        words=words,
        spellings=_spellings(numbers, words, counts.tolist()),
        visible=~is_code & ~_between(words, texts),
        keys=columns.keys,
        ids=columns.ids,
        by_id=columns.by_id,
        holders=holders,
        starts=np.append(0, np.cumsum(counts)),
        texts=texts,
        text_starts=np.append(0, np.cumsum(own)),
        present=np.ones(size, np.bool_),
        counts=counts,
    )
    return segment.without(np.flatnonzero(~columns.present))


def _spellings(numbers: WordNumbers, words: Sequence[str], counts: Sequence[int]) -> dict[str, str]:
    spelled = ((word, numbers.spelling(word, count)) for word, count in zip(words, counts, strict=True))
    return {word: spelling for word, spelling in spelled if spelling != word}


def _between(words: Sequence[str], texts: Numbers) -> Mask:
    """Return the mask of short words that stand between others only, as prepositions and conjunctions do."""
    edge = np.ones(len(words) + 1, np.bool_)
    edge[:-1] = [len(word) > SHORT or unspaced(word) for word in words]
    breaks = texts == BREAK
    if not len(texts):
        return ~edge[:-1]
    edge[texts[np.append(True, breaks[:-1])]] = True
    edge[texts[np.append(breaks[1:], True)]] = True
    return ~edge[:-1]
