"""Pairs of products, checked by hand and against a plain count over random baskets."""

from itertools import permutations

import numpy as np
import pytest

import search.recommend.models.co_occurrence as co_occurrence
from search.recommend.models.co_occurrence import ProductNeighbours, Similarity, baskets, co_occurring, newest_products
from tests.search.recommend.purchases import DAY_S, make_events


def pairs_of(neighbours):
    pairs = {}
    for product in range(len(neighbours)):
        found = neighbours.of_product(product)
        for code, weight in zip(found.products.tolist(), found.scores.tolist(), strict=True):
            pairs[product, code] = pytest.approx(weight)
    return pairs


def test_the_weight_of_a_pair_is_the_shrunk_cosine():
    # p0 is in 3 baskets, p1 in 2, p2 in 1; p0 and p1 share 2 of two visitors, p0 and p2 share 1.
    events = make_events([(0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 1), (1, 0, 9), (1, 2, 9)])
    groups = baskets(events, 0)
    assert groups.tolist() == [0, 0, 1, 1, 2, 2]
    found = co_occurring(events, groups, 4, Similarity(shrinkage=5.0, min_visitors=1))
    assert pairs_of(found) == {
        (0, 1): 2 / (6**0.5 + 5),
        (0, 2): 1 / (3**0.5 + 5),
        (1, 0): 2 / (6**0.5 + 5),
        (2, 0): 1 / (3**0.5 + 5),
    }
    assert found.of_product(0).products.tolist() == [1, 2]
    assert found.codes.dtype == np.int32 and found.weights.dtype == np.float32


def test_what_one_visitor_alone_bought_together_is_in_no_answer():
    events = make_events([(0, 0, day) for day in range(9)] + [(0, 1, day) for day in range(9)])
    assert pairs_of(co_occurring(events, baskets(events, 0), 2, Similarity(min_visitors=1))) != {}
    assert pairs_of(co_occurring(events, baskets(events, 0), 2, Similarity())) == {}


def counted(events, groups, products, similarity):
    """The same by loops over sets."""
    sets, visitors = {}, {}
    for group, visitor, product in zip(
        groups.tolist(), events.visitors.tolist(), events.products.tolist(), strict=True
    ):
        sets.setdefault(group, set()).add(product)
        visitors[group] = visitor
    size = np.zeros(products)
    together, people = {}, {}
    for group, members in sets.items():
        size[list(members)] += 1
        for pair in permutations(sorted(members), 2):
            together[pair] = together.get(pair, 0) + 1
            people.setdefault(pair, set()).add(visitors[group])
    weights = {
        (a, b): count / ((size[a] * size[b]) ** 0.5 + similarity.shrinkage)
        for (a, b), count in together.items()
        if len(people[a, b]) >= similarity.min_visitors
    }
    best = {}
    for a in range(products):
        mine = sorted((pair for pair in weights if pair[0] == a), key=lambda pair: (-round(weights[pair], 6), pair[1]))
        best |= {pair: weights[pair] for pair in mine[: similarity.neighbours]}
    return best


@pytest.mark.parametrize("at_once", [1, 50, 4_000_000])
def test_pairs_equal_a_plain_count_whatever_the_size_of_the_parts(at_once, monkeypatch):
    monkeypatch.setattr(co_occurrence, "PAIRS_AT_ONCE", at_once)
    rng = np.random.default_rng(3)
    events = make_events(rng.integers(0, [9, 15, 20], (400, 3)).tolist())
    groups = baskets(events, 0)
    similarity = Similarity(neighbours=4)
    assert pairs_of(co_occurring(events, groups, 17, similarity)) == counted(events, groups, 17, similarity)


def test_without_events_there_are_no_pairs():
    events = make_events([])
    assert pairs_of(co_occurring(events, baskets(events, 0), 3, Similarity())) == {}


def test_a_group_counts_with_its_newest_products(monkeypatch):
    monkeypatch.setattr(co_occurrence, "MAX_GROUP", 2)
    events = make_events([(v, p, p) for v in (0, 1) for p in (0, 1, 2)])
    assert set(pairs_of(co_occurring(events, events.visitors, 3, Similarity()))) == {(1, 2), (2, 1)}


def test_a_pause_longer_than_the_gap_begins_a_new_group_and_so_does_another_visitor():
    events = make_events([(0, 0, 0), (0, 1, 100 / DAY_S), (0, 2, 401 / DAY_S), (1, 3, 401 / DAY_S)])
    assert baskets(events, 300).tolist() == [0, 0, 1, 2]
    assert baskets(events, 301).tolist() == [0, 0, 0, 1]


def test_the_newest_products_of_a_history_are_distinct():
    history = make_events([(0, 3, 0), (0, 1, 1), (0, 3, 2), (0, 2, 3)]).history(0)
    assert newest_products(history, 2).tolist() == [2, 3]
    assert newest_products(history, 9).tolist() == [2, 3, 1]


def test_others_fill_in_for_products_without_neighbours():
    some = ProductNeighbours(np.array([0, 1, 1, 1]), np.array([2], np.int32), np.array([0.5], np.float32))
    others = ProductNeighbours(np.array([0, 1, 3, 3]), np.array([1, 0, 2], np.int32), np.array([9, 3, 2], np.float32))
    assert pairs_of(some.or_else(others)) == {(0, 2): 0.5, (1, 0): 3, (1, 2): 2}
