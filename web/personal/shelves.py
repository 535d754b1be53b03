"""Shelves of the feed as pages show them: a heading, and cards that each say their reason in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from flask import current_app

from catalog.errors import DeadlineExceeded, StepFailed, StoreError, UnknownProduct
from catalog.product import Picture, Product
from search.recommend.feed.feed_page import (
    BECAUSE_YOU_LOOKED,
    BOUGHT_TOGETHER,
    FOR_YOU,
    POPULAR,
    POPULAR_IN_CATEGORY,
    TRENDING,
    TRENDING_NOW,
    FeedItem,
    FeedPage,
    FeedRequest,
    Shelf,
)
from web.engine import get_engine
from web.i18n.language import t
from web.i18n.reasons import reason_text, shelf_heading
from web.prices.lowest_prices import note_products

SHELF_CARDS = 6  # on the front page, where a shelf is one row
OF_MANY = frozenset({POPULAR, POPULAR_IN_CATEGORY, TRENDING_NOW})  # reasons that tell what many shoppers do


@dataclass(frozen=True, slots=True)
class ShelfCard:
    """A product of a shelf, its first picture, its place in the list, and the reason in words, "" for none."""

    product: Product
    picture: Picture | None
    rank: int
    reason: str


@dataclass(frozen=True, slots=True)
class ShelfView:
    """A shelf with its heading; clicks name `feed_id`. the first `popular` cards are what many shoppers like.

    A reason that all cards have stands in `reason`, and not on each of them. `next_offset` is where the next page
    begins, 0 at the end.
    """

    surface: str
    heading: str
    reason: str
    cards: tuple[ShelfCard, ...]
    personalised: bool
    popular: int
    next_offset: int
    feed_id: str


def shelf_views(
    visitor: str, feed_request: FeedRequest, dismissed: Collection[str] = (), named: str = ""
) -> tuple[ShelfView, ...]:
    """Return the shelves that have cards; none when the feed is late or fails: a page is whole without them.

    `dismissed` are products that the visitor does not want. Reasons that only repeat that a card goes with the product
    `named`, the one of the page, are left out.
    """
    repeat_share = current_app.config["FEED_REPEAT_SHARE"]
    wanted = replace(feed_request, repeat_share=repeat_share, dismissed=tuple(sorted(dismissed)))
    try:
        page = get_engine().recommender.feed(visitor, wanted, current_app.config["TIMEOUT_MS"])
    except (DeadlineExceeded, StepFailed, StoreError, UnknownProduct):
        return ()
    note_products(item.product for shelf in page.shelves for item in shelf.items)
    views = (_view(page, shelf, dismissed, named) for shelf in page.shelves)
    return tuple(view for view in views if view.cards)


def shelves_of_everybody() -> tuple[ShelfView, ...]:
    """Return what the front page shows to nobody in particular: what is trending, else what is popular, if anything is.

    A young shop has no trends yet, and one without events nothing popular.
    """
    trending = shelf_views("", FeedRequest(TRENDING, SHELF_CARDS, personal=False))
    if trending:
        return trending
    listed = shelf_views("", FeedRequest(FOR_YOU, SHELF_CARDS, personal=False))
    popular = (replace(view, heading=t("popular"), cards=view.cards[: view.popular]) for view in listed)
    return tuple(view for view in popular if view.cards)


def bought_together(product_id: str, most: int) -> tuple[ShelfCard, ...]:
    """Return what is bought together with a product, best first."""
    views = shelf_views("", FeedRequest(BOUGHT_TOGETHER, k=most, product=product_id), named=product_id)
    return views[0].cards if views else ()


def goes_with_all(product_ids: Sequence[str], most: int) -> tuple[ShelfCard, ...]:
    """Return what goes with several products, as those in a cart, best first."""
    views = shelf_views("", FeedRequest(BOUGHT_TOGETHER, k=most, cart=tuple(product_ids)))
    return views[0].cards if views else ()


def _view(page: FeedPage, shelf: Shelf, dismissed: Collection[str], named: str) -> ShelfView:
    numbered = enumerate(shelf.items, shelf.offset + 1)
    wanted = [(rank, item) for rank, item in numbered if item.product.id not in dismissed]
    because = shelf.because
    if shelf.surface == BECAUSE_YOU_LOOKED and because is not None:
        named = because.id  # the heading says it
    cards = [_card(rank, item, named) for rank, item in wanted]
    shared = {card.reason for card in cards}
    common = shared.pop() if len(shared) == 1 and len(cards) > 1 else ""
    return ShelfView(
        surface=shelf.surface,
        heading=shelf_heading(shelf.surface, because, shelf.viewed),
        reason=common,
        cards=tuple(replace(card, reason="") if common else card for card in cards),
        personalised=page.personalised,
        popular=len([*takewhile(lambda ranked: ranked[1].reason.code in OF_MANY, wanted)]),
        next_offset=shelf.offset + shelf.k if shelf.more else 0,
        feed_id=page.feed_id,
    )


def _card(rank: int, item: FeedItem, named: str) -> ShelfCard:
    product, reason = item.product, item.reason
    repeats = reason.product is not None and reason.product.id == named
    words = "" if repeats else reason_text(reason.code, reason.product, reason.facts)
    return ShelfCard(product, product.pictures[0] if product.pictures else None, rank, words)
