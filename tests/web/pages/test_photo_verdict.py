"""What the page says of a photo: exact, similar items of a kind, or not sold here with ways out."""

import pytest
from flask import g

from catalog.product import Picture, Product
from search.hits import SearchHit, SearchPage, Verdict
from search.query.terms import Query, TextTerm
from search.retrieval.verdict import Calibration
from tests.web.pages.test_shop import page, photo
from tests.web.shop_fixtures import fake_app
from web.pages.photo_verdict import verdict_view

UNSOLD = Calibration("fa" * 32, "look", slope=1.0, offset=-20.0, photos=50)  # to which no photo is sold


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A client of a shop that sells nothing of what any photo shows."""
    home = tmp_path_factory.mktemp("refusing")
    UNSOLD.save(home)
    with fake_app(home, page_hits=5) as app:
        yield app.test_client()


def found(*categories, probability=0.9, exact=None):
    hits = tuple(
        SearchHit(Product(str(number), "thing", (), category=category), Picture(""), 0.5, {})
        for number, category in enumerate(categories)
    )
    return SearchPage(Query((TextTerm("thing"),)), hits, 1, 1.0, verdict=Verdict(probability, exact))


@pytest.mark.parametrize(
    ("categories", "sentence"),
    [
        (["Apparel > Shirts"] * 8, "Similar shirts"),
        (["Apparel > Shirts"] * 6 + ["Apparel > Tops"] * 2, "Similar shirts"),
        (["Apparel > Shirts"] * 5 + ["Apparel > Tops"] * 3, "Similar items"),
        (["Apparel > T-shirts"] * 8, "Similar T-shirts"),
        ([""] * 8, "Similar items"),
    ],
)
def test_a_kind_is_named_when_it_is_clear(app, categories, sentence):
    with app.test_request_context("/"):
        assert verdict_view(found(*categories)).sentence == sentence


def test_the_sentences_are_of_the_page_s_language(app):
    with app.test_request_context("/"):
        g.language = "zh"
        assert verdict_view(found(*["Shirts"] * 8)).sentence == "相似的shirts"
        assert verdict_view(found("Shirts", exact=0.9)).sentence == "找到同款"


def test_what_is_exact_needs_no_kind_and_no_verdict_needs_no_sentence(app):
    with app.test_request_context("/"):
        assert verdict_view(found(*["Shirts"] * 8, exact=0.9)).sentence == "Exact match"
        assert verdict_view(SearchPage(Query((TextTerm("thing"),)), (), 1, 1.0)) is None


def test_not_sold_shows_one_row_and_ways_out(refusing):
    answer = refusing.post("/", data={"photo": photo()})
    shown = page(answer)
    assert "No match found" in answer.text and "close match" not in answer.text
    assert len(shown.titles) <= 6 and ("ul", {"class": "grid one-row"}) in shown.tags
    assert "Choose the photo again" not in answer.text and "Drag the box around the one you want" in answer.text
    links = [attrs.get("href", "") for tag, attrs in shown.tags if tag == "a"]
    assert any("category" in link and "Jumpers" in link for link in links)
    assert not any(attrs.get("class") == "paging" for tag, attrs in shown.tags)


def test_a_photo_of_what_is_sold_keeps_its_count_and_pages(client):
    answer = client.post("/", data={"photo": photo()})
    assert "No match found" not in answer.text and 'class="count"' in answer.text
