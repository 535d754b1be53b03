"""What the owner of a shop should know of a week: questions, clicks, carts, products, and merchants' work.

The week is today and the six days before; it is compared with the seven days before those. Searches come from
`search_counts`, clicks and carts from the event log, decisions from the decision store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from catalog.product import Product
from catalog.text.csv_export import csv_text
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED, DecisionStore
from search.ops.comparison import Share, count_trend, share_trend
from search.ops.search_counts import PHOTO, PHOTO_QUERY, SearchCount, SearchCounts, query_id_of
from search.recommend.events.event_log import CART, CLICK, EVENT_KINDS, PURCHASE, VIEW, EventLog

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
    PRODUCTS: ("id", "title", "purchases", "carts", "clicks", "views", "shown_in_all"),
    NEVER_SHOWN: ("id", "title"),
}

Find = Callable[[Sequence[str]], Mapping[str, Product]]
Title = Callable[[Product], str]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: the ordinals of the first and the last, and their beginning and end in unix seconds."""

    first: int
    last: int

    @property
    def begin(self) -> float:
        """Return the beginning of the first day, local time."""
        return datetime.combine(date.fromordinal(self.first), datetime.min.time()).timestamp()

    @property
    def end(self) -> float:
        """Return the end of the last day, local time."""
        return datetime.combine(date.fromordinal(self.last) + timedelta(days=1), datetime.min.time()).timestamp()


@dataclass(frozen=True, slots=True)
class ShopRecords:
    """What is known of a shop: `counts` and `events` are None where they are not kept; `ids` are those of products."""

    counts: SearchCounts | None
    events: EventLog | None
    decisions: DecisionStore
    ids: Callable[[], Iterable[str]]
    find: Find
    title: Title


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

    def to_dict(self) -> dict[str, Any]:
        """Return all figures and the first rows of each table, as JSON values."""
        tables = {name: self._all_rows(name) for name in TABLES}
        return {
            "counted": self._records.counts is not None,
            "since": None if self.since is None else date.fromordinal(self.since).isoformat(),
            "from": date.fromordinal(self.week.first).isoformat(),
            "until": date.fromordinal(self.week.last).isoformat(),
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
            if row["empty"]
        ]
        return sorted(rows, key=lambda row: (-row["times"], row["words"]))

    def _unclicked(self) -> list[Row]:
        """Return the texts whose results nobody clicked, where clicks are logged at all."""
        rows = [row | {"times": row["found"]} for row in self._questions if self._clicked and not row["clicked"]]
        return sorted(
            (row for row in rows if row["times"] >= MIN_UNCLICKED), key=lambda row: (-row["times"], row["words"])
        )

    @cached_property
    def _questions(self) -> list[Row]:
        """The week's texts, the most frequent first; three tables are made of them."""
        counts = sorted(self._searches.values(), key=lambda count: (-count.times, count.words))
        return [self._question(count) for count in counts if count.words != PHOTO]

    def _question(self, count: SearchCount) -> Row:
        earlier = self._earlier.get(count.words, SearchCount(count.words, 0, 0))
        return {
            "words": count.words,
            "times": count.times,
            "before": earlier.times if self._compared else None,
            "clicked": self._clicked.get(query_id_of(count.words), 0),
            "trend": count_trend(count.times, earlier.times if self._compared else None),
            "found": count.found,
            "empty": count.empty,
            "empty_before": earlier.empty if self._compared else None,
        }

    def _search_figures(self) -> list[Row]:
        """Return how many searches there were in words and by photo, and how many in words found nothing."""

        def figures(counts: Mapping[str, SearchCount]) -> dict[str, int]:
            words = [count for count in counts.values() if count.words != PHOTO]
            photo = counts.get(PHOTO)
            return {
                "word_searches": sum(count.times for count in words),
                "photo_searches": photo.times if photo else 0,
                "searches_without_answer": sum(count.empty for count in words),
            }

        if self._records.counts is None:
            return []
        now, before = figures(self._searches), figures(self._earlier)
        return [_figure(name, now[name], before[name] if self._compared else None) for name in now]

    def _search_shares(self) -> list[Row]:
        """Return the share of searches with a click, in words and by photo, and of those without an answer."""
        if self._records.counts is None:
            return []
        words = [count for count in self._searches.values() if count.words != PHOTO]
        found = sum(count.found for count in words)
        clicked = sum(self._clicked.get(query_id_of(count.words), 0) for count in words)
        photos = photo.times if (photo := self._searches.get(PHOTO)) else 0
        shares = {"clicked_searches": Share(min(clicked, found), found)}
        shares["clicked_photo_searches"] = Share(min(self._clicked.get(PHOTO_QUERY, 0), photos), photos)
        return [{"name": name, "now": share.to_dict(), "before": None, "trend": None} for name, share in shares.items()]

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
        return [_figure("visitors", now, before if before or self._compared else None)]

    def _visitor_shares(self) -> list[Row]:
        """Return the share of visitors who clicked a result, put something into a cart, and bought something."""
        if self._visitors is None:
            return []
        (now, did), (before, did_before) = self._visitors
        rows = []
        for kind in (CLICK, CART, PURCHASE):
            share, earlier = Share(did.get(kind, 0), now), Share(did_before.get(kind, 0), before)
            trend = share_trend(share, earlier if before else None)
            rows.append(
                {"name": f"visitors_{kind}", "now": share.to_dict(), "before": earlier.to_dict(), "trend": trend}
            )
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
        events, counts = self._records.events, self._records.counts
        by_product = {} if events is None else events.product_counts(self.week.begin, self.week.end)
        order = (PURCHASE, CART, CLICK, VIEW)
        known = by_product.keys() & set(self._ids)
        best = sorted(known, key=lambda sku: ([-by_product[sku].get(kind, 0) for kind in order], sku))
        shown = {} if counts is None else counts.shown()
        return [
            {
                "id": sku,
                **{f"{kind}s": by_product[sku].get(kind, 0) for kind in EVENT_KINDS},
                "shown_in_all": shown.get(sku, 0),
            }
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


def _figure(name: str, now: int, before: int | None) -> Row:
    return {"name": name, "now": now, "before": before, "trend": count_trend(now, before)}
