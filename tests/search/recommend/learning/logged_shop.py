"""A shop of 60 products whose events are a drawn log, and a model that is better than the rules on it."""

from contextlib import closing
from decimal import Decimal
from functools import cache

import numpy as np

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.recommend.events.event_log import EVENT_KINDS, Event, EventLog
from search.recommend.events.retention import EventLimits
from search.recommend.learning.fit import FitOptions
from search.recommend.models.base import RecommenderModel
from search.recommend.models.own_history import OwnHistory, own_counts
from search.recommend.models.popularity import Popularity
from tests.search.recommend.purchases import DAY_S, draw_log

drawn_log = cache(draw_log)
BEGIN = 1_780_000_000
WEEKS = 16


class Habits(RecommenderModel):
    """Own history, then what is popular in the kinds that the visitor buys."""

    name = "habits"

    def __init__(self, popularity, kinds):
        self.popularity, self.kinds = popularity, kinds

    @classmethod
    def fit(cls, events, products, now):
        return cls(Popularity.fit(events, products, now).weights, np.maximum(products.categories[:, -1], 0))

    def scores(self, visitor, context):
        own = own_counts(visitor.of_kind(), len(self.kinds), context.now)
        liked = np.bincount(self.kinds, own, minlength=self.kinds.max() + 1)
        return (own + liked[self.kinds] * self.popularity / (1e3 * self.popularity.max())).astype(np.float32)

    def arrays(self):
        return {"popularity": self.popularity, "kinds": self.kinds}

    @classmethod
    def from_arrays(cls, arrays):
        return cls(arrays["popularity"], arrays["kinds"])


class Dislikes(Habits):
    """Recommends what `Habits` never would: products of other kinds, the least popular first."""

    def scores(self, visitor, context):
        return 1 / (1 + super().scores(visitor, context))


class Memory(Habits):
    """Knows by heart what the visitors of its fit bought in its last weeks, as a model of many parameters does."""

    def __init__(self, popularity, kinds, first_events, bought, until):
        super().__init__(popularity, kinds)
        self.first_events, self.bought, self.until = first_events, bought, until

    @classmethod
    def fit(cls, events, products, now):
        habits, known = Habits.fit(events, products, now), events.between(0, now)
        late = known.between(now - 7 * DAY_S, now).of_kind()
        visitors = [each for each in range(len(known.visitor_ids)) if len(known.history(each))]
        bought = np.zeros((len(visitors), len(products)), np.bool_)
        for row, each in enumerate(visitors):
            bought[row, late.history(each).products] = True
        first_events = np.array([_first_events(known.history(each)) for each in visitors])
        return cls(habits.popularity, habits.kinds, first_events, bought, np.array(now))

    def scores(self, visitor, context):
        scores = super().scores(visitor, context)
        if context.now >= self.until or not len(visitor):
            return scores
        return scores + 1e3 * self.bought[self.first_events == _first_events(visitor)].any(axis=0)

    def arrays(self):
        own = {name: getattr(self, name) for name in ("first_events", "bought", "until")}
        return super().arrays() | own

    @classmethod
    def from_arrays(cls, arrays):
        return cls(**arrays)


def _first_events(visitor):
    """A number that hardly any two visitors share."""
    return int(np.dot(visitor.products[:4] + 1, 100 ** np.arange(len(visitor.products[:4])))) + int(visitor.times[0])


def options(kind=Habits):
    """Fit one model, against the rules."""
    rules = {rule.name: rule for rule in (OwnHistory, Popularity)}
    return FitOptions({"two_stage": kind}, {"two_stage": kind, **rules})


def make_catalogue(home, count=60, kinds=6):
    home.mkdir(parents=True, exist_ok=True)
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        catalogue.put(
            Product(f"p{i}", f"thing {i}", (), f"Shop > Kind {i % kinds}", Decimal(i + 1)) for i in range(count)
        )


def visitor(number):
    """The id of a visitor, as a shop's pages send it."""
    return f"visitor-{number}"


def record(home, weeks=(0, WEEKS), seed=0, visitors=120):
    """Record a drawn log's events of some weeks, as the server does."""
    table, events = drawn_log(seed, visitors, weeks=WEEKS)
    days, first, last = events.times // DAY_S, round(7 * weeks[0]), round(7 * weeks[1])
    with closing(EventLog.open(home, EventLimits(0, 0))) as log:
        for day in range(first, last):
            rows = np.flatnonzero(days == day).tolist()
            kinds = events.columns.kinds
            log.add(
                [
                    Event(EVENT_KINDS[kinds[row]], table.ids[events.products[row]], visitor(events.visitors[row]))
                    for row in rows
                ],
                now=BEGIN + day * DAY_S,
            )


def make_logged_shop(home, weeks=(0, WEEKS)):
    make_catalogue(home)
    record(home, weeks)
    return home
