"""One state of a shop: a generation of five rows, worked out by hand, and what live rows and hidden ones make of it."""

import numpy as np
import pytest

from catalog.product import Product
from search.state.live_rows import LiveRows, ProductRows
from search.state.snapshot import ShopChanges
from tests.search.shop_fixtures import Item, make_shop

RED, GREEN = np.array([1, 0, 0] * 3, np.float32), np.array([0, 1, 0] * 3, np.float32)


@pytest.fixture
def snapshot(home):
    """Rows 0 to 4: r, g, b, and y with two pictures; keys 1 to 4."""
    with make_shop(home) as engine:
        return engine._live.served.snapshot


def rows(*vectors, name="f"):
    return ProductRows(tuple(name * 63 + str(i) for i in range(len(vectors))), np.array(vectors, np.float16))


def changes(seq, live=(), **hidden):
    """What change `seq` makes of these rows by product key; the products themselves are all alike."""
    puts = {key: Product(f"p{key}", "thing", ()) for key in (*live, *hidden.get("restored", ()))}
    return ShopChanges(seq, puts, live=dict(live), **hidden)


def ranking(snapshot, query=RED, k=10):
    scores, numbers = snapshot.search(query, k)
    return list(zip(snapshot.keys_of(numbers).tolist(), scores.tolist(), strict=True))


def test_as_it_was_built(snapshot):
    assert [key for key, _ in ranking(snapshot)] == [1, 4, 4, 2, 3]
    assert (snapshot.products, snapshot.pictures, snapshot.rows_per_product, snapshot.seq) == (4, 5, 2, 4)
    assert snapshot.rows_of(4).hashes == tuple(snapshot.hashes_of(np.array([3, 4])))
    assert snapshot.rows_of(9).hashes == ()


def test_a_new_product_takes_its_place_by_its_score(snapshot):
    after = snapshot.changed(changes(5, {7: rows(RED * 0.75)}))
    assert ranking(after)[:2] == [(1, 3.0), (7, 2.25)]
    assert (after.products, after.pictures, after.seq) == (5, 6, 5)
    assert after.hashes_of(np.array([5, 0])) == ["f" * 63 + "0", *snapshot.hashes_of(np.array([0]))]
    assert after.vectors_of(np.array([5, 1])).tolist() == [(RED * 0.75).tolist(), GREEN.tolist()]
    assert [key for key, _ in ranking(after, k=2)] == [1, 7]
    assert len(ranking(snapshot)) == 5, "the state before it is as it was"


def test_an_overwritten_product_is_found_by_its_new_rows_only(snapshot):
    after = snapshot.changed(changes(5, {1: rows(GREEN, GREEN)}))
    assert [key for key, score in ranking(after) if score > 0] == [4, 4]
    assert sorted(key for key, score in ranking(after, GREEN) if score == 3.0) == [1, 1, 2]
    assert (after.products, after.pictures) == (4, 6)
    again = after.changed(changes(6, {1: rows(RED)}))
    assert [key for key, _ in ranking(again)].count(1) == 1
    assert (again.products, again.pictures) == (4, 5)


def test_a_removed_product_is_found_no_more_and_comes_back_whole(snapshot):
    gone = snapshot.changed(changes(5, gone={4, 99}))
    assert [key for key, _ in ranking(gone)] == [1, 2, 3]
    assert (gone.products, gone.pictures, gone.rows_of(4).hashes) == (3, 3, ())
    assert sorted(gone.found_keys().tolist()) == [1, 2, 3]
    back = gone.changed(changes(6, restored={4}))
    assert ranking(back) == ranking(snapshot)
    assert back.allowed is None and back.products == 4


def test_removing_a_live_product_and_one_that_never_was(snapshot):
    after = snapshot.changed(changes(6, {7: rows(RED), 8: rows(GREEN)})).changed(changes(8, gone={7, 1}))
    assert [key for key, _ in ranking(after)] == [4, 4, 2, 3, 8]
    assert (after.products, len(after.live)) == (4, 1)


def test_everything_removed(snapshot):
    after = snapshot.changed(changes(9, gone={1, 2, 3, 4}))
    assert ranking(after) == [] and after.products == 0 and after.pictures == 0
    assert ranking(after.changed(changes(10, {5: rows(RED)}))) == [(5, 3.0)]


def test_live_rows_score_as_the_same_rows_in_a_generation_do(snapshot):
    other = snapshot.changed(changes(5, {1: snapshot.rows_of(1), 2: snapshot.rows_of(2)}))
    query = np.array([0.3, 0.7, 0.1] * 3, np.float32)
    assert sorted(ranking(other, query)) == sorted(ranking(snapshot, query))


def test_many_hidden_rows_do_not_leave_a_page_short(home):
    with make_shop(home, [Item(f"p{i:03}", "red", ((255, i, 0),)) for i in range(100)]) as engine:
        snapshot = engine._live.served.snapshot
        after = snapshot.changed(changes(200, gone=set(range(1, 81))))
        assert [key for key, _ in ranking(after, k=5)] == [81, 82, 83, 84, 85]


def test_drawing_takes_the_new_ones_too(snapshot):
    after = snapshot.changed(changes(6, {7: rows(RED), 1: rows(RED)}))
    assert sorted(after.draw(10, seed=1)) == [1, 2, 3, 4, 7]
    assert after.draw(2, seed=1) == after.draw(2, seed=1)


def test_no_live_rows():
    none = LiveRows.none(9)
    assert len(none) == 0 and none.rows(1).hashes == () and none.vectors.shape == (0, 9)


def test_of_many_live_rows_the_best_are_exact_and_none_that_ties_is_missed():
    chance = np.random.default_rng(4)
    vectors = chance.standard_normal((300, 9)).astype(np.float16)
    vectors[250:] = vectors[200]  # fifty that tie
    query = vectors[200].astype(np.float32)
    live = LiveRows.none(9).changed(
        (), {key: ProductRows((f"{key:064}",), vectors[key : key + 1]) for key in range(300)}
    )
    exact = vectors.astype(np.float32) @ query
    for k in (1, 20, 51, 60, 299, 300, 900):
        best = live.best(query, k)
        assert set(np.argsort(-exact, kind="stable")[:k].tolist()) <= set(best.tolist())
        assert len(best) == min(max(k, 51), 300)


def test_rows_and_products_have_one_mask_where_each_has_one_row(home):
    with make_shop(home, [Item(f"p{i}", "red", ((255, i, 0),)) for i in range(4)]) as engine:
        snapshot = engine._live.served.snapshot
    assert snapshot.rows_allowed(np.array([1, 0, 1, 0], bool)).tolist() == [True, False, True, False]
    later = snapshot.changed(changes(5, {7: rows(RED)}))
    assert later.rows_allowed(np.array([1, 0, 1, 0, 1], bool)).tolist() == [True, False, True, False, True]
    assert later.rows_allowed(np.array([0, 1, 0, 1, 0], bool)).tolist() == [False, True, False, True, False]
    gone = later.changed(changes(6, gone={2}))
    assert gone.rows_allowed(gone.columns.present).tolist() == [True, False, True, True, True]


def test_rows_of_products_with_several_pictures_are_allowed_with_them(snapshot):
    assert snapshot.rows_allowed(np.array([0, 1, 0, 1], bool)).tolist() == [False, True, False, True, True]
