"""Which queue a conversation is handed over to: by rules, on the intent that similar messages had.

Where the classifier is not certain, the nearest messages that staff set right decide, if they are near and agree.
"""

from __future__ import annotations

import threading
from pathlib import Path

from search.assistant.handover.queues import QueueRules, Route
from search.assistant.intents.classifier import SHIPPED_HEADS, IntentPrediction
from search.assistant.intents.examples import IntentExample
from search.assistant.intents.heads import IntentHeads
from search.assistant.intents.neighbours import LabelledNeighbours
from search.assistant.threads.thread_store import ThreadStore
from search.text_heads.text_vectors import TextVectors

MIN_SHARE = 0.6  # of the vote
MIN_COSINE = 0.6  # of the nearest message with that intent; texts without anything in common are near 0
MAX_MESSAGES = 2_000  # the last corrected ones


class Routing:
    """Routes conversations of one shop. Threads share it; new corrections count once `refresh` has read them.

    Without `rules`, those of the shop are read. Raises BadFeed where they are wrong.
    """

    def __init__(
        self, home: Path, store: ThreadStore, vectors: TextVectors | None, rules: QueueRules | None = None
    ) -> None:
        self.rules = rules or QueueRules.open(home)
        self._store = store
        self._vectors = vectors
        self._lock = threading.Lock()
        self._neighbours: LabelledNeighbours | None = None

    def refresh(self) -> int:
        """Read the corrected messages; return how many there are. Raises StoreError."""
        if self._vectors is None:
            return 0
        rows = [row for row in self._store.corrections() if row.intent][-MAX_MESSAGES:]
        examples = [IntentExample(row.text, row.intent, row.language) for row in rows]
        means = IntentHeads.load(SHIPPED_HEADS).means
        neighbours = LabelledNeighbours(examples, self._vectors, means) if examples else None
        with self._lock:
            self._neighbours = neighbours
        return len(rows)

    def route(self, text: str, language: str, prediction: IntentPrediction | None) -> Route:
        """Return the queue and priority of a conversation by what the customer wrote."""
        return self.rules.route(text, self._intent(text, language, prediction))

    def _intent(self, text: str, language: str, prediction: IntentPrediction | None) -> str:
        if prediction is not None and prediction.certain:
            return prediction.intent
        vote = self._neighbours.vote(text, language) if self._neighbours is not None else None
        if vote is not None and vote.share >= MIN_SHARE and vote.cosine >= MIN_COSINE:
            return vote.label
        return prediction.intent if prediction is not None else ""
