"""Screen a review before it is stored: what rules notice in it, and whether its text was sent before."""

from __future__ import annotations

from dataclasses import replace

from catalog.reviews.review import PENDING, ReviewDraft
from catalog.reviews.review_query import NewReview
from catalog.reviews.review_reader import ReviewReader
from search.reviews.moderation.text_classifier import ReviewTextClassifier
from search.reviews.moderation.text_rules import DUPLICATE, rule_reasons


def screen(
    store: ReviewReader, draft: ReviewDraft, visitor: str, classifier: ReviewTextClassifier | None = None
) -> tuple[str, ...]:
    """Return the codes of what is noticed in a review, none for a clean one. Raises StoreError.

    Without a classifier, rules alone notice something.
    """
    reasons = rule_reasons(draft.title, f"{draft.text}\n{draft.author}")
    if classifier is not None:
        reasons += tuple(code for code in classifier.reasons(draft.title, draft.text) if code not in reasons)
    return (*reasons, DUPLICATE) if store.similar(draft, visitor) else reasons


def screened(store: ReviewReader, new: NewReview) -> NewReview:
    """Return an imported review with what is noticed in it, where it waits to be decided about. Raises StoreError."""
    return replace(new, reasons=screen(store, new.draft, new.visitor)) if new.draft.state == PENDING else new
