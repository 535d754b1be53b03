"""Give each product of a feed a reason that is true: a statement on events and products, with its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from indexer.types import Floats, Ids
from search.recommend.events.event_log import DAY_S
from search.recommend.events.purchase_statistics import Strengths
from search.recommend.feed import feed_page as page
from search.recommend.feed.feed_context import FeedContext

MIN_LIKENESS = 0.5  # similarity from which a product is said to be like another
DUE_SHARE = 0.8  # share of the usual interval after which a product is due again
MAX_INTERVALS_DUE = 4  # usual intervals after which nobody would say that a product is still bought
MIN_DAYS_DUE = 3  # days of purchase from which on there is a usual interval
MAX_POPULAR_RANK = 200  # ranks beyond which popularity is no reason


class Cause(NamedTuple):
    """A reason as the ranking knows it: its code, the ordinal of the product that it refers to or -1, and its facts."""

    code: str
    product: int = -1
    facts: Mapping[str, int | str] = {}


@dataclass(frozen=True, slots=True, eq=False)
class ReasonFinder:
    """Finds the reasons of one feed. `anchors` (a,) are products that likeness may refer to, with their rows."""

    context: FeedContext
    anchors: Ids
    anchor_rows: Floats

    @classmethod
    def of(cls, context: FeedContext) -> ReasonFinder:
        """Make the finder for what the visitor touched last, and what is in the cart."""
        recent, cart = context.shopper.recent, context.shopper.cart
        anchors = np.concatenate([recent, cart[~np.isin(cart, recent)]])
        return cls(context, anchors, context.rows(anchors))

    def causes(self, ordinals: Ids, rows: Floats) -> list[Cause]:
        """Return the reason of each product, the most telling one that is true."""
        likeness = rows @ self.anchor_rows.T if len(self.anchors) else np.zeros((len(ordinals), 0), np.float32)
        return [self._cause(int(ordinal), near) for ordinal, near in zip(ordinals, likeness, strict=True)]

    def bought(self, ordinal: int) -> Cause | None:
        """Return that the visitor bought the product before, or that it is due again; None where neither is so."""
        shopper = self.context.shopper
        days = shopper.purchase_days.get(ordinal)
        if days is None:
            return None
        facts = {"times": len(days), "days_ago": int(shopper.now // DAY_S - days[-1])}
        if len(days) >= MIN_DAYS_DUE:
            every = int(np.median(np.diff(days)))
            if DUE_SHARE * every <= facts["days_ago"] <= MAX_INTERVALS_DUE * max(every, 1):
                return Cause(page.DUE_AGAIN, facts=facts | {"every_days": every})
        return Cause(page.BOUGHT_BEFORE, facts=facts)

    def together(self, ordinal: int, anchors: Ids) -> Cause | None:
        """Return with which of the anchors the product was bought, or viewed, most strongly; None where with none."""
        statistics, anchors = self.context.statistics, self._other_things(ordinal, anchors)
        return (
            self._fitted_together(ordinal, anchors)
            or self._counted_together(ordinal, anchors.tolist(), page.BOUGHT_WITH, statistics.purchases.together)
            or self._counted_together(ordinal, anchors.tolist(), page.VIEWED_WITH, statistics.together)
        )

    def bought_with(self, ordinal: int, anchors: Ids) -> Cause | None:
        """Return with which of the anchors the product was bought most strongly; None where with none."""
        fitted, counted = self.context.arrays.fitted, self.context.statistics.purchases.together
        anchors = self._other_things(ordinal, anchors)
        of_purchases = anchors if fitted is None else anchors[fitted.is_bought(anchors)]
        return self._fitted_together(ordinal, of_purchases) or self._counted_together(
            ordinal, anchors.tolist(), page.BOUGHT_WITH, counted
        )

    def _other_things(self, ordinal: int, anchors: Ids) -> Ids:
        """Return the anchors that are no variants of a product: with itself in another colour is no reason."""
        groups = self.context.arrays.groups
        return np.asarray(anchors[groups[anchors] != groups[ordinal]], np.int64)

    def _fitted_together(self, ordinal: int, anchors: Ids) -> Cause | None:
        fitted = self.context.arrays.fitted
        if fitted is None or fitted.codes[ordinal] < 0:
            return None
        known = anchors[fitted.codes[anchors] >= 0]
        strongest = fitted.together.strongest(fitted.codes[known], int(fitted.codes[ordinal])) if len(known) else None
        if strongest is None:
            return None
        code = page.BOUGHT_WITH if fitted.together.bought[strongest] else page.VIEWED_WITH
        return Cause(code, int(fitted.ordinals[strongest]))

    def _counted_together(self, ordinal: int, anchors: Sequence[int], code: str, strengths: Strengths) -> Cause | None:
        ids = self.context.arrays.columns.ids
        found = [
            (strengths.get(ids[anchor], {}).get(ids[ordinal], 0.0), -place) for place, anchor in enumerate(anchors)
        ]
        strength, place = max(found, default=(0.0, 0))
        return Cause(code, int(anchors[-place])) if strength > 0 else None

    def popular(self, ordinal: int) -> Cause | None:
        """Return the product's place by popularity in its category or in the shop; None where few visitors make it."""
        arrays = self.context.arrays
        if not arrays.of_many[ordinal]:
            return None
        above = arrays.popularity > arrays.popularity[ordinal]
        category = int(arrays.categories[ordinal])
        rank = int(np.count_nonzero(above)) + 1
        if category >= 0:
            of_category = int(np.count_nonzero(above & (arrays.categories == category))) + 1
            touched = category in arrays.categories[self.context.shopper.recent]
            if touched or of_category * 10 <= rank:
                facts: dict[str, int | str] = {"rank": of_category, "category": arrays.category_name(category)}
                return Cause(page.POPULAR_IN_CATEGORY, facts=facts)
        return Cause(page.POPULAR, facts={"rank": rank}) if rank <= MAX_POPULAR_RANK else None

    def like(self, place: int) -> Cause:
        """Return the likeness to the anchor at a place, which was bought, or viewed, or neither, as one in the cart."""
        anchor, shopper = int(self.anchors[place]), self.context.shopper
        if anchor in shopper.bought:
            return Cause(page.LIKE_BOUGHT, anchor)
        return Cause(page.LIKE_VIEWED if anchor in shopper.viewed else page.LIKE, anchor)

    def _cause(self, ordinal: int, likeness: Floats) -> Cause:
        known = self.bought(ordinal) or self.together(ordinal, self.anchors)
        if known is None and len(likeness) and likeness.max() >= MIN_LIKENESS:
            known = self.like(int(likeness.argmax()))
        known = known or self.popular(ordinal)
        fitted = self.context.arrays.fitted
        newer = fitted is not None and fitted.codes[ordinal] < 0
        return known or Cause(page.NEW_ARRIVAL if newer else page.ASSORTMENT)
