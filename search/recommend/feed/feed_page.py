"""What a personal feed is asked for, and its answer: shelves of products, each with a reason as a code and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from catalog.errors import BadQuery
from catalog.product import Product
from search.hits import product_facts
from search.query.filters import Filter
from search.recommend.experiments.surfaces import BECAUSE_YOU_LOOKED as BECAUSE_YOU_LOOKED
from search.recommend.experiments.surfaces import BOUGHT_TOGETHER as BOUGHT_TOGETHER
from search.recommend.experiments.surfaces import BUY_AGAIN as BUY_AGAIN
from search.recommend.experiments.surfaces import FOR_YOU as FOR_YOU
from search.recommend.experiments.surfaces import HOME as HOME
from search.recommend.experiments.surfaces import HOME_SHELVES as HOME_SHELVES
from search.recommend.experiments.surfaces import NEW_FOR_YOU as NEW_FOR_YOU
from search.recommend.experiments.surfaces import SURFACES as SURFACES
from search.recommend.experiments.surfaces import TRENDING as TRENDING

MAX_FEED = 200  # products of a shelf, over all of its pages
MAX_CART, MAX_VIEWED, MAX_DISMISSED = 100, 200, 200  # products that a request names
RELEVANCE_SHARE = 0.8  # share of relevance against diversity in maximal marginal relevance
REPEAT_SHARE = 0.5  # largest share of products of "for you" that the visitor bought before

# Reasons, each a statement on the shop's events, its products or the visitor's history that can be recomputed.
BOUGHT_BEFORE = "bought_before"  # times, days_ago
DUE_AGAIN = "due_again"  # times, every_days, days_ago
BOUGHT_WITH = "bought_with"  # product
VIEWED_WITH = "viewed_with"  # product
LIKE_VIEWED, LIKE_BOUGHT, LIKE = "like_viewed", "like_bought", "like"  # product
POPULAR, POPULAR_IN_CATEGORY = "popular", "popular_in_category"  # rank; rank, category
TRENDING_NOW = "trending"  # visitors, before
NEW_ARRIVAL = "new_arrival"  # after the models were fitted
ASSORTMENT = "assortment"
REASONS = (
    BOUGHT_BEFORE,
    DUE_AGAIN,
    BOUGHT_WITH,
    VIEWED_WITH,
    LIKE_VIEWED,
    LIKE_BOUGHT,
    LIKE,
    POPULAR,
    POPULAR_IN_CATEGORY,
    TRENDING_NOW,
    NEW_ARRIVAL,
    ASSORTMENT,
)


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What to show to a visitor; `personal` is false for one who wants no personalisation.

    `viewed` are products of this visit, oldest first, that may not be in the event log; `repeat_share` is the largest
    share of "for you" that the visitor bought before; `shelves` are those of the front page in their order. `use_model`
    says whether a fitted model ranks, where there is one. `dismissed` are products that the visitor does not want.
    """

    surface: str = FOR_YOU
    k: int = 20
    offset: int = 0
    cart: tuple[str, ...] = ()
    viewed: tuple[str, ...] = ()
    filter: Filter | None = None
    product: str | None = None
    dismissed: tuple[str, ...] = ()
    personal: bool = True
    repeat_share: float = REPEAT_SHARE
    relevance_share: float = RELEVANCE_SHARE
    shelves: tuple[str, ...] = HOME_SHELVES
    use_model: bool = True

    def __post_init__(self) -> None:
        if self.surface not in SURFACES:
            raise BadQuery(f"There is no surface {self.surface[:40]!r}.", f"Use one of {', '.join(SURFACES)}.")
        if not 1 <= self.k <= MAX_FEED or self.offset < 0 or self.offset + self.k > MAX_FEED:
            raise BadQuery(
                f"offset {self.offset} with k {self.k} is outside 0 to {MAX_FEED}.",
                f"A feed has at most {MAX_FEED} products.",
            )
        if self.surface == HOME and self.offset:
            raise BadQuery(f"The surface {HOME} has one page, so offset {self.offset} is none.", "Page one surface.")
        if self.surface == BOUGHT_TOGETHER and self.product is None and not self.cart:
            raise BadQuery(f"The surface {BOUGHT_TOGETHER} needs product or cart.", "Name the product, or the cart's.")
        for name, share in (("repeats", self.repeat_share), ("relevance", self.relevance_share)):
            if not 0.0 <= share <= 1.0:
                raise BadQuery(f"The share of {name} is {share:g}.", "Use 0 to 1.")
        if unknown := [name for name in self.shelves if name not in HOME_SHELVES]:
            raise BadQuery(f"There is no shelf {unknown[0][:40]!r}.", f"Use some of {', '.join(HOME_SHELVES)}.")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a product is shown: a code of REASONS, the product that it refers to, and the facts that its text states."""

    code: str
    product: Product | None = None
    facts: Mapping[str, int | str] = field(default_factory=lambda: MappingProxyType({}))

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as JSON values."""
        return {"code": self.code, "product_id": None if self.product is None else self.product.id, **self.facts}


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A product to show, its score (comparable within one shelf only), and why."""

    product: Product
    score: float
    reason: Reason

    def to_dict(self, rank: int) -> dict[str, Any]:
        """Return the item as JSON values; the picture as its content hash."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "reason": self.reason.to_dict(),
            "picture": self.product.pictures[0].sha256 if self.product.pictures else "",
        }


@dataclass(frozen=True, slots=True)
class Shelf:
    """Products of one surface, best first, from `offset` on; `more` says whether others follow.

    `because` is the product that "because you looked at" and "bought together" are about; `viewed` says whether the
    visitor viewed it.
    """

    surface: str
    items: tuple[FeedItem, ...] = ()
    offset: int = 0
    k: int = 0
    more: bool = False
    because: Product | None = None
    viewed: bool = False


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The answer: one shelf, or several for the front page, and what they were made from.

    `personalised` is false where nothing of the visitor was used; `model` is the version of the fitted model.
    """

    shelves: tuple[Shelf, ...]
    personalised: bool
    feed_id: str
    model: int | None = None
    arm: str | None = None
