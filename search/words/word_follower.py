"""Follow the changes of a shop's words: a generation's tables, and the words of the products that changed since."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from catalog.errors import GenerationError
from catalog.storage.catalogue import Catalogue
from indexer.columns.product_table import key_array
from indexer.generations.store import Generation
from indexer.types import Ids, Mask
from indexer.words.word_tables import WordTables
from search.state.change_replay import CHANGES_PER_STEP, MAX_REPLAYED_CHANGES
from search.state.column_store import ProductColumns
from search.words.changed_words import ChangedWords, WordsOfProduct, words_by_field
from search.words.served_words import ServedWords

FEW_CHANGED = 256  # changed products whose words are put in order at each change; the earlier ones when these are more

log = logging.getLogger(__name__)


class WordFollower:
    """The words of one generation, brought up to date with columns. Threads share it."""

    def __init__(self, tables: WordTables, seq: int) -> None:
        """Follow from change `seq` on, which the tables show."""
        self._tables = tables
        self._built = self._seq = seq
        self._lock = threading.Lock()
        self._changed: dict[int, WordsOfProduct] = {}  # by key
        self._known: dict[str, str] = {}  # words of these, each in memory once
        self._settled: tuple[object, ChangedWords, Ids] | None = None  # lineage of the places, words, keys
        self._recent: set[int] = set()  # keys that changed since
        self._words: ServedWords | None = None
        self._columns: ProductColumns | None = None

    @classmethod
    def open(cls, generation: Generation) -> WordFollower | None:
        """Return the words of a generation; None where it has none that can be read, or another analysis made them."""
        try:
            tables = WordTables.open(generation.folder)
        except GenerationError as error:
            log.warning("Words are looked up in the catalogue: %s", error)
            return None
        return None if tables is None else cls(tables, generation.manifest.seq)

    def at(self, columns: ProductColumns, catalogue: Catalogue) -> ServedWords | None:
        """Return the words as of the columns; None where the catalogue's own index has to be read."""
        with self._lock:
            if self._columns is not columns:
                self._words = self._ordered(columns) if self._follow(columns.seq, catalogue) else None
                self._columns = columns
            return self._words

    def _follow(self, seq: int, catalogue: Catalogue) -> bool:
        """Read the words of the products that changed up to a change; return whether that was possible."""
        if seq < self._seq and catalogue.seq < self._seq:  # an older catalogue has replaced the one that we knew
            self._forget(self._built)
        if max(seq, self._seq) - self._built > MAX_REPLAYED_CHANGES:  # also for earlier states: they come no more
            self._forget(max(seq, self._seq))
            return False
        if seq < self._built:
            return False
        while self._seq < seq:
            changes = catalogue.changes(self._seq, CHANGES_PER_STEP)
            found = catalogue.find(dict.fromkeys(change.product_id for change in changes))
            for key, product in found.values():
                words = words_by_field(product)
                self._changed[key] = {self._known.setdefault(word, word): bits for word, bits in words.items()}
            self._recent.update(key for key, _ in found.values())
            self._seq = changes[-1].seq if changes else seq
        return True

    def _forget(self, seq: int) -> None:
        """Forget what changed, and follow from change `seq` on."""
        self._changed, self._known, self._settled, self._recent, self._seq = {}, {}, None, set(), seq

    def _ordered(self, columns: ProductColumns) -> ServedWords:
        settled = self._settled
        if settled is None or settled[0] is not columns.lineage or len(self._recent) > FEW_CHANGED:
            words, keys = self._words_of(self._changed, columns)
            settled = self._settled = columns.lineage, words, keys
            self._recent = set(self._changed).difference(keys.tolist())  # of later columns
        _, words, keys = settled
        places = columns.ordinals(keys)
        if (places < 0).any():  # the columns are earlier than those that the words are in order for
            layers = [self._words_of(self._changed, columns)[0]]
        else:
            again = np.isin(keys, key_array(self._recent))
            layers = [replace(words, gone=places[again | ~columns.present[places]])]
            if self._recent:
                layers.append(self._words_of(self._recent, columns)[0])
        changed = columns.ordinals(key_array(self._changed))
        moved = self._moved(columns)
        is_whole = moved is None or not len(moved) or int(moved.min()) >= 0  # the columns have all of the tables
        return ServedWords(self._tables, columns, _stale(columns, changed, is_whole), moved, layers)

    def _words_of(self, keys: Iterable[int], columns: ProductColumns) -> tuple[ChangedWords, Ids]:
        """Return the words of the changed products that the columns have, by their ordinals, and their keys."""
        ordered = np.array(sorted(keys), np.int64)
        ordered = ordered[columns.has(ordered)]
        places = columns.ordinals(ordered).tolist()
        words = (self._changed[key] for key in ordered.tolist())
        return ChangedWords.of(zip(places, words, strict=True)), ordered

    def _moved(self, columns: ProductColumns) -> Ids | None:
        """Return the ordinals of the tables' products in the columns; None where they are the same."""
        known = self._tables.keys
        if len(known) <= len(columns) and np.array_equal(known, columns.keys[: len(known)]):
            return None
        return columns.ordinals(known)


def _stale(columns: ProductColumns, changed: Ids, is_whole: bool) -> Mask | None:
    changed = changed[changed >= 0]
    if not len(changed) and is_whole and columns.present.all():
        return None
    stale = np.append(~columns.present, True)
    stale[changed] = True
    return stale
