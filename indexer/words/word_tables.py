"""Write a catalogue's word index as mapped arrays into a generation's folder, and open them.

Words stand in the order of their bytes. A word has an entry for each product that has it: the product's ordinal, which
is its place among all keys, and the fields that have the word. So a look-up reads neither SQLite nor other words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import WORD_COLUMNS, Words, current_analysis
from indexer.generations.manifest import damaged
from indexer.types import Ids, Mask

WORDS_FILE, WORD_STARTS_FILE = "words.npy", "word_starts.npy"
ENTRY_STARTS_FILE, ENTRY_PRODUCTS_FILE, ENTRY_FIELDS_FILE = "word_entries.npy", "word_products.npy", "word_fields.npy"
WORD_KEYS_FILE = "word_keys.npy"
WORD_NOTES_FILE = "words.json"  # how the words were made
FORMAT = 1
FIELD_BITS = {name: 1 << number for number, name in enumerate(WORD_COLUMNS)}  # of an entry's fields
BATCH_OCCURRENCES = 10_000  # that are read at once; more take no less time, and their memory stays in pieces
KNOWN_NUMBERS = 65_536  # words whose places in the order stay in memory
_END = b"\n"  # behind each word; no word has it
ID_BEGINS, _ID_ENDS = "=", ">"  # words of ids begin with the former; the latter is the next character

_ZERO, _NINE = b"09"

Ordinals = NDArray[np.integer[Any]]  # int32 in the files
Fields = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class WordArrays:
    """What the files hold: letters of the words, where each begins and its entries do, the entries, and all keys."""

    letters: NDArray[np.uint8]
    word_starts: Ids
    entry_starts: Ids
    products: Ordinals
    fields: Fields
    keys: Ids

    def write(self, folder: Path) -> None:
        """Write the files into the folder of a generation."""
        arrays: dict[str, NDArray[Any]] = {
            WORDS_FILE: self.letters,
            WORD_STARTS_FILE: self.word_starts,
            ENTRY_STARTS_FILE: self.entry_starts,
            ENTRY_PRODUCTS_FILE: self.products,
            ENTRY_FIELDS_FILE: self.fields,
            WORD_KEYS_FILE: self.keys,
        }
        for name, array in arrays.items():
            np.save(folder / name, array, allow_pickle=False)
        (folder / WORD_NOTES_FILE).write_text(json.dumps(_notes()), encoding="utf-8")


def read_words(catalogue: Catalogue) -> WordArrays:
    """Return the words of the catalogue's word index, as this thread reads it."""
    keys = np.array(catalogue.keys(), np.int64)
    words, counts = bytearray(), [np.zeros(1, np.int64)]
    lengths = [np.zeros(1, np.int64)]
    products, fields = [np.zeros(0, np.int32)], [np.zeros(0, np.uint8)]
    with catalogue.words() as index:
        for batch, sizes, numbers in _batches(index):
            owners = np.repeat(np.arange(len(batch)), sizes)
            pairs = owners * (int(keys[-1]) + 1 if len(keys) else 1) + (numbers >> 2)
            first = np.flatnonzero(np.diff(pairs, prepend=-1))  # of each word and product
            bits = np.left_shift(1, numbers & 3).astype(np.uint8)
            products.append(np.searchsorted(keys, numbers[first] >> 2).astype(np.int32))
            fields.append(np.bitwise_or.reduceat(bits, first))
            counts.append(np.bincount(owners[first], minlength=len(batch)))
            encoded = [word.encode() + _END for word in batch]
            lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
            words += b"".join(encoded)
    return WordArrays(
        letters=np.frombuffer(words, np.uint8),
        word_starts=np.cumsum(np.concatenate(lengths)),
        entry_starts=np.cumsum(np.concatenate(counts)),
        products=np.concatenate(products),
        fields=np.concatenate(fields),
        keys=keys,
    )


def _notes() -> dict[str, object]:
    """Return what a generation's words must have been made by, so that those of a question are among them."""
    return {"format": FORMAT, "analysis": current_analysis()}


def _batches(index: Words) -> Iterator[tuple[list[str], list[int], Ids]]:
    """Yield some words at a time, with the number of occurrences of each, and all of these."""
    words: list[str] = []
    sizes: list[int] = []
    texts: list[str] = []
    waiting = 0
    for word, size, text in index.occurrences():
        words.append(word)
        sizes.append(size)
        texts.append(text)
        waiting += size
        if waiting >= BATCH_OCCURRENCES:
            yield words, sizes, np.fromstring(",".join(texts), np.int64, sep=",")
            words, sizes, texts, waiting = [], [], [], 0
    if words:
        yield words, sizes, np.fromstring(",".join(texts), np.int64, sep=",")


class WordTables:
    """The words of all products of a generation. Never changes; threads share it."""

    def __init__(self, folder: Path) -> None:
        """Map the files. Raises DamagedGeneration."""
        try:
            self.letters: NDArray[np.uint8] = _mapped(folder, WORDS_FILE)
            self.starts: Ids = _mapped(folder, WORD_STARTS_FILE)
            self.entry_starts: Ids = _mapped(folder, ENTRY_STARTS_FILE)
            self.products: Ordinals = _mapped(folder, ENTRY_PRODUCTS_FILE)
            self.fields: Fields = _mapped(folder, ENTRY_FIELDS_FILE)
            self.keys: Ids = _mapped(folder, WORD_KEYS_FILE)  # sorted, of all products
        except (OSError, EOFError, ValueError) as error:
            raise damaged(str(folder / WORDS_FILE), f"the words cannot be read ({error})") from error
        if len(self.starts) != len(self.entry_starts) or len(self.products) != len(self.fields):
            raise damaged(str(folder / WORDS_FILE), "the arrays of words are not of one length")
        if not len(self.starts) or self.starts[-1] != len(self.letters) or self.entry_starts[-1] != len(self.products):
            raise damaged(str(folder / WORDS_FILE), "the arrays of words do not belong together")
        self._words = memoryview(self.letters.data)
        self._word_starts = memoryview(self.starts.data)
        self.number: Callable[[str], int] = lru_cache(maxsize=KNOWN_NUMBERS)(self._number)

    @classmethod
    def open(cls, folder: Path) -> WordTables | None:
        """Return the words of a generation. Raises DamagedGeneration.

        None where there are none as this version makes them: another tokeniser, or another version of Unicode, has
        other words for the same text.
        """
        path = folder / WORD_NOTES_FILE
        try:
            notes = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        except (OSError, ValueError) as error:
            raise damaged(str(path), f"it cannot be read ({error})") from error
        return cls(folder) if notes == _notes() else None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def entries(self, number: int) -> tuple[Ordinals, Fields]:
        """Return the ordinals, ascending, of the products that have a word, and in which fields."""
        first, end = int(self.entry_starts[number]), int(self.entry_starts[number + 1])
        return self.products[first:end], self.fields[first:end]

    def count(self, number: int) -> int:
        """Return the number of products that have a word."""
        return int(self.entry_starts[number + 1] - self.entry_starts[number])

    def vocabulary(self, everything: bool = False, gone: Mask | None = None) -> list[tuple[str, int]]:
        """Return every word and the number of products that have it, in order.

        Without `everything`, codes of one product are left out: the words of ids, and rare words with a digit. `gone`
        masks the products, by ordinal, that do not count; but a code is rare by the number of all products.
        """
        counts = every = np.diff(self.entry_starts)
        if gone is not None and len(counts):
            counts = counts - np.add.reduceat(gone[self.products].astype(np.int64), self.entry_starts[:-1])
        letters = np.frombuffer(self._words, np.uint8)
        if not everything and len(counts):
            digits = (letters >= _ZERO) & (letters <= _NINE)
            listed = (every > 1) | ~np.logical_or.reduceat(digits, self.starts[:-1])
            listed[self.position(ID_BEGINS) : self.position(_ID_ENDS)] = False
            letters = letters[np.repeat(listed, np.diff(self.starts))]
            counts = counts[listed]
        words = letters.tobytes().decode().split(_END.decode())[:-1]
        return list(zip(words, counts.tolist(), strict=True))

    def _number(self, word: str) -> int:
        at = self.position(word)
        return at if at < len(self) and self._word(at) == word.encode(errors="surrogatepass") else -1

    def position(self, word: str) -> int:
        """Return the number of the first word that does not come before another one."""
        wanted = word.encode(errors="surrogatepass")
        first, end = 0, len(self)
        while first < end:
            middle = (first + end) // 2
            if self._word(middle) < wanted:
                first = middle + 1
            else:
                end = middle
        return first

    def _word(self, number: int) -> bytes:
        return bytes(self._words[self._word_starts[number] : self._word_starts[number + 1] - 1])


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    return np.asarray(np.load(folder / name, mmap_mode="r", allow_pickle=False))  # a plain array is quicker to cut
