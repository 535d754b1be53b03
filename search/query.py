"""A question to the shop: weighted pictures, words and products, and how the answer is to be cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from catalog.errors import BadQuery

MAX_K = 200
MAX_REACH = 10_000
MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class PictureTerm:
    """A picture to look like (weight > 0) or to look away from (weight < 0); RGB, already cropped."""

    picture: Image.Image
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Words to match (weight > 0) or to avoid (weight < 0)."""

    words: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ProductTerm:
    """A product of the shop to resemble (weight > 0) or to differ from (weight < 0); it is never its own hit."""

    product_id: str
    weight: float = 1.0


Term = PictureTerm | TextTerm | ProductTerm


@dataclass(frozen=True, slots=True)
class Query:
    """Everything asked in one search; hits `offset` to `offset + k` of the ranking are wanted.

    `blocks` overrides the default weight of named vector blocks ("look", "meaning", "colour", "words").
    Raises BadQuery when it is empty, too long, or asks beyond the limits.
    """

    terms: tuple[Term, ...]
    k: int = 10
    offset: int = 0
    blocks: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not self.terms:
            raise BadQuery("The query is empty.", "Give a picture, words, or a product id.")
        if not 1 <= self.k <= MAX_K:
            raise BadQuery(f"k is {self.k}, which is outside 1 to {MAX_K}.", f"Ask for at most {MAX_K} hits at a time.")
        if self.offset < 0 or self.offset + self.k > MAX_REACH:
            raise BadQuery(
                f"offset {self.offset} with k {self.k} is outside 0 to {MAX_REACH:,}.",
                "Narrow the query instead of paging further.",
            )
        for term in self.terms:
            _check_term(term)


def _check_term(term: Term) -> None:
    if not -10.0 <= term.weight <= 10.0:  # also refuses NaN
        raise BadQuery(
            f"A weight is {term.weight}, which is outside -10 to 10.", "Use 1 for yes and -0.5 for less of it."
        )
    if isinstance(term, TextTerm):
        if not term.words.strip():
            raise BadQuery("The words of the query are blank.", "Type what you are looking for.")
        if len(term.words) > MAX_TEXT:
            raise BadQuery(f"The query has {len(term.words):,} characters; the limit is {MAX_TEXT:,}.", "Shorten it.")
