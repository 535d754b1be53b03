"""A query: weighted pictures, texts and products, a filter, a sort order and a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from catalog.errors import BadQuery

LEXICAL = "lexical"  # the part of a score that matches in the product's own texts gave

if TYPE_CHECKING:
    from catalog.money.currencies import CurrencyMark
    from indexer.types import Floats
    from search.query.filters import Filter

MAX_K = 200
MAX_RANK = 10_000
MAX_TEXT = 1_000
MAX_WORDS = 2_000
MAX_TERMS = 24
MAX_PICTURES = 8
MAX_TIMEOUT_MS = 60_000

RELEVANCE, PRICE_UP, PRICE_DOWN, NEWEST = "relevance", "price", "-price", "newest"
SORTS = (RELEVANCE, PRICE_UP, PRICE_DOWN, NEWEST)


@dataclass(frozen=True, slots=True)
class PictureTerm:
    """A picture to resemble (weight > 0) or to differ from (weight < 0); RGB, already cropped."""

    picture: Image.Image
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class VectorTerm:
    """A picture that is encoded already, as a refine token carries it: float32 (encoder dim,)."""

    vector: Floats
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A text to match (weight > 0) or to avoid (weight < 0)."""

    words: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ProductTerm:
    """A product of the shop to resemble (weight > 0) or to differ from (weight < 0); it is never a hit."""

    product_id: str
    weight: float = 1.0


Term = PictureTerm | VectorTerm | TextTerm | ProductTerm


@dataclass(frozen=True, slots=True)
class Query:
    """One search; it returns hits `offset` to `offset + k` of the ranking.

    `blocks` overrides the default weight of named vector blocks ("look", "meaning", "colour", "words"), and the share
    of "lexical", matches in the products' own texts, in the score of a query of text alone. A query with a `filter` may
    have no terms: it browses, newest first. Listings of the same thing are one hit unless `collapse` is false; with
    `group_variants`, so are the variants of one item group, and counts are of groups. Steps that are late after
    `timeout_ms` milliseconds are left out, and the page names them. `cheaper` narrows the query to what costs less than
    the products that it resembles; `cropped` says that a picture is a crop, whose background colours should not count;
    `price_currency` is that of the price limit, as far as the shop has it; `typed` is the text of which terms and limit
    were made, to say what was understood of it. Raises BadQuery when the query is empty, too long, or beyond the
    limits.
    """

    terms: tuple[Term, ...]
    k: int = 10
    offset: int = 0
    blocks: Mapping[str, float] | None = None
    filter: Filter | None = None
    sort: str = RELEVANCE
    facets: bool = False
    collapse: bool = True
    group_variants: bool = False
    timeout_ms: int | None = None
    cheaper: bool = False
    cropped: bool = False
    price_currency: CurrencyMark | None = None
    typed: str = ""

    @classmethod
    def of(cls, **parts: Any) -> Query:
        """Return the query of a `picture` (path or image), a `text` and a `product_id`: at least one, or a `filter`.

        `crop` is the box of the picture that counts, as fractions (left, top, right, bottom); `weights` weighs the
        parts by name, below 0 for what is to be avoided; `filter` is a Filter or its JSON object. Other arguments are
        fields of Query, such as `k` and `sort`. Raises BadQuery, BadPicture.
        """
        from search.query.builder import build_query  # here, because the builder is made of these terms

        return build_query(**parts)

    def __post_init__(self) -> None:
        if not self.terms and self.filter is None:
            raise BadQuery("The query is empty.", "Give a picture, words, a product id, or a filter to browse by.")
        if not 1 <= self.k <= MAX_K:
            raise BadQuery(f"k is {self.k}, which is outside 1 to {MAX_K}.", f"Ask for at most {MAX_K} hits at a time.")
        if self.offset < 0 or self.offset + self.k > MAX_RANK:
            raise BadQuery(
                f"offset {self.offset} with k {self.k} is outside 0 to {MAX_RANK:,}.",
                "Narrow the query instead of paging further.",
            )
        if self.sort not in SORTS:
            raise BadQuery(f"There is no order {str(self.sort)[:40]!r}.", f"Sort by one of {', '.join(SORTS)}.")
        if self.timeout_ms is not None:
            check_timeout(self.timeout_ms)
        if len(self.terms) > MAX_TERMS:
            raise BadQuery(f"The query has {len(self.terms)} terms; the limit is {MAX_TERMS}.", "Leave some out.")
        pictures = sum(isinstance(term, PictureTerm | VectorTerm) for term in self.terms)
        if pictures > MAX_PICTURES:
            raise BadQuery(f"The query has {pictures} pictures; the limit is {MAX_PICTURES}.", "Leave some out.")
        for term in self.terms:
            _check_term(term)
        size = sum(len(term.words) for term in self.terms if isinstance(term, TextTerm))
        if size > MAX_WORDS:
            raise BadQuery(f"The query's texts have {size:,} characters; the limit is {MAX_WORDS:,}.", "Shorten it.")

    @property
    def is_single_picture(self) -> bool:
        """Whether the query is one picture and nothing else."""
        return len(self.terms) == 1 and isinstance(self.terms[0], PictureTerm | VectorTerm) and self.terms[0].weight > 0


def check_timeout(timeout_ms: int) -> int:
    """Return the time limit in milliseconds. Raises BadQuery when it is outside the limits."""
    if not 1 <= timeout_ms <= MAX_TIMEOUT_MS:
        raise BadQuery(f"timeout_ms is {timeout_ms}, which is outside 1 to {MAX_TIMEOUT_MS:,}.", "For example 500.")
    return timeout_ms


def _check_term(term: Term) -> None:
    if not -10.0 <= term.weight <= 10.0:
        hint = "Use 1 for yes and -0.5 for less of it."
        raise BadQuery(f"A weight is {term.weight}, which is outside -10 to 10.", hint)
    if isinstance(term, TextTerm):
        if not term.words.strip():
            raise BadQuery("The words of the query are blank.", "Type what you are looking for.")
        if len(term.words) > MAX_TEXT:
            raise BadQuery(f"The query has {len(term.words):,} characters; the limit is {MAX_TEXT:,}.", "Shorten it.")
