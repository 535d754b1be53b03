"""Customers' photos are found by a photo that looks like them, while their review is approved."""

import hashlib
import io

import pytest

from catalog.reviews.review import APPROVED, PENDING, REJECTED, ReviewDraft
from catalog.reviews.review_query import NewReview
from catalog.reviews.review_store import ReviewStore
from search.query.terms import PictureTerm, Query, TextTerm
from search.reviews.photo_retrieval import photo_search
from tests.search.shop_fixtures import BLUE, GREEN, RED, make_shop, picture


@pytest.fixture
def shop(tmp_path):
    with make_shop(tmp_path) as engine:
        yield engine


def review(engine, product_id, *colours, state=APPROVED, visitor="v"):
    store, photos = ReviewStore(engine.home), []
    for colour in colours:
        out = io.BytesIO()
        picture(colour, 16).save(out, "JPEG", quality=95)
        photos.append(hashlib.sha256(out.getvalue()).hexdigest())
        store.photos.put(photos[-1], out.getvalue())
    draft = ReviewDraft(product_id, 4, f"with a photo {product_id} {visitor}", state=state, photos=tuple(photos))
    store.add_many([NewReview(draft, visitor)])


def found(engine, colour=BLUE, k=6):
    while engine.review_photos.follow():
        pass
    page = engine.search(Query((PictureTerm(picture(colour)),), k=3))
    return [(photo.product.id, round(photo.score, 1)) for photo in engine.review_photos.nearest(page.query, k)]


def test_a_photo_of_an_approved_review_is_found(shop):
    review(shop, "r", BLUE)  # the customer shows the red scarf on something blue
    assert found(shop, BLUE)[0][0] == "r"
    assert "r" not in [hit.product.id for hit in shop.search(Query((PictureTerm(picture(BLUE)),), k=1)).hits]


def test_what_waits_or_is_rejected_is_not_found(shop):
    review(shop, "r", BLUE, state=PENDING)
    assert found(shop) == []
    store = ReviewStore(shop.home)
    ids = [one.id for one in store.queue(PENDING).reviews]
    store.decide(ids, APPROVED)
    assert [product for product, _ in found(shop)] == ["r"]
    store.decide(ids, REJECTED)
    assert found(shop) == []


def test_a_product_has_one_photo_and_the_nearest_comes_first(shop):
    review(shop, "r", GREEN, BLUE)
    review(shop, "g", BLUE, visitor="w")
    assert sorted(product for product, _ in found(shop)) == ["g", "r"]
    assert len(found(shop, k=1)) == 1


def test_a_query_without_a_picture_finds_none(shop):
    review(shop, "r", RED)
    found(shop)
    assert shop.review_photos.nearest(Query((TextTerm("red"),))) == ()


def test_photos_are_encoded_in_portions_and_once(shop, monkeypatch):
    monkeypatch.setattr(photo_search, "PORTION", 1)
    review(shop, "r", RED, GREEN, BLUE)
    assert [shop.review_photos.follow() for _ in range(3)] == [True, True, False]
    encoded = []
    original = type(shop.encoder).encode_pixels
    monkeypatch.setattr(type(shop.encoder), "encode_pixels", lambda self, px: encoded.append(px) or original(self, px))
    review(shop, "g", RED, visitor="w")  # the same picture
    assert not shop.review_photos.follow() and not encoded
    removed = ReviewStore(shop.home)
    removed.remove([one.id for one in removed.queue(APPROVED).reviews])
    assert found(shop, RED) == []
