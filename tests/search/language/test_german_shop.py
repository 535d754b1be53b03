"""A shop whose feed is German is searched in German: forms, compounds, kinds, and what is not wanted."""

import pytest

from search.query.builder import build_query
from tests.search.shop_fixtures import BLUE, GREEN, RED, YELLOW, Item, make_shop

SHOP = (
    Item("regal", "Wandregal Eiche", (RED,), "Möbel > Regale"),
    Item("buecher", "Bücherregal weiß", (GREEN,), "Möbel > Regale"),
    Item("tasse", "Rote Tasse", (BLUE,), "Küche > Tassen"),
    Item("kaffee", "Blaue Kaffeetasse", (YELLOW,), "Küche > Tassen"),
    Item("henkel", "Blaue Tasse, Henkel aus Holz", (GREEN, RED), "Küche > Tassen"),
    Item("ohne", "Weiße Tasse ohne Henkel", (YELLOW, RED), "Küche > Tassen"),
    Item("teller", "Roter Teller", (RED, BLUE), "Küche > Teller"),
    Item("topf", "Kochtopf mit Deckel", (GREEN, BLUE), "Küche > Töpfe"),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with make_shop(tmp_path_factory.mktemp("german") / "shop", SHOP) as engine:
        yield engine


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Regal", {"regal", "buecher"}),
        ("Regale aus Eiche", {"regal", "buecher"}),
        ("Tasse", {"tasse", "kaffee", "henkel", "ohne"}),
        ("rote Tassen", {"tasse", "kaffee", "henkel", "ohne"}),
        ("Kochtöpfe", {"topf"}),
        ("Tasse ohne Henkel", {"tasse", "kaffee", "henkel", "ohne"}),
    ],
)
def test_a_german_question_finds(engine, text, ids):
    page = engine.search(build_query(text=text, k=20))
    assert {hit.product.id for hit in page.hits} == ids, page.understood


def test_the_best_comes_first(engine):
    def first(text):
        return engine.search(build_query(text=text, blocks={"lexical": 1.0})).hits[0].product.id

    texts = ("rote Tassen", "weiße Regale", "Tasse ohne Henkel")
    assert [first(text) for text in texts] == ["tasse", "buecher", "ohne"]


def test_a_word_that_english_has_too_is_german_here(engine):
    hits = engine.search(build_query(text="rot", blocks={"lexical": 1.0})).hits
    assert {hit.product.id for hit in hits[:2]} == {"tasse", "teller"} and hits[1].score > hits[2].score
