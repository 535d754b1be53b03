"""What the owner of a shop should know of a week: questions, clicks, carts, products, and merchants' work.

The week is today and the six days before; it is compared with the seven days before those. Searches come from
`search_counts`, clicks and carts from the event log, decisions from the decision store. What fewer than
`least` visitors make up is withheld: a row is left out, a number is None.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from catalog.product import Product
from catalog.text.csv_export import csv_text
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED, DecisionStore
from search.ops.anonymity import DEFAULT_LEAST, shown_share, withheld
from search.ops.comparison import UNKNOWN, Share, Week, count_trend, share_trend
from search.ops.search_counts import PHOTO, PHOTO_QUERY, SearchCount, SearchCounts, query_id_of
from search.recommend.events.event_log import CART, CLICK, PURCHASE, VIEW, EventLog

WEEK_DAYS = 7
MIN_UNCLICKED = 5  # searches of a text, from which the lack of a click is reported
MAX_ROWS = 50  # of a list in the overview; a CSV file has all
MAX_CSV_ROWS = 10_000
QUESTIONS, UNANSWERED, UNCLICKED = "questions", "unanswered", "unclicked"
PRODUCTS, NEVER_SHOWN = "products", "never_shown"
TABLES: Mapping[str, tuple[str, ...]] = {
    QUESTIONS: ("words", "times", "before", "clicked", "trend"),
    UNANSWERED: ("words", "times", "before", "trend"),
    UNCLICKED: ("words", "times"),
    PRODUCTS: ("id", "title", "purchases", "carts", "clicks", "views"),
    NEVER_SHOWN: ("id", "title"),
}

Find = Callable[[Sequence[str]], Mapping[str, Product]]
Title = Callable[[Product], str]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ShopRecords:
    """What is known of a shop: `counts` and `events` are None where they are not kept; `ids` are those of products.

    `least` visitors make up what is shown. `key` makes the ids of searches, as for the pages.
    """

    counts: SearchCounts | None
    events: EventLog | None
    decisions: DecisionStore
    ids: Callable[[], Iterable[str]]
    find: Find
    title: Title
    least: int = DEFAULT_LEAST
    key: bytes = b""


class Insights:
    """The figures and tables of the week that ends today, read once from the records of a shop.

    Raises StoreError where they cannot be read.
    """

    def __init__(self, records: ShopRecords, now: float | None = None) -> None:
        today = date.fromtimestamp(time.time() if now is None else now).toordinal()
        self._records = records
        self.week = Week(today - WEEK_DAYS + 1, today)
        self.before = Week(self.week.first - WEEK_DAYS, self.week.first - 1)
        counts = records.counts
        self.since = None if counts is None else counts.since()
        self._compared = self.since is not None and self.since <= self.before.first
        self._searches = {} if counts is None else counts.between(self.week.first, self.week.last)
        self._earlier = {} if counts is None else counts.between(self.before.first, self.before.last)
        events = records.events
        self._clicked = {} if events is None else events.clicked(self.week.begin, self.week.end)
        self._clickers = {} if events is None else events.clickers(self.week.begin, self.week.end)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures and the first rows of each table, as JSON values."""
        tables = {name: self._all_rows(name) for name in TABLES}
        return {
            "counted": self._records.counts is not None,
            "since": None if self.since is None else date.fromordinal(self.since).isoformat(),
            "from": date.fromordinal(self.week.first).isoformat(),
            "until": date.fromordinal(self.week.last).isoformat(),
            "least_visitors": self._records.least,
            "figures": [*self._search_figures(), *self._visitor_figures(), *self._merchant_figures()],
            "shares": [*self._search_shares(), *self._visitor_shares()],
            "tables": {
                name: {"rows": self._complete(name, rows[:MAX_ROWS]), "total": len(rows)}
                for name, rows in tables.items()
            },
        }

    def rows(self, table: str) -> list[Row]:
        """Return the first MAX_CSV_ROWS rows of one of TABLES, the most important first."""
        return self._complete(table, self._all_rows(table)[:MAX_CSV_ROWS])

    def _all_rows(self, table: str) -> list[Row]:
        """Return all rows of one of TABLES, without the titles of products, which take long to read."""
        makers = {
            QUESTIONS: lambda: self._questions,
            UNANSWERED: self._unanswered,
            UNCLICKED: self._unclicked,
            PRODUCTS: self._products,
            NEVER_SHOWN: self._never_shown,
        }
        return makers[table]()

    def _complete(self, table: str, rows: Sequence[Row]) -> list[Row]:
        """Return rows with the columns of one of TABLES, and with the titles of their products."""
        names = TABLES[table]
        found = self._records.find([row["id"] for row in rows]) if rows and "title" in names else {}
        titles = {sku: self._records.title(product) for sku, product in found.items()}
        return [{name: titles.get(row["id"], "") if name == "title" else row[name] for name in names} for row in rows]

    def csv(self, table: str) -> str:
        """Return one of TABLES as CSV. Formulas are escaped for spreadsheets."""
        names = TABLES[table]
        return csv_text(names, [["" if row[name] is None else row[name] for name in names] for row in self.rows(table)])

    def _unanswered(self) -> list[Row]:
        """Return the texts that found nothing, or nothing near enough, with how often that was so."""
        rows = [
            row
            | {
                "times": row["empty"],
                "before": row["empty_before"],
                "trend": count_trend(row["empty"], row["empty_before"]),
            }
            for row in self._questions
            if row["empty"] and row["empty_by"] >= self._records.least
        ]
        return sorted(rows, key=lambda row: (-row["times"], row["words"]))

    def _unclicked(self) -> list[Row]:
        """Return the texts whose results nobody clicked, where clicks are logged at all."""
        least = self._records.least
        unclicked = (row for row in self._questions if self._clicked and row["words"] not in self._clicked_words)
        rows = [row | {"times": row["found"]} for row in unclicked if row["found_by"] >= least]
        return sorted(
            (row for row in rows if row["times"] >= MIN_UNCLICKED), key=lambda row: (-row["times"], row["words"])
        )

    @cached_property
    def _questions(self) -> list[Row]:
        """The week's texts, the most frequent first; three tables are made of them."""
        counts = sorted(self._searches.values(), key=lambda count: (-count.times, count.words))
        least = self._records.least
        return [self._question(count) for count in counts if count.words != PHOTO and count.visitors >= least]

    @cached_property
    def _clicked_words(self) -> frozenset[str]:
        return frozenset(words for words in self._searches if self._clicked.get(self._query_id(words)))

    def _question(self, count: SearchCount) -> Row:
        earlier = self._earlier.get(count.words, SearchCount(count.words, 0, 0))
        query_id = self._query_id(count.words)
        before = self._shown(earlier.times, earlier.visitors) if self._compared else None
        return {
            "words": count.words,
            "times": count.times,
            "before": before,
            "clicked": self._shown(self._clicked.get(query_id, 0), self._clickers.get(query_id, 0)),
            "trend": count_trend(count.times, before),
            "found": count.found,
            "found_by": count.found_by,
            "empty": count.empty,
            "empty_by": count.empty_by,
            "empty_before": self._shown(earlier.empty, earlier.empty_by) if self._compared else None,
        }

    def _query_id(self, words: str) -> str:
        return query_id_of(words, self._records.key)

    def _shown(self, count: int, visitors: int) -> int | None:
        return withheld(count, visitors, self._records.least)

    def _search_figures(self) -> list[Row]:
        """Return how many searches there were in words and by photo, and how many in words found nothing."""
        counts = self._records.counts
        if counts is None:
            return []

        def figures(week: Week, searches: Mapping[str, SearchCount]) -> dict[str, int | None]:
            words = [count for count in searches.values() if count.words != PHOTO]
            photo, anybody = searches.get(PHOTO), counts.visitors(week.first, week.last)
            return {
                "word_searches": self._shown(sum(count.times for count in words), anybody.visitors),
                "photo_searches": self._shown(photo.times, photo.visitors) if photo else 0,
                "searches_without_answer": self._shown(sum(count.empty for count in words), anybody.empty_by),
            }

        now, before = figures(self.week, self._searches), figures(self.before, self._earlier)
        return [_figure(name, now[name], before[name] if self._compared else None) for name in now]

    def _search_shares(self) -> list[Row]:
        """Return the share of searches with a click, in words and by photo, and of those without an answer."""
        if self._records.counts is None:
            return []
        words = [count for count in self._searches.values() if count.words != PHOTO]
        found = sum(count.found for count in words)
        clicked = sum(self._clicked.get(self._query_id(count.words), 0) for count in words)
        photos = photo.times if (photo := self._searches.get(PHOTO)) else 0
        shares = {
            "clicked_searches": (Share(min(clicked, found), found), self._text_clickers),
            "clicked_photo_searches": (
                Share(min(self._clicked.get(PHOTO_QUERY, 0), photos), photos), self._clickers.get(PHOTO_QUERY, 0)
            ),
        }  # fmt: skip
        return [
            {"name": name, "now": shown_share(share, clickers, self._records.least), "before": None, "trend": None}
            for name, (share, clickers) in shares.items()
        ]

    @property
    def _text_clickers(self) -> int:
        """Return a number of visitors that clicked results of words: those of the text that most of them clicked."""
        words = [words for words in self._searches if words != PHOTO]
        return max((self._clickers.get(self._query_id(text), 0) for text in words), default=0)

    @cached_property
    def _visitors(self) -> tuple[tuple[int, Mapping[str, int]], tuple[int, Mapping[str, int]]] | None:
        """Visitors, and how many did each kind of thing, of this week and the one before; None without a log."""
        events = self._records.events
        if events is None:
            return None
        return events.visitors(self.week.begin, self.week.end), events.visitors(self.before.begin, self.before.end)

    def _visitor_figures(self) -> list[Row]:
        if self._visitors is None:
            return []
        (now, _), (before, _) = self._visitors
        earlier = self._shown(before, before) if before or self._compared else None
        return [_figure("visitors", self._shown(now, now), earlier)]

    def _visitor_shares(self) -> list[Row]:
        """Return the share of visitors who clicked a result, put something into a cart, and bought something."""
        if self._visitors is None:
            return []
        (now, did), (before, did_before) = self._visitors
        rows = []
        for kind in (CLICK, CART, PURCHASE):
            share, earlier = Share(did.get(kind, 0), now), Share(did_before.get(kind, 0), before)
            shown, shown_before = (shown_share(value, value.count, self._records.least) for value in (share, earlier))
            known = None not in (shown["count"], shown_before["count"])  # a trend tells of what is withheld
            trend = share_trend(share, earlier if before else None) if known else UNKNOWN
            rows.append({"name": f"visitors_{kind}", "now": shown, "before": shown_before, "trend": trend})
        return rows

    def _merchant_figures(self) -> list[Row]:
        listings, fields = self._records.decisions.counts_between(self.week.begin, self.week.end)
        earlier, fields_before = self._records.decisions.counts_between(self.before.begin, self.before.end)
        rows = [_figure("listings_decided", listings, earlier)]
        return rows + [
            _figure(f"fields_{kind}", fields[kind], fields_before[kind]) for kind in (ACCEPTED, CORRECTED, DECLINED)
        ]

    def _products(self) -> list[Row]:
        """Return the products with events this week: the most bought first, then the most put into carts, clicked."""
        events = self._records.events
        by_product = {} if events is None else events.product_counts(self.week.begin, self.week.end)
        visitors = {} if events is None else events.product_visitors(self.week.begin, self.week.end)
        order = (PURCHASE, CART, CLICK, VIEW)
        known = {
            sku for sku in by_product.keys() & set(self._ids) if max(visitors[sku].values()) >= self._records.least
        }
        best = sorted(known, key=lambda sku: ([-by_product[sku].get(kind, 0) for kind in order], sku))
        return [
            {"id": sku} | {f"{k}s": self._shown(by_product[sku].get(k, 0), visitors[sku].get(k, 0)) for k in order}
            for sku in best
        ]

    def _never_shown(self) -> list[Row]:
        """Return the products that were in no results since counting began."""
        if self.since is None or self._records.counts is None:
            return []
        shown = self._records.counts.shown()
        return [{"id": sku} for sku in self._ids if sku not in shown]

    @cached_property
    def _ids(self) -> Sequence[str]:
        return tuple(self._records.ids())


def _figure(name: str, now: int | None, before: int | None) -> Row:
    return {"name": name, "now": now, "before": before, "trend": UNKNOWN if now is None else count_trend(now, before)}
