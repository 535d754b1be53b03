"""A review of a product, what was found in its text, and what all reviews of a product come to."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"  # states; only approved reviews are shown or counted
STATES = (PENDING, APPROVED, REJECTED)
POSITIVE, NEGATIVE, NEUTRAL = "positive", "negative", "neutral"
POLARITIES = (POSITIVE, NEGATIVE, NEUTRAL)
SIZE, QUALITY, COLOUR, DELIVERY, PRICE, COMFORT, USE = (
    "size",
    "quality",
    "colour",
    "delivery",
    "price",
    "comfort",
    "use",
)
ASPECTS = (SIZE, QUALITY, COLOUR, DELIVERY, PRICE, COMFORT, USE)
MAX_RATING = 5
DAY_S = 86_400
_CONTACT = re.compile(r"[^\s@]@[^\s@]+\.\w{2}|(?<![\w.])\+?\d(?:[\s()/.-]{0,2}\d){7,14}(?!\w)")


def shown_author(name: str) -> str:
    """Return the name of an author to show; "" of a mail address or telephone number, which nobody meant to publish."""
    return "" if _CONTACT.search(name) else name


def is_future(at: float, now: float | None = None) -> bool:
    """Tell whether a time is more than a day ahead, in seconds since 1970: clocks and zones differ, but not by more."""
    return at > (time.time() if now is None else now) + DAY_S


@dataclass(frozen=True, slots=True)
class ReviewDraft:
    """A review as a customer or a file brings it, before it is stored.

    `rating` is 1 to 5 stars, `at` in seconds since 1970, 0 where it is not known, as `language` is "". `photos` are the
    content hashes of pictures that the store already has. `key` is the id that another system gave it, "" if none did.
    """

    product_id: str
    rating: int
    text: str = ""
    title: str = ""
    author: str = ""
    language: str = ""
    at: int = 0
    verified: bool = False  # the customer bought the product
    photos: tuple[str, ...] = ()
    key: str = ""
    reply: str = ""
    state: str = PENDING


@dataclass(frozen=True, slots=True)
class Review:
    """A stored review. `reasons` are codes of what moderation noticed ("link", "duplicate", "insult", "spam" ...)."""

    id: str
    product_id: str
    rating: int
    text: str
    title: str
    author: str
    language: str
    at: int
    verified: bool
    state: str
    reasons: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    reply: str = ""
    reply_at: int | None = None
    helpful: int = 0
    unhelpful: int = 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a clause of a review says about one aspect; `start` and `end` are its place in the review's text.

    `probability` is the calibrated probability of the polarity.
    """

    aspect: str
    polarity: str
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReviewAnalysis:
    """What was found in a review's text: the probability that it is positive as a whole, and its opinions."""

    sentiment: float
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """A clause of an approved review that shows what is said about an aspect."""

    review_id: str
    text: str
    polarity: str
    language: str


@dataclass(frozen=True, slots=True)
class AspectSummary:
    """How many approved reviews of a product speak well, badly or neither of an aspect, with a few quotes."""

    aspect: str
    positive: int
    negative: int
    neutral: int
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """What the approved reviews of a product come to: `distribution` counts 1 to 5 stars, in this order."""

    count: int
    mean: float  # 0.0 without reviews
    distribution: tuple[int, int, int, int, int]
    aspects: tuple[AspectSummary, ...] = ()
