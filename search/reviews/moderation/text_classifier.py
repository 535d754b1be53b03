"""Tell reviews from what else is sent in their place: advertising and noise, questions, insults of persons.

It is precise rather than eager: an angry review is a review, and what is missed is still seen by the merchant.
"""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import WindowshopError
from search.reviews.moderation.text_rules import INSULT, NOT_A_REVIEW, SPAM

if TYPE_CHECKING:
    from indexer.encoders.base import Encoder
    from search.text_heads.linear_head import LinearHead
    from search.text_heads.text_vectors import TextVectors

HEAD_FILE = Path(__file__).with_name("text_classifier.safetensors")
EXAMPLES_FILE = Path(__file__).with_name("examples.csv")
REVIEW = "review"  # the label of what is none of the others
LABELS = (REVIEW, SPAM, INSULT, NOT_A_REVIEW)
SURE = 0.7  # probability from which a label other than a review counts

log = logging.getLogger(__name__)


class ReviewTextClassifier:
    """Classifies texts in any language by E5's vector of their beginning, 64 tokens at most. Threads share it."""

    def __init__(self, vectors: TextVectors, head: LinearHead) -> None:
        self._vectors = vectors
        self._head = head

    def reasons(self, title: str, text: str) -> tuple[str, ...]:
        """Return the code of what a text is instead of a review, or none."""
        whole = f"{title} {text}".strip()
        if not whole:
            return ()
        probabilities = self._head.probabilities(self._vectors.multilingual([whole]))[0]
        best = int(probabilities.argmax())
        label = self._head.labels[best]
        return (label,) if label != REVIEW and probabilities[best] >= SURE else ()


def open_text_classifier(encoder: Encoder) -> ReviewTextClassifier | None:
    """Return the classifier on a shop's text vectors, or None where they or the shipped head cannot be opened."""
    try:
        # Imported here: numpy takes a while to load, and the server starts without it.
        vectors: TextVectors = import_module("search.text_heads.text_vectors").TextVectors.of(encoder)
        return ReviewTextClassifier(vectors, shipped_head())
    except WindowshopError as error:
        log.warning("Only rules read the reviews that are sent: %s", error)
        return None


@cache
def shipped_head() -> LinearHead:
    """Return the shipped head. Raises StoreError."""
    head: LinearHead = import_module("search.text_heads.linear_head").LinearHead.load(HEAD_FILE)
    return head


def classifier_examples_digest() -> str:
    """Return the digest of the examples, which the shipped head holds."""
    return hashlib.sha256(EXAMPLES_FILE.read_bytes()).hexdigest()
