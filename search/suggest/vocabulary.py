"""The shop's words as they are now: those of all products once, and those of the products changed since.

The former lie beside the index, mapped; without such files they are read in the background. Products that were put
again or removed are counted out at once. The words of changed products are read at the next request, of many changed
products a little later. When there are too many, the words of all that changed since are read in the background.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.errors import StoreError
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.columns.product_table import ShopTable
from indexer.suggestions.segment_builder import build_segment
from indexer.suggestions.segment_files import SuggestionWords
from indexer.suggestions.word_segment import WordSegment
from search.query.filters import BRAND, CATEGORY
from search.state.change_replay import CHANGES_PER_STEP, MAX_REPLAYED_CHANGES
from search.state.column_store import ProductColumns
from search.suggest.label_names import LabelNames

MAX_RECENT = 2_000  # changed products beyond which words are read again
REREAD_SECONDS = 60.0  # between the ends of two readings
PROMPT_SECONDS = 0.05  # processor time within which the words of changed products are read at each request
PAUSE_FACTOR = 20.0  # otherwise they are read after this multiple of it, and at most MAX_PAUSE_SECONDS
MAX_PAUSE_SECONDS = 10.0
WAIT_SECONDS = 0.2  # for a reading that another request has begun

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ShopVocabulary:
    """The words of a shop in a few segments, whose products differ; the names of its kinds and brands."""

    segments: tuple[WordSegment, ...]
    kinds: LabelNames
    brands: LabelNames
    alphabet: str  # letters of the words, the most frequent first


@dataclass(frozen=True, slots=True, eq=False)
class _Base:
    """The words as of change `seq`: those of all products, which may be mapped, and of some that changed since."""

    words: SuggestionWords
    segments: tuple[WordSegment, ...]
    seq: int
    is_mapped: bool = False


class VocabularyFollower:
    """Follows the changes of a shop's words. Threads share it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._mapped: SuggestionWords | None = None  # those of a generation that were looked at last
        self._base: _Base | None = None
        self._reading: threading.Thread | None = None
        self._preparing: threading.Thread | None = None
        self._reread_at, self._is_reread_due = -math.inf, False
        self._seq = -1
        self._changed: dict[str, tuple[int, Product] | None] = {}  # key and product by id, None for a removed one
        self._recent: tuple[WordSegment, ...] = ()
        self._is_recent_current = True
        self._recent_at, self._pause = -math.inf, 0.0
        self._names: tuple[LabelNames, LabelNames] | None = None

    def start(self, columns: ProductColumns, mapped: SuggestionWords | None = None) -> None:
        """Begin to read the words in the background, so that the first request need not wait."""
        preparing = threading.Thread(target=self.current, args=(columns, mapped), name="suggestions", daemon=True)
        with self._lock:
            self._take_over(columns, mapped)
            if self._base is not None:
                self._preparing = preparing
                preparing.start()
            elif not self._is_reading():
                self._reread(columns)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the end of what is done in the background."""
        if self._preparing is not None:
            self._preparing.join(timeout_s)
        if self._reading is not None:
            self._reading.join(timeout_s)

    def current(self, columns: ProductColumns, mapped: SuggestionWords | None = None) -> ShopVocabulary | None:
        """Return the shop's words as of the columns, or None while another request has them read for the first time.

        `mapped` are those of the generation that is served.
        """
        with self._lock:
            self._take_over(columns, mapped)
            is_mine = self._base is None and not self._is_reading()
            reading = self._reread(columns) if is_mine else self._reading
            is_late = self._base is None
        if is_late and reading is not None:
            reading.join(None if is_mine else WAIT_SECONDS)
        with self._lock:
            if self._base is None:
                return None
            if columns.seq > self._seq:
                self._follow(self._base, columns)
            paused = time.monotonic() - self._reread_at < REREAD_SECONDS
            if self._is_reread_due and not (paused or self._is_reading()):
                self._reread(columns)
            self._read_recent()
            kinds, brands = self._label_names(self._base, columns)
            return ShopVocabulary((*self._base.segments, *self._recent), kinds, brands, self._base.words.alphabet)

    def _is_reading(self) -> bool:
        return self._reading is not None and self._reading.is_alive()

    def _take_over(self, columns: ProductColumns, mapped: SuggestionWords | None) -> None:
        """Use the words of a generation from now on, where they are later than those that are used."""
        if mapped is None or mapped is self._mapped or mapped.seq > columns.seq:
            return
        self._mapped, used = mapped, self._base
        if used is not None and (mapped.seq, True) <= (used.words.seq, used.is_mapped):
            return
        try:
            changed = self._catalogue.product_changed_at(mapped.seq)
        except StoreError as error:
            log.warning("The words for suggestions could not be compared with the catalogue: %s", error)
            return
        if mapped.changed in (None, changed):  # else it is not the catalogue of the index
            self._use(_Base(mapped, (mapped.segment.placed_as(columns),), mapped.seq, is_mapped=True))

    def _use(self, base: _Base) -> None:
        self._base, self._seq, self._changed, self._recent = base, base.seq, {}, ()
        self._names, self._pause, self._is_recent_current, self._is_reread_due = None, 0.0, True, False

    def _reread(self, columns: ProductColumns) -> threading.Thread:
        """Read words in the background; the changes after the columns are followed then."""
        used = self._base

        def read() -> None:
            try:
                base = _with_changed(used, self._catalogue, columns) if used is not None else None
                base = base or _whole(self._catalogue, columns)
            except StoreError as error:  # the catalogue was closed meanwhile, or cannot be read
                log.warning("The words for suggestions could not be read: %s", error)
                return
            with self._lock:
                words = None if self._base is None else self._base.words
                if words is (None if used is None else used.words):  # else those of a generation came between
                    self._use(base)
                    self._reread_at = time.monotonic()

        self._reading = threading.Thread(target=read, name="suggestions", daemon=True)
        self._reading.start()
        return self._reading

    def _follow(self, base: _Base, columns: ProductColumns) -> None:
        """Count out the products that changed up to the columns' change, and note what they are now.

        Of very many changes only the removed products are counted out, until words have been read again.
        """
        changes = self._catalogue.changes(self._seq, MAX_RECENT + 1)
        ids = list(dict.fromkeys(change.product_id for change in changes if change.seq <= columns.seq))
        if len(changes) <= MAX_RECENT:
            found = self._catalogue.find(ids)
            self._changed.update((sku, found.get(sku)) for sku in ids)
            base = replace(base, segments=_without(base.segments, ids))
            self._recent = _without(self._recent, ids)
        else:
            gone = [np.flatnonzero(~columns.has(segment.table.keys)) for segment in base.segments]
            left = (segment.without(places) for segment, places in zip(base.segments, gone, strict=True))
            base = replace(base, segments=tuple(left))
        self._base, self._seq, self._is_recent_current = base, columns.seq, False
        self._is_reread_due |= len(changes) > MAX_RECENT or len(self._changed) > MAX_RECENT

    def _read_recent(self) -> None:
        if self._is_recent_current or time.monotonic() - self._recent_at < self._pause:
            return
        started = time.thread_time()
        self._recent = _segments(pair for pair in self._changed.values() if pair)
        took = time.thread_time() - started
        self._pause = 0.0 if took < PROMPT_SECONDS else min(MAX_PAUSE_SECONDS, PAUSE_FACTOR * took)
        self._recent_at, self._is_recent_current = time.monotonic(), True

    def _label_names(self, base: _Base, columns: ProductColumns) -> tuple[LabelNames, LabelNames]:
        kinds, brands = columns.labels_of(CATEGORY), columns.labels_of(BRAND)
        if self._names is None or not (self._names[0].covers(kinds) and self._names[1].covers(brands)):
            self._names = (LabelNames(kinds, base.words.level_names), LabelNames(brands))
        return self._names


def _whole(catalogue: Catalogue, columns: ProductColumns) -> _Base:
    words = SuggestionWords.read(columns, catalogue)
    return _Base(words, (words.segment,), columns.seq)


def _with_changed(used: _Base, catalogue: Catalogue, columns: ProductColumns) -> _Base | None:
    """Return mapped words without the products that changed up to the columns' change, and these as they are now.

    None where there are too many of them, and where no words are mapped.
    """
    ids: dict[str, None] = {}
    seq, built = used.words.seq, used.words.seq
    while used.is_mapped and seq < columns.seq <= built + MAX_REPLAYED_CHANGES:
        changes = [change for change in catalogue.changes(seq, CHANGES_PER_STEP) if change.seq <= columns.seq]
        ids.update(dict.fromkeys(change.product_id for change in changes))
        seq = changes[-1].seq if changes else columns.seq
    if seq < columns.seq or not used.is_mapped:
        return None
    changed = [*ids]
    steps = range(0, len(changed), CHANGES_PER_STEP)
    found = (pair for at in steps for pair in catalogue.find(changed[at : at + CHANGES_PER_STEP]).values())
    segments = (*_without((used.words.segment,), changed), *_segments(found))
    return replace(used, segments=segments, seq=columns.seq)


def _segments(products: Iterable[tuple[int, Product]]) -> tuple[WordSegment, ...]:
    """Return the words of some products by key; none without products."""
    ordered = sorted(products, key=lambda pair: pair[0])
    titles = [(key, product.title) for key, product in ordered]
    return (build_segment(ShopTable.of(ordered), titles),) if ordered else ()


def _without(segments: Iterable[WordSegment], ids: Sequence[str]) -> tuple[WordSegment, ...]:
    return tuple(segment.without(segment.places_of(ids)) for segment in segments)
