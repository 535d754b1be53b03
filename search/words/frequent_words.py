"""Keep the scores of frequent words in memory: "men" and "black" are in many questions and in many products."""

from __future__ import annotations

import threading
from collections import OrderedDict

from search.words.scored import Scored

FREQUENT_SHARE = 64  # one product in so many must have a word
MAX_BYTES = 32  # in memory, for each product of the shop: eight arrays of all, sixteen words of a quarter by place


class FrequentWords:
    """The scores of the words last looked up that many of a shop's products have. Threads share it."""

    def __init__(self, products: int) -> None:
        self._products = products
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, ...], Scored] = OrderedDict()
        self._bytes = 0

    def get(self, words: tuple[str, ...]) -> Scored | None:
        """Return the scores of words, None where they are not known."""
        with self._lock:
            found = self._known.get(words)
            if found is not None:
                self._known.move_to_end(words)
            return found

    def put(self, words: tuple[str, ...], scored: Scored) -> None:
        """Remember scores, which nobody may change, if the words are frequent; forget those not used for longest."""
        if len(scored.scores) * FREQUENT_SHARE < self._products:
            return
        with self._lock:
            if words in self._known:
                return
            self._known[words] = scored
            self._bytes += scored.nbytes
            while self._bytes > MAX_BYTES * self._products:
                self._bytes -= self._known.popitem(last=False)[1].nbytes
