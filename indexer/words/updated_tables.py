"""Make the arrays of words from those of the generation before, where few products have changed since.

Unchanged products keep their entries, with new ordinals; the words of the others are computed from their texts. The
arrays are those that the catalogue's word index would give, to the byte.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import WORD_COLUMNS, words_of
from indexer.numeric import batches
from indexer.types import Ids
from indexer.words.word_tables import FIELD_BITS, WordArrays, WordTables

MAX_CHANGED_SHARE = 0.1  # of the products
PAGE_PRODUCTS = 500
MAX_WORD_BYTES, MAX_TEXT = 2_000, 250_000  # beyond them, a database may cut what it indexes
_WORD = re.compile(r"[0-9a-z.,=\x80-\U0010ffff]+")  # which every database takes as it is

Entries = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]  # numbers of words, ordinals of products, fields


def updated_words(before: WordTables, seq: int, catalogue: Catalogue) -> WordArrays | None:
    """Return the arrays of the catalogue as this thread reads it, from those as of its change `seq`.

    None where too many products have changed, or where one has words that a database may cut.
    """
    keys = np.array(catalogue.keys(), np.int64)
    changed = catalogue.keys_changed(seq)
    if not len(before) or not len(keys) or len(changed) > MAX_CHANGED_SHARE * len(keys):
        return None
    found = _words_of_changed(catalogue, changed, keys)
    if found is None:
        return None
    names = sorted(found)
    old = np.array([before.number(name.decode()) for name in names], np.int64)
    fresh = [name for name, number in zip(names, old.tolist(), strict=True) if number < 0]
    positions = np.array([before.position(name.decode()) for name in fresh], np.int64)
    shifted = np.arange(len(before)) + np.searchsorted(positions, np.arange(len(before)), side="right")
    numbers = shifted[old]
    numbers[old < 0] = positions + np.arange(len(fresh))
    added = _added(found, names, numbers)
    size = len(before) + len(fresh)
    counts, products, fields = _merged(_unchanged(before, keys, changed, shifted), added, size, len(keys))
    letters, lengths = before.letters, np.diff(before.starts)
    data = np.frombuffer(b"".join(name + b"\n" for name in fresh), np.uint8)
    new_lengths = np.array([len(name) + 1 for name in fresh], np.int64)
    letters = np.insert(letters, np.repeat(before.starts[positions], new_lengths), data)
    lengths = np.insert(lengths, positions, new_lengths)
    held = counts > 0
    return WordArrays(
        letters=letters[np.repeat(held, lengths)],
        word_starts=np.append(0, np.cumsum(lengths[held])),
        entry_starts=np.append(0, np.cumsum(counts[held])),
        products=products,
        fields=fields,
        keys=keys,
    )


def _words_of_changed(catalogue: Catalogue, changed: list[int], keys: Ids) -> dict[bytes, list[tuple[int, int]]] | None:
    """Return (ordinal, fields) of the changed products that have each word."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    products = (item for page in batches(changed, PAGE_PRODUCTS) for item in catalogue.get_many(page).items())
    for key, product in products:
        ordinal = int(np.searchsorted(keys, key))
        bits: dict[str, int] = {}
        for name, text in zip(WORD_COLUMNS, words_of(product), strict=True):
            if len(text) > MAX_TEXT:
                return None
            for word in filter(None, text.split(" ")):
                bits[word] = bits.get(word, 0) | FIELD_BITS[name]
        for word, fields in bits.items():
            encoded = word.encode()
            if len(encoded) > MAX_WORD_BYTES or not _WORD.fullmatch(word):
                return None
            found.setdefault(encoded, []).append((ordinal, fields))
    return found


def _added(found: dict[bytes, list[tuple[int, int]]], names: list[bytes], numbers: Ids) -> Entries:
    """Return the entries of the changed products, in the order of words and products."""
    owners = np.repeat(numbers, np.array([len(found[name]) for name in names], np.int64))
    pairs = np.array([pair for name in names for pair in found[name]], np.int64).reshape(-1, 2)
    order = np.lexsort((pairs[:, 0], owners))
    return owners[order], pairs[order, 0], pairs[order, 1]


def _unchanged(before: WordTables, keys: Ids, changed: list[int], shifted: Ids) -> Entries:
    """Return the entries of those products that are still there and have not changed."""
    places = np.minimum(np.searchsorted(keys, before.keys), len(keys) - 1)
    stays = (keys[places] == before.keys) & ~np.isin(before.keys, np.array(changed, np.int64))
    ordinals = np.where(stays, places, -1).astype(np.int32)[before.products]
    remaining = ordinals >= 0
    owners = np.repeat(shifted.astype(np.int32), np.diff(before.entry_starts))
    return owners[remaining], ordinals[remaining], before.fields[remaining]


def _merged(old: Entries, new: Entries, words: int, products: int) -> tuple[Ids, NDArray[np.int32], NDArray[np.uint8]]:
    """Return how many entries each word has, and products and fields of all entries, in order."""
    pairs, added = (owners.astype(np.int64) * products + ordinals for owners, ordinals, _ in (old, new))
    places = np.searchsorted(pairs, added)
    del pairs
    counts = np.bincount(old[0], minlength=words) + np.bincount(new[0], minlength=words)
    merged: list[NDArray[Any]] = [np.insert(old[part], places, new[part]) for part in (1, 2)]
    return counts, merged[0].astype(np.int32), merged[1].astype(np.uint8)
