"""Screen a review before it is stored: what rules notice in it, and whether its text was sent before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.reviews.near_texts import bands_of, fold, nearly_same
from catalog.reviews.review import PENDING, ReviewDraft
from catalog.reviews.review_query import NewReview
from catalog.reviews.review_reader import ReviewReader
from search.reviews.moderation.text_rules import DUPLICATE, rule_reasons

if TYPE_CHECKING:
    from search.reviews.moderation.text_classifier import ReviewTextClassifier


_COMPARED = 20  # earlier texts of a batch that share a hash


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


def screened(store: ReviewReader, batch: Sequence[NewReview]) -> list[NewReview]:
    """Return imported reviews, those that wait with what is noticed in them. Raises StoreError.

    Texts are compared with the stored ones and with those before them in the batch.
    """
    if all(new.draft.state != PENDING for new in batch):
        return list(batch)
    found: list[NewReview] = []
    before: dict[int, list[tuple[NewReview, str]]] = defaultdict(list)
    for new in batch:
        folded = fold(f"{new.draft.title} {new.draft.text}")
        bands = bands_of(folded)
        if new.draft.state == PENDING:
            reasons = screen(store, new.draft, new.visitor)
            near = (earlier for band in bands for earlier in before[band][:_COMPARED])
            if DUPLICATE not in reasons and any(_repeats(new, folded, *earlier) for earlier in near):
                reasons = (*reasons, DUPLICATE)
            found.append(replace(new, reasons=reasons))
        else:
            found.append(new)
        for band in bands:
            before[band].append((new, folded))
    return found


def _repeats(new: NewReview, folded: str, earlier: NewReview, text: str) -> bool:
    same = new.visitor and new.visitor == earlier.visitor and new.draft.product_id == earlier.draft.product_id
    return not same and nearly_same(folded, text)
