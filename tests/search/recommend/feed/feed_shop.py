"""A shop with many categories and a log of purchases, for tests of the personal feed."""

import time

from search.recommend.events.event_log import Event
from search.recommend.feed.feed_page import FeedRequest
from tests.search.shop_fixtures import Item, make_shop

DAY_S = 86_400
NOW = int(time.time())
KINDS = 16  # categories, each with products of one colour family
PER_KIND = 6


def name(kind, number):
    return f"k{kind}-{number}"


def items():
    """KINDS categories of PER_KIND products; two of each kind are variants of one item group."""
    made = []
    for kind in range(KINDS):
        for number in range(PER_KIND):
            colour = (kind * 16, 40 * number, 255 - kind * 16)
            group = f"group {kind}" if number < 2 else ""
            made.append(
                Item(
                    name(kind, number), f"thing {kind} {number}", (colour,), f"Shop > Kind {kind}", "9.90", group=group
                )
            )
    return tuple(made)


def open_feed_shop(home):
    return make_shop(home, items())


def record(engine, visitor, *events, days_ago=0.0):
    """Store events (kind, product) of a visitor, as of some days ago."""
    engine.recommender.events.add([Event(kind, product, visitor) for kind, product in events], NOW - days_ago * DAY_S)


def feed(engine, visitor="", **wanted):
    """The feed of a visitor; of one surface, its shelf."""
    page = engine.recommender.feed(visitor, FeedRequest(**wanted))
    return page if wanted.get("surface") == "home" else page.shelves[0]


def ids(shelf):
    return [item.product.id for item in shelf.items]


def groceries(engine, visitors=40, weeks=4):
    """Visitors who buy k0-2 every week, k1-2 with it, and k2-2 once: a grocery, its companion and a durable."""
    for visitor in range(visitors):
        for week in range(weeks):
            record(engine, f"b{visitor}", ("purchase", "k0-2"), ("purchase", "k1-2"), days_ago=7 * week + 2)
        record(engine, f"b{visitor}", ("purchase", "k2-2"), days_ago=20)
    engine.recommender.refresh()
