"""Classify what a customer's message wants, a long message by its sentences, and say how sure that is."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import StoreError
from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from indexer.types import Floats
from search.assistant.intents.heads import IntentHeads, says_something
from search.assistant.intents.names import HUMAN_AGENT, OUT_OF_SCOPE, SMALL_TALK
from search.text_heads.text_vectors import TextVectors

SHIPPED_HEADS = Path(__file__).with_name("intents.safetensors")
MAX_SENTENCES = 8  # of a message; what follows them is read as a part of the whole alone
MAX_TEXT = 2_000  # characters that are read
WHOLE_SHARE = 0.5  # of the whole message, in a message of several sentences
_SENTENCE = re.compile(r"(?<=[.!?。！？\n])\s*(?=\S)|\n+")
_NOT_WANTING = (SMALL_TALK, OUT_OF_SCOPE)  # a greeting or an aside does not hide what is wanted


@dataclass(frozen=True, slots=True)
class RankedIntent:
    """An intent and its calibrated probability."""

    intent: str
    probability: float


@dataclass(frozen=True, slots=True)
class IntentPrediction:
    """What a message wants: the most probable intent, and all by falling probability.

    `in_scope` is the probability that it is anything that a shop answers. The intent is `certain` from the threshold
    on. `others` are different intents that single sentences certainly have.
    """

    intent: str
    probability: float
    in_scope: float
    ranked: tuple[RankedIntent, ...]
    certain: bool
    others: tuple[str, ...] = ()


class IntentClassifier:
    """The classifier of one shop, with heads of its own once it has learnt any. Threads share it."""

    def __init__(self, vectors: TextVectors, home: Path | None = None) -> None:
        self._vectors = vectors
        self._path = None if home is None else ShopHome(home).intents
        self._lock = threading.Lock()
        self._mark: tuple[int, int, int] | None = None
        self._shipped = self._heads = IntentHeads.load(SHIPPED_HEADS)

    @classmethod
    def open(cls, home: Path | None, vectors: TextVectors) -> IntentClassifier:
        """Open the classifier of the shop in `home`. Raises StoreError when the shipped heads are damaged."""
        return cls(vectors, home)

    @property
    def heads(self) -> IntentHeads:
        """The heads that are used now; the shop's own are read again once they have changed."""
        mark = None if self._path is None else stat_mark(self._path)
        if mark != self._mark:
            with self._lock:
                self._heads, self._mark = self._own_heads(), mark
        return self._heads

    def classify(self, text: str, language: str) -> IntentPrediction:
        """Return what a message wants. Its language decides which models read it."""
        heads = self.heads
        text = text[:MAX_TEXT]
        sentences = [part.strip() for part in _SENTENCE.split(text) if part and says_something(part)][:MAX_SENTENCES]
        parts = [text, *sentences] if len(sentences) > 1 else [text]
        shares = heads.probabilities(parts, [language] * len(parts), self._vectors)
        threshold = heads.threshold(language)
        mixed, others = _mixed(shares, heads.labels, threshold)
        order = np.argsort(-mixed, kind="stable")
        ranked = tuple(RankedIntent(heads.labels[i], float(mixed[i])) for i in order)
        best = ranked[0]
        outside = float(sum(rank.probability for rank in ranked if rank.intent == OUT_OF_SCOPE))
        return IntentPrediction(
            best.intent,
            best.probability,
            1.0 - outside,
            ranked,
            best.probability >= threshold and says_something(text),
            tuple(dict.fromkeys(other for other in others if other != best.intent)),
        )

    def _own_heads(self) -> IntentHeads:
        if self._path is None or not self._path.is_file():
            return self._shipped
        try:
            own = IntentHeads.load(self._path)
        except StoreError:
            return self._shipped  # `windowshop learn` writes them again
        return own if own.vectors == self._vectors.fingerprint else self._shipped


def _mixed(shares: Floats, labels: Sequence[str], threshold: float) -> tuple[Floats, list[str]]:
    """Return the probabilities of a message, and the intents that its sentences certainly have.

    `shares` (1 + sentences, labels) begin with the whole message. Sentences that want nothing are left out, where
    others want something.
    """
    whole = shares[0]
    if len(shares) == 1:
        return whole, []
    best = shares[1:].argmax(axis=1)
    wanting = [row for row, place in zip(shares[1:], best, strict=True) if labels[place] not in _NOT_WANTING]
    if not wanting:
        return whole, []
    strongest = max(wanting, key=lambda row: float(row.max()))
    certain = [labels[int(row.argmax())] for row in wanting if row.max() >= threshold]
    if HUMAN_AGENT in certain:
        strongest = next(row for row in wanting if labels[int(row.argmax())] == HUMAN_AGENT)
        return strongest, certain
    return np.asarray(WHOLE_SHARE * whole + (1 - WHOLE_SHARE) * strongest, np.float32), certain
