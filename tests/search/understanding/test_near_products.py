"""The row below the answers: its order, the parts of its scores, and that it is looked for only where it is shown."""

import numpy as np
import pytest

from search.merchandising.rules import EVERY, Rule
from search.query.terms import Query
from search.retrieval.lexical_fusion import TextScores
from search.retrieval.relevance import Relevance
from search.understanding.answer_set import AnswerSet
from search.understanding.understood import Understood
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, empty_rules, make_shop

MUGS = "Tableware > Mugs"
ANSWERS = tuple(Item(f"a{n}", f"mug {n}", (RED,), MUGS, "5", place="red and kitchen") for n in range(10))
NEAR = (  # what has one of the values looks unlike the question, and what has none looks like it
    Item("like1", "cup one", (RED,), MUGS, "5", place="cellar"),
    Item("like2", "cup two", (RED,), MUGS, "5", place="cellar"),
    Item("value", "cup three", (BLUE,), MUGS, "5", place="kitchen"),
)
OTHERS = tuple(
    Item(f"vase{n:02}", f"vase {n}", (GREEN,), "Decor > Vases", "9", place=("red", "kitchen")[n % 2]) for n in range(20)
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with make_shop(tmp_path_factory.mktemp("near") / "shop", (*ANSWERS, *NEAR, *OTHERS)) as engine:
        yield engine


@pytest.fixture
def store(shop):
    return empty_rules(shop)


def ask(shop, text="red kitchen mug", **options):
    return shop.search(Query.of(text=text, **{"k": 20, **options}))


def near(page):
    return [hit.product.id for hit in page.near]


def test_near_products_have_the_scores_of_kind_values_and_words(shop, store):
    page = ask(shop)
    assert (page.total, page.near_by) == (10, "values") and near(page) == ["value", "like1", "like2"]
    value, like, _ = page.near
    assert value.parts["kind"] == like.parts["kind"] == page.hits[0].parts["kind"] > 0
    assert value.parts["attributes"] > like.parts["attributes"] == 0
    assert value.parts["lexical"] > like.parts["lexical"] > 0 and value.parts["meaning"] < like.parts["meaning"]
    for hit in page.near:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)


def test_rules_order_near_products_too(shop, store):
    store.save([Rule("boost", "", "id=like2", EVERY, 10)], "test")
    page = ask(shop)
    assert near(page) == ["value", "like2", "like1"]
    value, boosted, other = page.near
    assert boosted.parts["rules"] > 0 == other.parts["rules"] == value.parts["rules"]
    assert value.parts["kind"] == boosted.parts["kind"] > 0
    assert boosted.score - other.score == pytest.approx(boosted.parts["rules"], abs=1e-5)


def test_parts_that_are_added_count_for_products_outside_an_examples_kind():
    keys, rules = np.arange(10, 16), np.array([0, 0, 0, 0.05, 0, -0.05], np.float32)
    similar = Relevance(Understood(), None, TextScores.of_part("kind", keys, np.array([0, 2]), 0.5))
    scores = similar.with_parts(keys, {"rules": rules}, 0.05).scores
    assert scores.keys.tolist() == keys.tolist() and scores.parts["rules"].tolist() == rules.tolist()
    assert scores.parts["kind"] == pytest.approx([0.475, 0, 0.475, 0, 0, 0])


@pytest.mark.parametrize("options", [{"sort": "price"}, {"offset": 30}, {"k": 10}])
def test_near_products_are_not_looked_for_where_they_are_not_shown(shop, store, monkeypatch, options):
    assert near(ask(shop))

    def fail(_):
        raise AssertionError("the near products were looked for")

    monkeypatch.setattr(AnswerSet, "near", property(fail))
    monkeypatch.setattr(Relevance, "of_near", fail)
    page = ask(shop, **options)
    assert page.total == 10 and not page.near
