"""A visitor as the ranking sees one: what was bought, looked at and put into the cart, by ordinal of the shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.recommend.content.session import MAX_VIEWS
from search.recommend.events.event_log import CART, CLICK, DAY_S, DISMISS, PURCHASE, VIEW
from search.recommend.events.interactions import KIND_CODES, History, Times
from search.recommend.feed.shop_arrays import ShopArrays, ordinals_of
from search.recommend.feed.visitor_histories import VisitorRecord

CART_DAYS = 7  # days after which a product put into the cart and never bought is taken to have left it
DURABLE_DAYS = 182  # days in which a durable that was bought is not shown again: the span of repeat rates
JUST_BOUGHT_DAYS = 1  # days in which nothing that was bought is shown again
MIN_REPEAT_RATE = 0.05  # probability of a second purchase below which a product is a durable


@dataclass(frozen=True, eq=False)
class Shopper:
    """One visitor at one moment; `history` has ordinals of the shop as products, `cart` those in the cart (c,)."""

    arrays: ShopArrays
    events: VisitorRecord
    history: History
    cart: Ids
    now: int

    @classmethod
    def of(cls, arrays: ShopArrays, events: VisitorRecord, cart: Sequence[str], now: int) -> Shopper:
        """Find the visitor's products, and those of the cart by id, among the products of the shop."""
        history = events.coded(ordinals_of(arrays.columns, events.ids))
        ordinals = ordinals_of(arrays.columns, cart)
        stored = history.where(history.kinds == KIND_CODES[CART])
        carted = np.unique(stored.products[stored.times > now - CART_DAYS * DAY_S])
        bought = history.of_kind().last_times(len(arrays))
        waiting = carted[stored.last_times(len(arrays))[carted] > bought[carted]]
        return cls(arrays, events, history, np.union1d(ordinals[ordinals >= 0], waiting).astype(np.int64), now)

    def __bool__(self) -> bool:
        return bool(len(self.history) or len(self.cart))

    @cached_property
    def recent(self) -> Ids:
        """The products touched last and not dismissed, newest first; at most MAX_VIEWS."""
        newest = self.history.products[~np.isin(self.history.products, self.dismissed)][::-1]
        _, first = np.unique(newest, return_index=True)
        return newest[np.sort(first)][:MAX_VIEWS].astype(np.int64)

    @cached_property
    def interests(self) -> Ids:
        """Of `recent`, what likeness may start from: no durables that the visitor has now, and purchases only alone.

        A fitted model knows what purchases say, and who bought one fridge wants no other.
        """
        looked_at = self.recent[~np.isin(self.recent, self.bought)]
        if len(looked_at) or self.arrays.fitted is not None:
            return looked_at
        others = self.recent[~np.isin(self.recent, self.durables)]
        return others if len(others) else self.recent

    @cached_property
    def purchases(self) -> History:
        """The purchases of the history."""
        return self.history.of_kind(PURCHASE)

    @cached_property
    def bought(self) -> Ids:
        """The products bought, each once, in the order of ordinals."""
        return np.unique(self.purchases.products).astype(np.int64)

    @cached_property
    def purchase_days(self) -> dict[int, Times]:
        """The days on which each product was bought, as whole days since 1970, ascending."""
        days = self.purchases.times // DAY_S
        return {int(product): np.unique(days[self.purchases.products == product]) for product in self.bought}

    @cached_property
    def durables(self) -> Ids:
        """Products bought lately that hardly anybody buys again, this visitor included."""
        last = self.purchases.last_times(len(self.arrays))[self.bought]
        once = np.array([len(self.purchase_days[int(product)]) == 1 for product in self.bought], np.bool_)
        rare = self.arrays.repeat_rates[self.bought] < MIN_REPEAT_RATE
        return self.bought[once & rare & (last > self.now - DURABLE_DAYS * DAY_S)]

    @cached_property
    def viewed(self) -> Ids:
        """The products viewed or clicked, each once, in the order of ordinals."""
        looks = np.isin(self.history.kinds, (KIND_CODES[VIEW], KIND_CODES[CLICK]))
        return np.unique(self.history.products[looks]).astype(np.int64)

    @cached_property
    def dismissed(self) -> Ids:
        """The products that the visitor dismissed, each once, in the order of ordinals."""
        return np.unique(self.history.of_kind(DISMISS).products).astype(np.int64)

    @cached_property
    def probabilities(self) -> Floats:
        """The fitted model's probability (n,) that the visitor buys each product, once for all shelves; 0 without."""
        fitted = self.arrays.fitted
        return (
            np.zeros(len(self.arrays), np.float32)
            if fitted is None
            else fitted.scores(self.events, self.cart, self.now)
        )

    @cached_property
    def unwanted(self) -> Mask:
        """The mask (n,) of what not to show: in the cart, just bought, a bought durable, dismissed; with variants."""
        last = self.purchases.last_times(len(self.arrays))[self.bought]
        just = self.bought[last > self.now - JUST_BOUGHT_DAYS * DAY_S]
        return self.with_variants(np.concatenate([self.cart, just, self.durables, self.dismissed]))

    def with_variants(self, ordinals: Ids) -> Mask:
        """Return the mask (n,) of products and of all variants of theirs."""
        groups = np.zeros(len(self.arrays), np.bool_)
        groups[self.arrays.groups[ordinals]] = True
        return groups[self.arrays.groups]
