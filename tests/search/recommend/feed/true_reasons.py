"""Recompute the reasons of a feed from the stored events alone, one by one, without the code that gives them."""

import itertools
import statistics
import time
from collections import defaultdict

from search.recommend.feed.feed_page import (
    ASSORTMENT,
    BOUGHT_BEFORE,
    BOUGHT_WITH,
    DUE_AGAIN,
    LIKE,
    LIKE_BOUGHT,
    LIKE_VIEWED,
    NEW_ARRIVAL,
    POPULAR,
    POPULAR_IN_CATEGORY,
    TRENDING_NOW,
    VIEWED_WITH,
)

DAY_S = 86_400
PAUSE_S = 1_800
WEIGHTS = {"view": 1.0, "click": 1.0, "cart": 3.0, "purchase": 5.0}
MIN_LIKENESS = 0.5
LEAST_VISITORS = 5


class TrueReasons:
    """What is true of a shop's events at one moment; `holds` tells whether a reason of an item is."""

    def __init__(self, engine):
        self.engine = engine
        self.now = time.time()
        self.events = sorted(engine.recommender.events.newest(10**6), key=lambda event: (event.visitor, event.at))
        self.sessions = self._sessions()
        self.popularity = self._popularity()

    def holds(self, item, visitor):
        reason, product = item.reason, item.product.id
        facts = reason.facts
        if reason.code in (BOUGHT_BEFORE, DUE_AGAIN):
            return self._bought(visitor, product, reason.code, facts)
        if reason.code in (BOUGHT_WITH, VIEWED_WITH):
            kinds = {"purchase"} if reason.code == BOUGHT_WITH else set(WEIGHTS)
            both = [bought for bought in self._products(kinds) if {product, reason.product.id} <= bought]
            return len(both) >= 2
        if reason.code in (LIKE_VIEWED, LIKE_BOUGHT, LIKE):
            key = self.engine.recommender.events.key_of(visitor)
            kinds = {e.kind for e in self.events if e.visitor == key and e.product_id == reason.product.id}
            one, other = self.engine.similarity_vectors([product, reason.product.id])
            known = LIKE_BOUGHT if "purchase" in kinds else LIKE_VIEWED if kinds & {"view", "click"} else LIKE
            return reason.code == known and one @ other >= MIN_LIKENESS
        if reason.code in (POPULAR, POPULAR_IN_CATEGORY):
            return product in self.popularity and facts["rank"] == self._rank(item.product, facts.get("category"))
        if reason.code == TRENDING_NOW:
            visitors, before = self._visitors(product, facts["days"])
            stated = facts.get("before", before)  # left out where few visitors make it up
            return (facts["visitors"], stated) == (visitors, before) and visitors > before
        models = self.engine.recommender.models
        newer = models is not None and product not in models.table.ids
        return reason.code == (NEW_ARRIVAL if newer else ASSORTMENT)

    def _bought(self, visitor, product, code, facts):
        key = self.engine.recommender.events.key_of(visitor)
        bought = [e for e in self.events if e.visitor == key and e.product_id == product and e.kind == "purchase"]
        days = sorted({event.at // DAY_S for event in bought})
        ago = int(self.now // DAY_S - days[-1])
        if facts["times"] != len(days) or facts["days_ago"] != ago:
            return False
        if code == BOUGHT_BEFORE:
            return True
        every = int(statistics.median([later - day for day, later in itertools.pairwise(days)]))
        return len(days) >= 3 and facts["every_days"] == every and ago >= 0.8 * every

    def _sessions(self):
        sessions, last = [], None
        for event in self.events:
            if last is None or event.visitor != last.visitor or event.at - last.at > PAUSE_S:
                sessions.append([])
            sessions[-1].append(event)
            last = event
        return sessions

    def _products(self, kinds):
        return [{event.product_id for event in session if event.kind in kinds} for session in self.sessions]

    def _popularity(self):
        total = defaultdict(float)
        for session in self.sessions:
            best = defaultdict(float)
            for event in session:
                weight = WEIGHTS[event.kind] * 0.5 ** ((self.now - event.at) / DAY_S / 14)
                best[event.product_id] = max(best[event.product_id], weight)
            for product, weight in best.items():
                total[product] += weight
        by_whom = defaultdict(set)
        for event in self.events:
            by_whom[event.product_id].add(event.visitor)
        return {product: weight for product, weight in total.items() if len(by_whom[product]) >= LEAST_VISITORS}

    def _rank(self, product, category):
        others = [other for other, worth in self.popularity.items() if worth > self.popularity[product.id] * (1 + 1e-5)]
        if category is not None:
            assert product.category == category
            found = self.engine.find(others)
            others = [other for other in others if found[other].category == category]
        return len(others) + 1

    def _visitors(self, product, days):
        def between(low, high):
            ages = [(e.visitor, (self.now - e.at) / DAY_S) for e in self.events if e.product_id == product]
            return len({visitor for visitor, age in ages if low <= age < high})

        return between(0, days), between(days, 2 * days)
