"""A review that a visitor sends: screened, with its photos, and never verified by itself.

Anybody may send events, so a purchase in the event log proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from catalog.reviews.review import APPROVED, PENDING, Review, ReviewDraft
from catalog.reviews.review_store import ReviewStore
from search.language.detection import language_of
from search.reviews.moderation.screening import screen
from search.reviews.photo_files import store_photos

if TYPE_CHECKING:
    from search.reviews.moderation.text_classifier import ReviewTextClassifier


MAX_TITLE, MAX_REVIEW_TEXT, MAX_AUTHOR, MAX_REPLY = 120, 5_000, 60, 2_000  # characters
Approval = Literal["none", "clean"]


@dataclass(frozen=True, slots=True)
class SubmissionRules:
    """Which reviews of visitors are shown at once, and how many a visitor may send in a day (0: no limit)."""

    approve: Approval = "none"
    a_day: int = 10


class Submissions:
    """Takes the reviews that visitors send to one shop.

    `classifier` is opened when a review is sent; without one, rules alone screen it.
    """

    def __init__(
        self,
        store: ReviewStore,
        rules: SubmissionRules,
        classifier: Callable[[], ReviewTextClassifier | None] = lambda: None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._classifier = classifier

    def submit(self, draft: ReviewDraft, visitor: str, photos: Sequence[bytes] = ()) -> Review:
        """Store a visitor's review in place of an earlier one of the product, and return it.

        The state, the language and the photos of `draft` are not used: they are found out. No purchase is.
        Raises BadPicture and its subclasses, TooManyReviews, StoreError.
        """
        reasons = screen(self._store, draft, visitor, self._classifier())
        clean = not reasons and not photos  # nobody has looked at a photo
        draft = replace(
            draft,
            state=APPROVED if clean and self._rules.approve == "clean" else PENDING,
            language=language_of(f"{draft.title} {draft.text}") if draft.text or draft.title else "",
            verified=False,
            photos=store_photos(self._store.photos, photos),
        )
        try:
            return self._store.add(draft, visitor, reasons, a_day=self._rules.a_day)
        except BaseException:
            self._store.remove_unused_photos(draft.photos)
            raise
