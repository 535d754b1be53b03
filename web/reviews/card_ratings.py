"""The stars on cards: the rating of a product from those that the engine has in memory."""

from __future__ import annotations

from dataclasses import dataclass

from web.engine import get_engine
from web.reviews.wording import mean_text, rated_text


@dataclass(frozen=True, slots=True)
class CardRating:
    """The rating of a product as its card shows it, and in words for who does not see the star."""

    mean: str
    count: int
    words: str


def card_rating(product_id: str) -> CardRating | None:
    """Return the rating that a product's card shows; None without approved reviews."""
    found = get_engine().ratings.current().products.get(product_id)
    if found is None or not found.count:
        return None
    return CardRating(mean_text(found.mean), found.count, rated_text(found.mean, found.count))
