"""Rows of products that change while a generation is served: in memory beside FAISS, in the collection on Milvus."""

from dataclasses import replace

import numpy as np
import pytest

from search.state.live_rows import LiveRows, ProductRows
from tests.indexer.vectors.engines import DIM, HOSTILE, product

COUNT = 300


def rows_of(key, pictures=1, seed=0):
    vectors = np.random.default_rng([key, seed]).normal(size=(pictures, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = tuple(f"{key:062x}{seed:01x}{number:01x}" for number in range(pictures))
    return ProductRows(hashes, vectors.astype(np.float16).astype(np.float32))


@pytest.fixture
def empty(engine):
    return LiveRows.none(DIM, engine.flat.live)


@pytest.fixture(scope="module")
def many(engine):
    added = {key: rows_of(key) for key in range(1, COUNT + 1)}
    return LiveRows.none(DIM, engine.flat.live).changed(added, added, {key: product(key) for key in added})


def query(seed=0):
    vector = np.random.default_rng(1_000 + seed).normal(size=DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def exact(live, k, allowed=None, seed=0):
    scores = np.einsum("ij,j->i", np.asarray(live.vectors[np.arange(len(live))]), query(seed))
    numbers = np.arange(len(live)) if allowed is None else np.flatnonzero(allowed)
    return set(numbers[np.argsort(-scores[numbers], kind="stable")][:k].tolist())


@pytest.mark.parametrize("k", [1, 10, 100, COUNT, COUNT + 5])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.05])
def test_the_best_rows_are_found(many, k, share):
    allowed = None if share == 1.0 else np.random.default_rng(5).random(COUNT) < share
    found = many.best(query(), k, allowed)
    assert found.tolist() == sorted(set(found.tolist()))
    best = exact(many, k, allowed)
    assert best <= set(found.tolist()) and len(found) <= len(best) + 3  # those that may tie with the last


def test_a_put_is_found_by_the_next_search(empty):
    live = empty.changed({5}, {5: rows_of(5, 2)})
    assert live.keys.tolist() == [5, 5]
    assert live.best(np.asarray(live.vectors[1], np.float32), 1).tolist() == [1]
    assert np.asarray(live.vectors[[0, 1]]) == pytest.approx(rows_of(5, 2).vectors)


def test_a_removed_product_is_not_found(empty):
    before = empty.changed({5, 6}, {5: rows_of(5), 6: rows_of(6)})
    after = before.changed({5}, {})
    assert after.keys.tolist() == [6]
    assert after.best(rows_of(5).vectors[0], 5).tolist() == [0]


def test_a_changed_product_has_its_new_rows_only(empty):
    before = empty.changed({5, 6}, {5: rows_of(5), 6: rows_of(6)})
    after = before.changed({5}, {5: rows_of(5, 3, seed=1)})
    assert after.keys.tolist() == [5, 5, 5, 6]
    assert np.asarray(after.vectors[:3]) == pytest.approx(rows_of(5, 3, seed=1).vectors)
    found = after.best(rows_of(5).vectors[0], 2)
    scores = np.asarray(after.vectors[np.arange(4)]) @ rows_of(5).vectors[0]
    assert set(found.tolist()) == set(np.argsort(-scores)[:2].tolist())


def test_a_search_that_began_before_a_change_still_finds_its_rows(empty):
    before = empty.changed({5, 6, 7}, {key: rows_of(key) for key in (5, 6, 7)})
    after = before.changed({5}, {5: rows_of(5, 1, seed=1)})
    assert before.best(rows_of(5).vectors[0], 1).tolist() == [0]
    later = after.changed({6}, {6: rows_of(6, 1, seed=1)})
    assert later.keys.tolist() == [5, 6, 7]
    assert later.best(rows_of(5, 1, seed=1).vectors[0], 1).tolist() == [0]


def test_the_same_put_again_changes_nothing(empty):
    once = empty.changed({5}, {5: rows_of(5)})
    twice = once.changed({5}, {5: rows_of(5)})
    assert twice.keys.tolist() == [5]
    assert np.asarray(twice.vectors[[0]]) == pytest.approx(rows_of(5).vectors)
    thrice = twice.changed({9}, {9: rows_of(9)})
    assert thrice.best(rows_of(5).vectors[0], 1).tolist() == [0]


def test_a_product_put_back_as_it_was_is_found_again(empty):
    first = empty.changed({5}, {5: rows_of(5)})
    other = first.changed({5}, {5: rows_of(5, 1, seed=1)})
    back = other.changed({5}, {5: rows_of(5)}).changed({8}, {8: rows_of(8)})
    assert back.best(rows_of(5).vectors[0], 1).tolist() == [0]
    assert np.asarray(back.vectors[[0]]) == pytest.approx(rows_of(5).vectors)


def test_rows_stay_in_the_order_of_keys(empty):
    live = empty.changed({9}, {9: rows_of(9, 2)}).changed({3, 12}, {12: rows_of(12), 3: rows_of(3)})
    assert live.keys.tolist() == [3, 9, 9, 12]
    vectors = np.concatenate([rows_of(3).vectors, rows_of(9, 2).vectors, rows_of(12).vectors])
    assert np.asarray(live.vectors[np.arange(4)]) == pytest.approx(vectors)
    assert [live.rows(key).hashes for key in (3, 9)] == [rows_of(3).hashes, rows_of(9, 2).hashes]


def test_rows_that_tie_are_all_returned(empty):
    same = rows_of(5)
    added = {key: ProductRows((f"{key:064x}",), same.vectors) for key in (5, 6, 7)}
    live = empty.changed(added, added).changed({8}, {8: rows_of(8)})
    assert live.best(same.vectors[0], 2).tolist() == [0, 1, 2]


def test_products_with_hostile_texts_are_put_and_removed(empty):
    products = {key: replace(product(key), id=text, title=text) for key, text in enumerate(HOSTILE, 1)}
    added = {key: rows_of(key) for key in products}
    live = empty.changed(added, added, products)
    assert live.best(rows_of(3).vectors[0], 1).tolist() == [2]
    assert len(live.changed(added, {})) == 0


def test_two_servers_follow_the_same_changes(empty):
    one, two = (empty.changed({5, 6}, {5: rows_of(5), 6: rows_of(6)}) for _ in range(2))
    assert one.best(rows_of(6).vectors[0], 1).tolist() == two.best(rows_of(6).vectors[0], 1).tolist() == [1]
    one = one.changed({5}, {5: rows_of(5, 1, seed=2)}).changed({7}, {7: rows_of(7)})
    assert two.best(rows_of(6).vectors[0], 1).tolist() == [1]  # who is behind has all rows that did not change
    two = two.changed({5}, {5: rows_of(5, 1, seed=2)}).changed({7}, {7: rows_of(7)})
    assert one.numbers.tolist() == two.numbers.tolist() and one.keys.tolist() == two.keys.tolist()


def test_live_rows_are_no_rows_of_the_generation(engine, many):
    query = rows_of(5).vectors[0]
    assert (engine.flat.search(query, 50)[1] < len(engine.flat.rows)).all()
