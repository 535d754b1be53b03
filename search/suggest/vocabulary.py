"""The shop's words as they are now: those of all products once, and those of the products changed since.

Products that were put again or removed are counted out at once. The words of changed products are read at the next
request, of many changed products a little later. When there are too many, all words are read again in the background.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

from catalog.errors import StoreError
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from catalog.text.tokenizer import unspaced
from catalog.translated_attributes import OTHER_LANGUAGES
from search.query.filters import BRAND, CATEGORY
from search.state.column_store import ProductColumns
from search.suggest.label_names import LabelNames, level_names
from search.suggest.segment_builder import build_segment
from search.suggest.word_segment import WordSegment

TRANSLATED_CATEGORY = "attributes.category_{language}"
MAX_RECENT = 2_000  # changed products beyond which all words are read again
REREAD_SECONDS = 60.0  # between the ends of two readings of all words
PROMPT_SECONDS = 0.05  # processor time within which the words of changed products are read at each request
PAUSE_FACTOR = 20.0  # otherwise they are read after this multiple of it, and at most MAX_PAUSE_SECONDS
MAX_PAUSE_SECONDS = 10.0
WAIT_SECONDS = 0.2  # for a reading that another request has begun

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ShopVocabulary:
    """The words of a shop in one or two segments, whose products differ; the names of its kinds and brands."""

    segments: tuple[WordSegment, ...]
    kinds: LabelNames
    brands: LabelNames
    alphabet: str  # letters of the words, the most frequent first


@dataclass(slots=True)
class _Base:
    """All words as of change `seq`."""

    segment: WordSegment
    seq: int
    level_names: dict[str, dict[str, str]]  # by language
    alphabet: str


class VocabularyFollower:
    """Reads the shop's words and follows its changes. Threads share it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._base: _Base | None = None
        self._reading: threading.Thread | None = None
        self._reread_at = -math.inf
        self._seq = -1
        self._changed: dict[str, tuple[int, Product] | None] = {}  # key and product by id, None for a removed one
        self._recent: tuple[WordSegment, ...] = ()
        self._is_recent_current = True
        self._recent_at, self._pause = -math.inf, 0.0
        self._names: tuple[LabelNames, LabelNames] | None = None

    def start(self, columns: ProductColumns) -> None:
        """Begin to read the words in the background, so that the first request need not wait."""
        with self._lock:
            if self._base is None and not self._is_reading():
                self._reread(columns)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the end of a reading in the background."""
        if self._reading is not None:
            self._reading.join(timeout_s)

    def current(self, columns: ProductColumns) -> ShopVocabulary | None:
        """Return the shop's words as of the columns, or None while another request has them read for the first time."""
        if self._base is None:
            with self._lock:
                is_mine = self._base is None and not self._is_reading()
                reading = self._reread(columns) if is_mine else self._reading
            if reading is not None:
                reading.join(None if is_mine else WAIT_SECONDS)
        with self._lock:
            if self._base is None:
                return None
            if columns.seq > self._seq:
                self._follow(self._base, columns)
            self._read_recent()
            kinds, brands = self._label_names(self._base, columns)
            return ShopVocabulary((self._base.segment, *self._recent), kinds, brands, self._base.alphabet)

    def _is_reading(self) -> bool:
        return self._reading is not None and self._reading.is_alive()

    def _reread(self, columns: ProductColumns) -> threading.Thread:
        """Read all words in the background; the changes after the columns are followed then."""

        def read() -> None:
            try:
                base = _read(self._catalogue, columns)
            except StoreError as error:  # the catalogue was closed meanwhile, or cannot be read
                log.warning("The words for suggestions could not be read: %s", error)
                return
            with self._lock:
                self._base, self._seq, self._changed, self._recent = base, base.seq, {}, ()
                self._names, self._pause, self._reread_at = None, 0.0, time.monotonic()

        self._reading = threading.Thread(target=read, name="suggestions", daemon=True)
        self._reading.start()
        return self._reading

    def _follow(self, base: _Base, columns: ProductColumns) -> None:
        """Count out the products that changed up to the columns' change, and note what they are now.

        Of very many changes only the removed products are counted out, until all words have been read again.
        """
        changes = self._catalogue.changes(self._seq, MAX_RECENT + 1)
        ids = list(dict.fromkeys(change.product_id for change in changes if change.seq <= columns.seq))
        if len(changes) <= MAX_RECENT:
            found = self._catalogue.find(ids)
            self._changed.update((sku, found.get(sku)) for sku in ids)
            base.segment = base.segment.without(base.segment.places_of(ids))
            self._recent = tuple(segment.without(segment.places_of(ids)) for segment in self._recent)
        else:
            gone = np.flatnonzero(~columns.has(base.segment.keys))
            base.segment = base.segment.without(gone)
        self._seq, self._is_recent_current = columns.seq, False
        too_many = len(changes) > MAX_RECENT or len(self._changed) > MAX_RECENT
        if too_many and not self._is_reading() and time.monotonic() - self._reread_at >= REREAD_SECONDS:
            self._reread(columns)

    def _read_recent(self) -> None:
        if self._is_recent_current or time.monotonic() - self._recent_at < self._pause:
            return
        started = time.thread_time()
        products = sorted((pair for pair in self._changed.values() if pair), key=lambda pair: pair[0])
        titles = [(key, product.title) for key, product in products]
        self._recent = (build_segment(ProductColumns.of(products), titles),) if products else ()
        took = time.thread_time() - started
        self._pause = 0.0 if took < PROMPT_SECONDS else min(MAX_PAUSE_SECONDS, PAUSE_FACTOR * took)
        self._recent_at, self._is_recent_current = time.monotonic(), True

    def _label_names(self, base: _Base, columns: ProductColumns) -> tuple[LabelNames, LabelNames]:
        kinds, brands = columns.labels_of(CATEGORY), columns.labels_of(BRAND)
        if self._names is None or not (self._names[0].covers(kinds) and self._names[1].covers(brands)):
            self._names = (LabelNames(kinds, base.level_names), LabelNames(brands))
        return self._names


def _read(catalogue: Catalogue, columns: ProductColumns) -> _Base:
    segment = build_segment(columns, catalogue.titles())
    letters = Counter(letter for word in segment.words if word.isalpha() and not unspaced(word) for letter in word)
    alphabet = "".join(letter for letter, _ in letters.most_common())
    names = {code: level_names(columns, TRANSLATED_CATEGORY.format(language=code)) for code in OTHER_LANGUAGES}
    return _Base(segment, columns.seq, names, alphabet)
