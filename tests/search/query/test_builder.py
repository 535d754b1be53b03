"""Queries from pictures, texts and products, as a library user makes them."""

from decimal import Decimal

import pytest
from PIL import Image

from catalog.errors import BadQuery
from catalog.images.crop import crop_picture, load_picture
from catalog.product import Product
from search.query.builder import QueryBuilder, build_query, crop_weights, resolve_query
from search.query.filters import Between, Filter, parse_filter
from search.query.intent import AVOID, LESS, MORE
from search.query.terms import MAX_PICTURES, PictureTerm, ProductTerm, Query, TextTerm
from tests.search.shop_fixtures import RED, picture


def test_a_query_is_made_in_one_call(tmp_path):
    picture(RED, 64).save(tmp_path / "photo.png")
    query = Query.of(picture=tmp_path / "photo.png", text="in green, not striped", product_id="a", k=5)
    photo = PictureTerm(load_picture(tmp_path / "photo.png"))
    terms = (TextTerm("in green"), TextTerm("striped", AVOID), ProductTerm("a"), photo)
    assert query == Query(terms, k=5, typed="in green, not striped")
    assert Query.of(picture=str(tmp_path / "photo.png")).terms == (photo,)


def test_parts_are_weighed_by_name():
    query = Query.of(picture=picture(RED), text="red", weights={"picture": 0.5, "text": -1})
    assert query.terms == (TextTerm("red", -1), PictureTerm(picture(RED), 0.5))
    with pytest.raises(BadQuery, match="'image', which is no part"):
        Query.of(text="red", weights={"image": 1})


def test_a_filter_may_be_its_json():
    assert Query.of(filter={"brand": "Acme"}) == Query((), filter=parse_filter({"brand": "Acme"}))
    assert Query.of(text="not red", filter=Filter()).terms == (TextTerm("red", AVOID),)


def test_a_crop_is_cut_out_and_marked():
    photo = Image.effect_noise((200, 100), 90).convert("RGB")
    query = Query.of(picture=photo, crop=(0.0, 0.0, 0.5, 1.0))
    assert query == Query((PictureTerm(crop_picture(photo, (0.0, 0.0, 0.5, 1.0))),), cropped=True)
    with pytest.raises(BadQuery, match="crop was given without a picture"):
        Query.of(text="red", crop=(0.0, 0.0, 0.5, 1.0))


def test_nothing_is_no_query():
    with pytest.raises(BadQuery, match="empty"):
        Query.of()


def test_a_base_query_is_extended():
    base = Query((TextTerm("mug"), ProductTerm("a")), k=3, sort="price", filter=parse_filter({"price": {"max": 50}}))
    query = QueryBuilder(base, k=5).feedback(["b"], ["a"]).text("not blue, under 20").build()
    terms = (TextTerm("mug"), ProductTerm("b", MORE), ProductTerm("a", LESS), TextTerm("blue", AVOID))
    limit = Filter((Between("price", None, 20.0),))
    assert query == Query(terms, k=5, sort="price", filter=limit, typed="not blue, under 20")


def test_too_many_pictures_are_refused_before_they_are_decoded():
    with pytest.raises(BadQuery, match="9 of them pictures"):
        QueryBuilder().text("mug").expect_pictures(MAX_PICTURES + 1)
    QueryBuilder().text("mug").expect_pictures(MAX_PICTURES)
    with pytest.raises(BadQuery, match="25 terms, 1 of them"):
        QueryBuilder().terms([TextTerm("mug")] * 24).expect_pictures(1)


def test_the_shop_resolves_a_crop_and_cheaper():
    query = Query((ProductTerm("a"), ProductTerm("b", -1.0)), cheaper=True, cropped=True)
    products = {"a": Product("a", "a", (), price=Decimal(20), currency="EUR")}
    resolved = resolve_query(query, ("look", "colour"), products.__getitem__)
    assert resolved.blocks == {"colour": 0.0} and resolved.filter == Filter((Between("price", None, 19.99, "EUR"),))
    assert not resolved.cheaper and not resolved.cropped
    assert resolve_query(resolved, ("look", "colour"), products.__getitem__) is resolved


def test_block_weights_of_the_caller_stand_in_a_crop():
    query = Query((ProductTerm("a"),), blocks={"colour": 1.0, "look": 0.5}, cropped=True)
    assert resolve_query(query, ("look", "colour"), {}.__getitem__).blocks == {"colour": 1.0, "look": 0.5}
    assert crop_weights(("colour",)) == {}


def test_a_price_that_was_chosen_counts_and_not_the_one_in_the_words():
    chosen = parse_filter({"price": {"min": 30}})
    assert build_query(text="mug under 20", filter=chosen).filter == chosen
    assert not build_query(text="this but cheaper", product_id="a", filter=chosen).cheaper
    assert build_query(text="mug under 20", filter={"brand": "Acme"}).filter.on("price").maximum == 20


@pytest.mark.parametrize("text", ["red mug, in stock", "in stock red mug", "red mug available now"])
def test_words_ask_for_what_is_in_stock(text):
    query = build_query(text=text)
    assert query.terms == (TextTerm("red mug"),) and query.filter == parse_filter({"in_stock": True})
    assert build_query(text=text, filter={"in_stock": False}).filter == parse_filter({"in_stock": False})
