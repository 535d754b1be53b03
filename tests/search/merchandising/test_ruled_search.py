"""What rules do to searches of a real engine: at once, on every page, with filters, orders, counts and previews."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import Rule
from search.ops.rule_preview import preview, redirect_of
from search.query.filters import parse_filter
from search.query.query_encoder import QueryEncoder
from search.query.terms import PRICE_UP, PictureTerm, ProductTerm, Query
from tests.fake_encoder import AXES
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, empty_rules, make_shop, picture

MUGS = tuple(Item(f"m{i}", f"red mug n{i}", (RED,), "Tableware > Mugs", f"{10 + i}.00") for i in range(6))
OTHERS = (
    Item("b", "blue mug", (BLUE,), "Tableware > Mugs", "3.00"),
    Item("v", "green vase", (GREEN,), "Decor > Vases", "8.00"),
    Item("w", "yellow vase", (YELLOW,), "Decor > Vases", "90.00"),
)
EVERYTHING = {item.id for item in (*MUGS, *OTHERS)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("ruled")
    with make_shop(home, (*MUGS, *OTHERS)) as engine:
        yield engine


@pytest.fixture
def store(shop):
    return empty_rules(shop)


def ask(shop, text="mug", **options):
    return shop.search(Query.of(text=text, **{"k": 20, "facets": True, **options}))


def ids(page):
    return [hit.product.id for hit in page.hits]


def facet(page, name):
    return {value.value: value.count for each in page.facets if each.name == name for value in each.values}


def save(store, *rules):
    store.save(rules, "test")


def test_the_next_search_follows_what_another_process_saved(shop, store):
    assert ids(ask(shop))[0] != "v"
    table = shop.home / "rules.csv"
    table.write_text("action,question,target\npin,mugs,v\n")
    command = [sys.executable, "-m", "search", "rules", "import", "--home", str(shop.home), str(table)]
    subprocess.run(command, check=True, capture_output=True)
    assert ids(ask(shop))[0] == "v"
    store.remove([store.all()[0].id], "test")
    assert ids(ask(shop))[0] != "v"


def test_a_pinned_product_joins_the_answers_wherever_it_is_counted(shop, store):
    before = ask(shop)
    save(store, Rule("pin", "mug", "v", number=2), Rule("pin", "mug", "m3", number=1))
    page = ask(shop)
    assert ids(page)[:2] == ["m3", "v"] and page.total == before.total + 1
    assert [each for each in ids(page) if each not in ("m3", "v")] == [each for each in ids(before) if each != "m3"]
    counts = facet(page, "category")
    assert {name: ask(shop, filter={"category": name}).total for name in counts} == counts
    assert set(counts) == {"Tableware", "Decor"}
    assert len(set(ids(page))) == len(ids(page)) == page.total
    pages = [each for offset in range(0, 12, 3) for each in ids(ask(shop, k=3, offset=offset))]
    assert pages == ids(page)
    assert ids(ask(shop, text="vase"))[0] in ("v", "w")  # another question is as it was


def test_pins_respect_filters_orders_and_removal(shop, store):
    save(store, Rule("pin", "mug", "v", number=1), Rule("pin", "mug", "gone", number=2))
    assert "v" not in ids(ask(shop, filter={"category": "Tableware"}))
    assert ids(ask(shop, filter={"price": {"max": 9}})) == ["v", "b"]
    assert ids(ask(shop, filter={"price": {"max": 9}})) == ids(ask(shop, text="mug under 9"))
    by_price = ask(shop, sort=PRICE_UP)
    assert ids(by_price)[:2] == ["b", "v"] and by_price.total == ask(shop).total
    save(store, Rule("hide", "", "id=v", "every"))
    assert "v" not in ids(ask(shop))


def test_a_pin_answers_what_nothing_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(QueryEncoder, "knows_word", lambda _, word: word in AXES)
    with make_shop(tmp_path, (*MUGS, *OTHERS)) as engine:
        assert ask(engine, text="qwrtzplm").total == 0
        RuleStore(tmp_path).save([Rule("pin", "qwrtzplm", "v")], "test")
        page = ask(engine, text="Qwrtzplm")
        assert (ids(page), page.total) == (["v"], 1) and set(facet(page, "category").values()) == {1}
        assert page.verdict is None or page.verdict.kind == "answers"
        assert ids(ask(engine, text="qwrtzplm", offset=1)) == []
        assert ids(ask(engine, text="qwrtzplm", facets=False)) == ["v"]
        assert ids(ask(engine, text="qwrtzplm", filter={"category": "Tableware"})) == []


def test_a_pin_joins_what_is_answered_by_likeness(shop, store):
    before = ask(shop, text="zeppelin")
    assert "v" not in ids(before)
    save(store, Rule("pin", "zeppelin", "v"))
    for facets in (True, False):
        page = ask(shop, text="zeppelin", facets=facets)
        assert ids(page)[0] == "v" and ids(page).count("v") == 1
    assert ask(shop, text="zeppelin").total == before.total + 1


def test_another_listing_of_a_pinned_product_is_no_hit(tmp_path):
    items = [Item(f"twin{i}", "red mug", (RED,), "Mugs", place="shelf") for i in range(3)]
    with make_shop(tmp_path, [*items, Item("b", "blue mug", (BLUE,), "Mugs")]) as engine:
        RuleStore(tmp_path).save([Rule("pin", "mug", "twin2", number=2)], "test")
        assert ids(ask(engine)) == ["b", "twin2"]
        assert set(ids(ask(engine, collapse=False))) == {"b", "twin0", "twin1", "twin2"}
        assert ids(ask(engine, collapse=False))[1] == "twin2"


def test_hidden_products_leave_hits_counts_and_the_row_below(shop, store):
    before = ask(shop)
    save(store, Rule("hide", "mug", "id=m0|m1"), Rule("hide", "", "id=w", "every"))
    page = ask(shop)
    assert page.total == before.total - 2 and not {"m0", "m1", "w"} & set(ids(page))
    assert sum(facet(page, "category").values()) <= sum(facet(before, "category").values()) - 2
    assert not {"m0", "m1", "w"} & {hit.product.id for hit in page.near}
    assert "w" not in ids(ask(shop, text="vase")) and "m0" in ids(ask(shop, text="red"))
    for term in (ProductTerm("v"), PictureTerm(picture(YELLOW))):
        assert "w" not in ids(shop.search(Query((term,), k=20)))
    assert {hit.product.id for hit in shop.search(Query((), k=20, filter=parse_filter({"id": ["w"]}))).hits} == {"w"}


def test_boosts_and_buries_change_the_order_and_nothing_else(shop, store):
    before = ask(shop)
    save(store, Rule("boost", "mug", "id=m5", "words", 10), Rule("bury", "mug", f"id={ids(before)[0]}", number=0.1))
    page = ask(shop)
    assert (page.total, page.facets, set(ids(page))) == (before.total, before.facets, set(ids(before)))
    assert ids(page)[0] == "m5" and ids(page).index(ids(before)[0]) > 0
    assert page.hits[0].parts["rules"] > 0
    assert sum(page.hits[0].parts.values()) == pytest.approx(page.hits[0].score, abs=1e-3)
    save(store, Rule("boost", "mug", "category=Decor", "words", 10))
    assert ids(ask(shop))[0] == "m5"  # the kind comes first
    assert ids(ask(shop, text="vase")) == ids(ask(shop, text="vase"))


def test_synonyms_work_at_once_and_both_ways(shop, store):
    assert ask(shop, text="zmorgkrug").hits[0].parts["lexical"] == 0
    save(store, Rule("synonym", "zmorgkrug", "vase"), Rule("one_way_synonym", "杯盏", "mug"))
    assert set(ids(ask(shop, text="zmorgkrug"))[:2]) == {"v", "w"}
    assert set(ids(ask(shop, text="杯盏"))) <= {item.id for item in MUGS} | {"b"} and ask(shop, text="杯盏").total
    assert ask(shop, text="zmorgkrug").hits[0].parts["lexical"] > 0
    store.save([], "test", only=True)
    assert ask(shop, text="zmorgkrug").hits[0].parts["lexical"] == 0


def test_redirects(shop, store):
    save(store, Rule("redirect", "returns", "/returns"), Rule("redirect", "mug", "https://example.com/mugs"))
    assert ask(shop, text="Returns").redirect == "/returns" == ask(shop, text="Returns").to_dict()["redirect"]
    assert redirect_of(shop, Query.of(text="mugs not red")) == "https://example.com/mugs"
    assert redirect_of(shop, Query.of(text="vase")) == "" and ask(shop, text="vase").to_dict()["redirect"] is None


RULES = st.sampled_from(
    [
        Rule("pin", "mug", "v", number=2),
        Rule("pin", "mug", "m4"),
        Rule("boost", "mug", "id=m5", "words", 10),
        Rule("bury", "", "price=..11", "every", 0.2),
        Rule("hide", "red mug", "id=m1|m2"),
        Rule("redirect", "mug", "/mugs", "words"),
        Rule("synonym", "mug", "vase"),
        Rule("pin", "mug", "v", number=5, starts="2099-01-01"),
    ]
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(RULES, max_size=4), RULES, st.sampled_from(["mug", "red mug", "vase"]))
def test_a_preview_is_what_then_happens(shop, store, saved, tried, text):
    store.save([], "test", only=True)
    store.save(saved, "test")
    query = Query.of(text=text, k=20, facets=True)
    now, then = preview(shop, query, tried)
    assert seen(now) == seen(shop.search(query))
    store.save([Rule(tried.action, tried.question, tried.target, tried.match, tried.number)], "test")
    assert seen(shop.search(query)) == seen(then)


def seen(page):
    return ids(page), page.total, page.facets, page.redirect, [hit.product.id for hit in page.near]
