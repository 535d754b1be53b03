"""The owner's week: what is counted, what is compared, and what small numbers may not say."""

import csv
import io
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest

from catalog.product import Product
from search.listings.decision_store import Decision, DecisionStore, Item
from search.ops.comparison import FEWER, MORE, SAME, TOO_FEW, UNKNOWN, Share, count_trend, share_trend
from search.ops.insights import TABLES, Insights, ShopRecords
from search.ops.search_counts import (
    ANY,
    MAX_DAYS,
    MAX_SHOWN_DAYS,
    PHOTO,
    PHOTO_QUERY,
    PRUNE_EVERY,
    SearchCounts,
    query_id_of,
)
from search.recommend.events.event_log import CART, CLICK, PURCHASE, VIEW, Event, EventLog
from search.recommend.events.retention import DAY_S

NOW = datetime(2026, 11, 29, 12).timestamp()
KEY = b"k" * 32
SHOP = {name: Product(name, name.title(), ()) for name in ("mug", "lamp", "rug", "=1+1")}


@pytest.fixture
def shop(tmp_path):
    counts, events = SearchCounts(tmp_path), EventLog.open(tmp_path)
    find = lambda ids: {sku: SHOP[sku] for sku in ids if sku in SHOP}  # noqa: E731
    titled = lambda product: product.title  # noqa: E731
    records = ShopRecords(counts, events, DecisionStore(tmp_path), lambda: SHOP, find, titled, key=KEY)
    yield counts, events, lambda least=1: Insights(replace(records, least=least), NOW)
    events.close()


def searched(counts, words, times, *, found=True, shown=(), days_ago=0):
    for _ in range(times):
        assert counts.add(words, found, shown, NOW - days_ago * DAY_S)


def figures(insights):
    return {each["name"]: (each["now"], each["before"], each["trend"]) for each in insights.to_dict()["figures"]}


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        (30, None, UNKNOWN),
        (12, 7, TOO_FEW),
        (0, 0, TOO_FEW),
        (12, 10, SAME),
        (40, 10, MORE),
        (10, 40, FEWER),
        (20, 0, MORE),
    ],
)
def test_a_count_is_called_more_only_where_chance_is_not_enough(now, before, trend):
    assert count_trend(now, before) == trend


def test_shares_of_few_are_not_stated_and_not_compared():
    assert Share(3, 14).to_dict()["share"] is None and Share(0, 0).interval == (0.0, 1.0)
    stated = Share(30, 100).to_dict()
    assert stated["share"] == 0.3 and stated["low"] == pytest.approx(0.219, abs=0.001)
    assert stated["high"] == pytest.approx(0.396, abs=0.001)
    assert share_trend(Share(3, 14), Share(9, 100)) == TOO_FEW and share_trend(Share(30, 100), None) == UNKNOWN
    assert share_trend(Share(30, 100), Share(28, 100)) == SAME and share_trend(Share(60, 100), Share(30, 100)) == MORE
    assert share_trend(Share(0, 40), Share(0, 40)) == SAME


def test_questions_of_the_week_are_compared_with_the_week_before(shop):
    counts, events, insights = shop
    searched(counts, "first", 1, days_ago=20)
    searched(counts, "Red  mug", 30)
    searched(counts, "red mug", 5, days_ago=7)
    searched(counts, "sofa", 4, found=False)
    searched(counts, "lamp", 6)
    searched(counts, "rug", 4)
    searched(counts, PHOTO, 40)
    events.add([Event(CLICK, "mug", f"v{n}", query_id_of("RED mug", KEY), 1) for n in range(12)] * 2, NOW)
    events.add([Event(CLICK, "mug", f"v{n}", PHOTO_QUERY, 1) for n in range(10)], NOW)
    week = insights()
    rows = week.rows("questions")
    assert [(row["words"], row["times"], row["before"], row["clicked"], row["trend"]) for row in rows] == [
        ("red mug", 30, 5, 12, MORE),
        ("lamp", 6, 0, 0, TOO_FEW),
        ("rug", 4, 0, 0, TOO_FEW),
        ("sofa", 4, 0, 0, TOO_FEW),
    ]
    assert [row["words"] for row in week.rows("unanswered")] == ["sofa"]
    assert [row["words"] for row in week.rows("unclicked")] == ["lamp"]  # four searches say nothing yet
    assert figures(week)["word_searches"] == (44, 5, MORE) and figures(week)["photo_searches"] == (40, 0, MORE)
    shares = {each["name"]: each["now"] for each in week.to_dict()["shares"]}
    assert (shares["clicked_searches"]["count"], shares["clicked_searches"]["sample"]) == (12, 40)
    assert shares["clicked_photo_searches"]["share"] == 0.25
    assert (shares["visitors_click"]["count"], shares["visitors_click"]["sample"]) == (12, 12)
    assert shares["visitors_cart"]["share"] is None


def test_the_id_of_a_search_is_equal_in_one_shop_only():
    assert query_id_of("Red  mug", KEY) == query_id_of("red mug", KEY) != query_id_of("red mug", b"l" * 32)
    assert query_id_of("", KEY) == ""


def test_a_shop_that_has_just_begun_to_count_compares_nothing(shop):
    counts, _, insights = shop
    searched(counts, "mug", 30, days_ago=3)
    week = insights()
    assert week.rows("questions")[0]["before"] is None and figures(week)["word_searches"] == (30, None, UNKNOWN)
    assert week.rows("unclicked") == []  # no clicks are logged, so their lack says nothing
    assert week.to_dict()["since"] == "2026-11-26"


def test_products_the_best_first_and_those_that_nobody_was_shown(shop):
    counts, events, insights = shop
    assert insights().rows("never_shown") == []  # nothing is known yet
    searched(counts, "mug", 2, shown=["mug", "lamp"])
    events.add([Event(VIEW, "lamp", "a")] * 9 + [Event(CART, "mug", "b"), Event(PURCHASE, "mug", "b")], NOW)
    events.add([Event(VIEW, "gone", "a"), Event(CLICK, "rug", "a")], NOW)
    week = insights()
    assert [row["id"] for row in week.rows("products")] == ["mug", "rug", "lamp"]
    assert week.rows("products")[0] == {
        "id": "mug", "title": "Mug", "purchases": 1, "carts": 1, "clicks": 0, "views": 0
    }  # fmt: skip
    assert [row["id"] for row in week.rows("never_shown")] == ["rug", "=1+1"]
    assert week.to_dict()["tables"]["never_shown"]["total"] == 2
    table = list(csv.DictReader(io.StringIO(week.csv("never_shown"))))
    assert table[1] == {"id": "'=1+1", "title": "'=1+1"}
    assert all(next(csv.reader(io.StringIO(week.csv(name)))) == list(TABLES[name]) for name in TABLES)


def test_the_overview_reads_only_the_products_that_it_lists(shop, tmp_path, monkeypatch):
    counts, events, _ = shop
    searched(counts, "mug", 1, shown=["mug"])
    events.add([Event(VIEW, sku, "a") for sku in ("mug", "lamp", "gone")], NOW)
    read = []

    def find(ids):
        read.append(len(ids))
        return {sku: SHOP[sku] for sku in ids}

    monkeypatch.setattr("search.ops.insights.MAX_ROWS", 1)
    records = ShopRecords(counts, events, DecisionStore(tmp_path), lambda: SHOP, find, lambda product: product.title, 1)
    tables = Insights(records, NOW).to_dict()["tables"]
    assert tables["never_shown"] == {"rows": [{"id": "lamp", "title": "Lamp"}], "total": 3}
    assert tables["products"]["rows"][0]["title"] == "Lamp" and tables["products"]["total"] == 2
    assert read == [1, 1]


@pytest.fixture
def in_shanghai(monkeypatch):
    """The clock of a server there; 16:00 in London is midnight."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_clicks_count_by_the_same_days_as_searches(in_shanghai, shop):
    _, events, _ = shop
    for hour in (1, 7, 9):  # before and after midnight in London
        events.add([Event(CLICK, "mug", "v", "q", 1)], datetime(2026, 11, 29, hour).timestamp())
    assert events.clicked(0, 2**40) == {"q": 1}
    events.add([Event(CLICK, "mug", "v", "q", 1)], datetime(2026, 11, 28, 23).timestamp())
    assert events.clicked(0, 2**40) == {"q": 2}


def test_counts_hold_little_and_for_a_limited_time(tmp_path):
    counts = SearchCounts(tmp_path)
    assert counts.since() is None and counts.between(0, 10**7) == {} and counts.shown() == {}
    counts.add("bob@shop.example", True, (), NOW)
    counts.add("call 0151 2345678 mug", True, ["old"], NOW)
    assert set(counts.between(0, 10**7)) == {"…", "call … mug"}
    for _ in range(PRUNE_EVERY - 2):
        counts.add(None, True, (), NOW + MAX_DAYS * DAY_S)
    assert counts.between(0, 10**7) == {} and counts.shown() == {"old": 1}
    for _ in range(PRUNE_EVERY):
        counts.add(None, True, (), NOW + (MAX_SHOWN_DAYS + 1) * DAY_S)
    assert counts.shown() == {}
    counts.clear()
    assert counts.since() is None


def test_a_file_that_cannot_be_written_costs_no_answer(tmp_path):
    (tmp_path / "questions.sqlite").write_bytes(b"no database at all, and long enough to be looked at" * 40)
    assert not SearchCounts(tmp_path).add("mug", True, ["mug"])


def test_decisions_of_merchants_are_counted(shop, tmp_path):
    store = DecisionStore(tmp_path)
    store.record([(Item("a", "c", "f", b""), [Decision("colour", "red", "red"), Decision("size", "L", "M")])])
    listings, fields = store.counts_between(0, 2**40)
    assert listings == 1 and fields == {"accepted": 1, "corrected": 1, "declined": 0}
    assert store.counts_between(0, 5)[0] == 0


@pytest.mark.promise("P4")
def test_what_few_visitors_make_up_is_not_shown(shop):
    counts, events, insights = shop
    new = lambda words, times: [(words, ANY) if number < times else () for number in range(9)]  # noqa: E731
    for words, visitors in (("many", 5), ("few", 4)):
        for new_to in new(words, visitors):
            counts.add(words, True, ["mug"], NOW, new_to=new_to)
            counts.add(f"no {words}", False, (), NOW, new_to=[f"no {text}" for text in new_to if text != ANY])
    events.add([Event(CLICK, "mug", f"v{n}", query_id_of("many", KEY)) for n in range(4)], NOW)
    events.add([Event(VIEW, "mug", f"v{n}") for n in range(6)] + [Event(VIEW, "lamp", "v1")] * 40, NOW)
    week = insights(5)
    assert [row["words"] for row in week.rows("questions")] == ["many", "no many"]
    assert [row["words"] for row in week.rows("unanswered")] == ["no many"]
    assert week.rows("questions")[0]["clicked"] is None  # by four visitors
    assert week.rows("unclicked") == []  # it has clicks, although they are not shown
    (mug,) = week.rows("products")
    assert (mug["id"], mug["views"], mug["clicks"], mug["purchases"]) == ("mug", 6, None, 0)
    shares = {each["name"]: each["now"] for each in week.to_dict()["shares"]}
    assert set(shares["visitors_click"].values()) == set(shares["clicked_searches"].values()) == {None}
    assert shares["visitors_cart"]["count"] == 0  # nobody stands behind it
    shown = io.StringIO(week.csv("questions") + week.csv("unanswered") + week.csv("products"))
    assert "few" not in shown.read() and "lamp" not in shown.getvalue()


def test_a_share_that_is_withheld_has_no_trend(shop):
    _, events, insights = shop
    for days_ago, buyers in ((0, 4), (7, 30)):
        everybody = [Event(VIEW, "mug", f"v{number}") for number in range(60)]
        bought = [Event(PURCHASE, "mug", f"v{number}") for number in range(buyers)]
        events.add(everybody + bought, NOW - days_ago * DAY_S)

    def purchases(least):
        (row,) = (each for each in insights(least).to_dict()["shares"] if each["name"] == "visitors_purchase")
        return row["now"]["count"], row["before"]["count"], row["trend"]

    assert purchases(5) == (None, 30, UNKNOWN) and purchases(1) == (4, 30, FEWER)


def test_figures_of_few_visitors_are_not_shown(shop):
    counts, events, insights = shop
    for number in range(30):  # of one visitor
        counts.add("mug", True, (), NOW, new_to=() if number else ["mug", ANY])
        counts.add(PHOTO, True, (), NOW, new_to=() if number else [PHOTO])
    events.add([Event(VIEW, "mug", "v")] * 30, NOW)
    shown = figures(insights(5))
    assert all(shown[name] == (None, None, UNKNOWN) for name in ("word_searches", "photo_searches", "visitors"))
    assert figures(insights(1))["word_searches"][0] == 30


def test_those_who_searched_before_visitors_were_counted_are_taken_for_few(shop, tmp_path):
    counts, _, insights = shop
    searched(counts, "mug", 9)
    with closing(sqlite3.connect(tmp_path / "questions.sqlite")) as db, db:
        db.execute("DROP TABLE searchers")  # as an earlier version left it
    assert insights(5).rows("questions") == [] and insights(0).rows("questions") != []
