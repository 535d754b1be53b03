"""Analyse the reviews of a shop that wait, in batches that are stored one by one: a run can be interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from catalog.reviews.review import ReviewAnalysis
from catalog.reviews.review_store import ReviewStore
from indexer.progress import progress

BATCH_REVIEWS = 1_024
QUICK_FROM = 2_000  # waiting reviews from which a quick analysis is made: others would wait for hours
REFRESH_S = 20.0  # between two times that summaries are made again, which is much work while many products change


class TextAnalyser(Protocol):
    """What analyses texts; `model` names everything that its answers depend on."""

    model: str

    def analyse(self, texts: Sequence[str]) -> list[ReviewAnalysis]:
        """Return the analysis of each text."""


def analyse_waiting(store: ReviewStore, analyser: TextAnalyser) -> int:
    """Analyse all reviews that wait, the newest first; return how many different texts were read.

    Texts that were analysed before are not read again. Raises StoreError.
    """
    read, refreshed = 0, time.monotonic()
    store.unanalysed(analyser.model, 1)  # those of another model wait from now on
    waiting = store.count_unanalysed()
    with progress("reviews analysed", waiting) as tick:
        while done := analyse_batch(store, analyser, BATCH_REVIEWS):
            read += done
            left = store.count_unanalysed()
            tick(max(waiting - left, 0))
            waiting = left
            if time.monotonic() - refreshed > REFRESH_S:
                refresh_all(store)
                refreshed = time.monotonic()
    refresh_all(store)
    return read


def analyse_batch(store: ReviewStore, analyser: TextAnalyser, limit: int) -> int:
    """Analyse the texts of at most `limit` reviews; return how many were read."""
    texts = store.unanalysed(analyser.model, limit)
    found = analyser.analyse([text.text for text in texts])
    store.save_analyses(analyser.model, {text.digest: analysis for text, analysis in zip(texts, found, strict=True)})
    return len(texts)


def refresh_all(store: ReviewStore, stop: Callable[[], bool] = lambda: False) -> None:
    """Make all summaries again that have changed."""
    while not stop() and store.refresh():
        pass
