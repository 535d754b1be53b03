"""Coarse lists: many are ranked in fewer numbers, and under a mask those are found that hold allowed rows."""

import numpy as np
import pytest

from indexer.ann.coarse_lists import FIRST_ROWS, ListMembers, ListRanking

SPREAD = np.geomspace(1, 0.01, 160)  # numbers of means are not alike: some say little


def spread_means():
    chance = np.random.default_rng(0)
    numbers = chance.standard_normal((400, 160)) * SPREAD
    return (numbers @ np.linalg.qr(chance.standard_normal((160, 160)))[0]).astype("f")


MEANS = spread_means()


@pytest.fixture
def chance():
    """A generator for one test: what it shows does not depend on those before it."""
    return np.random.default_rng(1)


def best(query, count, usable=None, means=MEANS):
    cosines = means @ query / np.linalg.norm(means, axis=1)
    if usable is not None:
        cosines[~usable] = -np.inf
    return np.argsort(-cosines, kind="stable")[:count]


def test_many_lists_are_ranked_as_in_full(chance):
    ranking = ListRanking(MEANS)
    for query in MEANS[:30] + 0.1 * chance.standard_normal((30, 160)).astype("f"):
        lists, products = ranking.nearest(query, 8)
        np.testing.assert_array_equal(lists, best(query, 8))
        np.testing.assert_allclose(products, MEANS[lists] @ query, rtol=1e-4, atol=1e-4)


def test_lists_that_hold_nothing_are_left_out(chance):
    held = (chance.random(400) < 0.5).astype(np.int64)
    for query in MEANS[:20]:
        np.testing.assert_array_equal(ListRanking(MEANS).nearest(query, 8, held)[0], best(query, 8, held > 0))
    assert len(ListRanking(MEANS).nearest(MEANS[0], 8, np.eye(1, 400, dtype=np.int64)[0])[0]) == 1


@pytest.mark.parametrize("means", [MEANS, MEANS[:100]], ids=["many", "few"])
def test_lists_about_as_near_as_the_best_are_found(means, chance):
    ranking = ListRanking(means)
    for query in means[:30] + 0.1 * chance.standard_normal((30, 160)).astype("f"):
        cosines = means @ query / np.linalg.norm(means, axis=1) / np.linalg.norm(query)
        lists, products = ranking.within(query, 0.3, 1, 400)
        wanted = np.flatnonzero(cosines >= cosines.max() - 0.3)
        assert len(np.setxor1d(lists, wanted)) <= 1 + len(wanted) // 10  # ranked in fewer axes
        assert lists[0] == cosines.argmax()
        np.testing.assert_allclose(products, means[lists] @ query, rtol=1e-4, atol=1e-4)
        assert len(ranking.within(query, 0.0, 5, 9)[0]) == 5
        assert len(np.intersect1d(ranking.within(query, 2.0, 5, 9)[0], best(query, 12, means=means))) >= 8
        assert len(ranking.within(query, 2.0, 5, 1_000)[0]) == len(means)


def test_allowed_rows_are_counted_by_list(chance):
    sizes = [0, 3, FIRST_ROWS, 200]
    order = chance.permutation(sum(sizes))
    members = np.split(order, np.cumsum(sizes)[:-1])
    counted = ListMembers([np.sort(own) for own in members], len(order))
    allowed = chance.random(len(order)) < 0.3
    allowed[-1] = True  # what shorter lists are filled up with, -1, would be the last row
    np.testing.assert_array_equal(counted.held(allowed), [allowed[own].sum() for own in members])
    assert counted.count(np.array([3, 0, 1]), allowed) == counted.held(allowed)[[3, 0, 1]].sum()
    seen = counted.seen(np.arange(4), allowed)
    assert seen[0] == 0 and seen[1] == allowed[members[1]].sum() and seen[2] == allowed[members[2]].sum()
    assert seen[3] == allowed[np.sort(members[3])[:FIRST_ROWS]].sum()
