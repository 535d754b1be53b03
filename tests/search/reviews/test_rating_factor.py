"""Ratings order what is otherwise alike, never more than that, at once, and not at all where they are switched off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.product import Product
from catalog.reviews.review import APPROVED, PENDING, ReviewDraft
from catalog.reviews.review_query import NewReview, ProductRating, RatingTable
from catalog.reviews.review_store import ReviewStore
from search.query.terms import PictureTerm, Query
from search.reviews.ranking import rating_factor
from search.reviews.ranking.rating_factor import PRIOR_REVIEWS, RATING_SHARE, bayesian_mean, rating_parts
from search.state.column_store import ProductColumns
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, picture

MUGS = tuple(Item(f"m{i}", "red mug", (RED,), "Tableware > Mugs", place=f"m{i}") for i in range(4))
OTHERS = (Item("b", "blue mug", (BLUE,), "Tableware > Mugs"), Item("v", "green vase", (GREEN,), "Decor > Vases"))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(rating_factor, "LOOK_SECONDS", 0.0)
    with make_shop(tmp_path, (*MUGS, *OTHERS)) as engine:
        yield engine


def rate(engine, product_id, stars, count=20, state=APPROVED):
    drafts = [ReviewDraft(product_id, stars, f"{product_id} {stars} {i}", state=state) for i in range(count)]
    ReviewStore(engine.home).add_many([NewReview(draft, f"{product_id}-{i}") for i, draft in enumerate(drafts)])


def search(engine, text="red mug", **options):
    return engine.search(Query.of(text=text, k=10, **options))


def ids(page):
    return [hit.product.id for hit in page.hits]


def test_the_better_rated_of_equals_comes_first_at_once(shop):
    before = {hit.product.id: hit.score for hit in search(shop).hits}
    rate(shop, "m0", 1)
    rate(shop, "m3", 5)
    found = ids(search(shop))
    assert found.index("m3") < found.index("m1") < found.index("m0")
    parts = {hit.product.id: hit.parts.get("rating", 0.0) for hit in search(shop).hits}
    assert parts["m3"] > 0 > parts["m0"] and all(abs(part) <= RATING_SHARE for part in parts.values())
    assert set(before) == set(found)  # ratings add no results and hide none


def test_ratings_never_outweigh_kind_or_value(shop):
    for product_id in ("m0", "m1", "m2", "m3"):
        rate(shop, product_id, 1, 200)
    for product_id in ("v", "b"):
        rate(shop, product_id, 5, 200)
    assert set(ids(search(shop))[:4]) == {"m0", "m1", "m2", "m3"}


def test_reviews_that_wait_do_not_count(shop):
    before = ids(search(shop))
    rate(shop, before[-1], 5, state=PENDING)
    assert ids(search(shop)) == before


def test_a_switch_turns_ratings_off(shop):
    before = [(hit.product.id, hit.score) for hit in search(shop).hits]
    rate(shop, "m0", 1)
    rate(shop, "m3", 5)
    shop.ratings.enabled = False
    assert [(hit.product.id, hit.score) for hit in search(shop).hits] == before


def test_a_photo_alone_is_answered_by_likeness(shop):
    rate(shop, "m0", 1)
    rate(shop, "m3", 5)
    page = shop.search(Query((PictureTerm(picture(RED)),), k=5))
    assert all("rating" not in hit.parts for hit in page.hits)


def test_pages_continue_each_other(shop):
    rate(shop, "m0", 1)
    rate(shop, "m3", 5)
    whole = ids(search(shop))
    assert [ids(shop.search(Query.of(text="red mug", k=1, offset=place)))[0] for place in range(4)] == whole[:4]


def test_an_unreadable_file_leaves_searches_as_they_were(shop, caplog):
    rate(shop, "m0", 1)
    rate(shop, "m3", 5)
    before = ids(search(shop))
    file = shop.ratings._reader.file.path
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    file.write_bytes(b"no database" * 100)
    assert ids(search(shop)) == before and ids(search(shop)) == before
    assert sum("ratings of the shop cannot be read" in record.message for record in caplog.records) == 1


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 500), st.floats(1, 5)), max_size=5, unique_by=lambda r: r[0]
)


@given(ROWS)
def test_a_part_is_bounded_and_follows_the_mean(rows):
    products = {f"p{number}": ProductRating(count, round(count * mean)) for number, count, mean in rows}
    columns = ProductColumns.of((number, Product(f"p{number}", "Pot", ())) for number in range(5))
    parts = rating_parts(RatingTable(1, products), columns)
    if parts is None:
        return
    assert abs(parts).max() <= RATING_SHARE
    overall = RatingTable(1, products).overall
    shop_mean = overall.total / overall.count
    for number in range(5):
        rating = products.get(f"p{number}")
        above = 0 if rating is None else rating.total / rating.count - shop_mean
        assert parts[number] * above >= -1e-9


def test_few_reviews_weigh_little():
    assert bayesian_mean(0, 0, 4.0) == 4.0
    assert 4.0 < bayesian_mean(1, 5, 4.0) < bayesian_mean(50, 250, 4.0) < 5.0
    assert bayesian_mean(PRIOR_REVIEWS, PRIOR_REVIEWS * 5, 4.0) == 4.5
