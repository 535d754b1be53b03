"""The requests of reviews: the list of a product, a review to send, votes, and what merchants send."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage

from catalog.reviews.review import ASPECTS, MAX_RATING, PENDING, POLARITIES, STATES, is_future
from catalog.reviews.review_query import HELPFUL, SORTS, ReviewFilter
from search.reviews.photo_files import MAX_PHOTOS
from search.reviews.submission import MAX_AUTHOR, MAX_REPLY, MAX_REVIEW_TEXT, MAX_TITLE
from web.requests.recommend_request import Visitor
from web.requests.validation import (
    Body,
    ChoiceOf,
    Flag,
    Parameters,
    PictureSource,
    ProductId,
    Text,
    Whole,
    non_blank,
)

MAX_PAGE, MAX_OFFSET = 100, 100_000
MAX_BATCH = 500  # reviews
MAX_KEY, MAX_LANGUAGE, MAX_CONTAINS = 200, 16, 200  # characters
MAX_SIMILAR, MAX_TOKEN = 50, 100_000
PHOTOS_FIELD = "photos"

Rating = Annotated[int, Field(ge=1, le=MAX_RATING, examples=[5]), Whole]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET, examples=[10]), Whole]
PageCount = Annotated[int, Field(ge=1, le=MAX_PAGE, examples=[10]), Whole]
Title = Annotated[Text, Field(max_length=MAX_TITLE)]
ReviewWords = Annotated[Text, Field(max_length=MAX_REVIEW_TEXT)]
Author = Annotated[Text, Field(max_length=MAX_AUTHOR)]


def _moment(text: str) -> str:
    _seconds(text)
    return text


def _seconds(text: str) -> int:
    """Return the unix seconds of a time, 0 of "". Raises PydanticCustomError."""
    try:
        at = datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, timezone.utc)
        seconds = max(0, int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()))
    except (ValueError, OverflowError):
        raise PydanticCustomError("no_time", "Input should be a time like 2026-11-25T18:30:00Z") from None
    if is_future(seconds):
        raise PydanticCustomError("future_time", "Input should not be a time in the future")
    return seconds


ReviewIds = Annotated[list[Annotated[str, non_blank(20)]], Field(min_length=1, max_length=MAX_BATCH)]


class ReviewListParameters(Parameters):
    """Which reviews of a product to return, and in which order."""

    rating: Rating | None = None
    aspect: Annotated[str, ChoiceOf(ASPECTS)] | None = None
    polarity: (
        Annotated[str, ChoiceOf(POLARITIES), Field(description="Of an opinion on the aspect, or on any.")] | None
    ) = None
    verified: Annotated[Flag, Field(description="Only reviews of customers who bought the product.")] = False
    photos: Annotated[Flag, Field(description="Only reviews with photos.")] = False
    language: Annotated[Text, Field(max_length=MAX_LANGUAGE, examples=["en"])] = ""
    sort: Annotated[str, ChoiceOf(SORTS)] = HELPFUL
    offset: Offset = 0
    k: PageCount = 10

    def filter(self) -> ReviewFilter:
        """Return the filter."""
        return ReviewFilter(
            self.rating or 0,
            self.aspect or "",
            self.polarity or "",
            self.verified,
            self.photos,
            self.language,
            self.sort,
        )


class SimilarPhotoParameters(Parameters):
    """A search with a picture, and how many photos to return."""

    refine: Annotated[str, Field(description="The token `refine` of the search's answer.", max_length=MAX_TOKEN)] = ""
    k: Annotated[int, Field(ge=1, le=MAX_SIMILAR, examples=[6]), Whole] = 6


class SentReview(Body):
    """A visitor's review. It waits until the merchant has approved it, and replaces an earlier one by the visitor."""

    example = '{"visitor": "v-5f0c9a7be2d14c83", "rating": 5, "text": "Keeps the tea warm for an hour."}'
    visitor: Visitor
    rating: Rating
    title: Title = ""
    text: ReviewWords = ""
    author: Annotated[Author, Field(description="The name to show.")] = ""
    photos: Annotated[list[PictureSource], Field(max_length=MAX_PHOTOS)] = Field(default_factory=list)

    def sources(self) -> list[str | FileStorage]:
        """Return the photos."""
        return list(self.photos)


class ReviewVote(Body):
    """Whether a review was helpful to a visitor; null takes the vote back."""

    example = '{"visitor": "v-5f0c9a7be2d14c83", "helpful": true}'
    runnable = False
    visitor: Visitor
    helpful: Flag | None = None


class ReviewQueueParameters(Parameters):
    """Which reviews of the shop to return: by state, of one product, or with a text."""

    state: Annotated[str, ChoiceOf(STATES)] = PENDING
    product_id: ProductId | None = None
    contains: Annotated[Text, Field(max_length=MAX_CONTAINS)] = ""
    offset: Offset = 0
    k: PageCount = 50


class ReviewDecisions(Body):
    """Reviews to approve, to reject, or to hold back."""

    example = '{"ids": ["1"], "state": "approved"}'
    runnable = False
    ids: ReviewIds
    state: Annotated[str, ChoiceOf(STATES)]
    reason: Annotated[Text, Field(max_length=500, description="For the log of decisions.")] = ""


class ReviewReply(Body):
    """The shop's reply to a review; an empty one removes it."""

    example = '{"text": "Thank you for telling us."}'
    runnable = False
    text: Annotated[Text, Field(max_length=MAX_REPLY)]


class ImportedReview(Body):
    """A review that another system has; `key` is its id there, so that it is stored once."""

    product_id: ProductId
    rating: Rating
    key: Annotated[Text, Field(max_length=MAX_KEY)] = ""
    email: Annotated[Text, Field(max_length=254, description="Of the author; only a keyed hash is stored.")] = ""
    title: Title = ""
    text: ReviewWords = ""
    author: Author = ""
    language: Annotated[Text, Field(max_length=MAX_LANGUAGE)] = ""
    created: Annotated[
        str, Field(max_length=40, description="ISO 8601.", examples=["2026-11-25T18:30:00Z"]), AfterValidator(_moment)
    ] = ""
    verified: Annotated[Flag, Field(description="Whether the customer bought the product.")] = False
    reply: Annotated[Text, Field(max_length=MAX_REPLY)] = ""
    state: Annotated[str, ChoiceOf(STATES)] = PENDING

    def at(self) -> int:
        """Return when it was written, unix seconds; 0 where that is not known."""
        return _seconds(self.created)


ROWS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_BATCH,
    "items": {"description": "An object with the fields of ImportedReview; a bad one fails by itself."},
}


class ReviewBatch(Body):
    """Reviews of other systems to store at once; a bad one fails by itself."""

    example = '{"reviews": [{"key": "r-1", "product_id": "red", "rating": 5, "text": "Very sturdy."}]}'
    reviews: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH), WithJsonSchema(ROWS_SCHEMA)]
