"""The models that read the reviews of one open shop, on the text vectors of its encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from indexer.encoders.base import Encoder
from search.reviews.analysis.analyser import ReviewAnalyser
from search.reviews.moderation.text_classifier import ReviewTextClassifier, open_text_classifier
from search.reviews.working.review_worker import ReviewWorker
from search.text_heads.text_vectors import TextVectors


class ReviewModels:
    """The worker that analyses reviews, and the classifier that screens them; both open a model when it is needed."""

    def __init__(self, home: Path, encoder: Encoder, runtime: str) -> None:
        self._encoder = encoder
        vectors = partial(TextVectors.of, encoder, runtime)
        self.worker = ReviewWorker(home, lambda quick: ReviewAnalyser.open(vectors(), quick=quick))

    def classifier(self) -> ReviewTextClassifier | None:
        """Return the classifier of reviews that are sent; None where there is no model for it."""
        return open_text_classifier(self._encoder)
