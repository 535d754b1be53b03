"""A word that an English shop has is English, whatever other languages make of it."""

import pytest

from search.query.builder import build_query
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop

SHOP = (
    Item("dresser", "Oak dresser", (RED,), "Furniture"),
    Item("bowl", "Serving bowl", (GREEN,), "Kitchen"),
    Item("lampe", "Lampe Berger diffuser", (BLUE,), "Home"),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with make_shop(tmp_path_factory.mktemp("english") / "shop", SHOP) as engine:
        yield engine


@pytest.mark.parametrize("text", ["dresser", "dressers", "dresser in stock", "lampe berger", "lampe, not oak"])
def test_words_of_the_shop_are_not_translated(engine, text):
    page = engine.search(build_query(text=text, k=20))
    assert page.notes == () and page.hits[0].product.id == ("lampe" if text.startswith("lampe") else "dresser")


def test_a_part_of_a_question_has_the_language_of_the_whole(engine):
    assert "lampe was read as 'lamp'" in engine.search(build_query(text="lampe sans couvercle")).notes


def test_a_word_that_english_has_too_is_english_here(engine):
    assert engine.search(build_query(text="rot")).notes == ()
