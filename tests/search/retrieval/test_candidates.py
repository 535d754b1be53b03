"""The products with the best text scores are found without sorting all."""

import numpy as np
import pytest

from search.retrieval.candidates import Ranked, leading_places


def plainly(scores, count, allowed=True):
    scores = scores * allowed
    above = np.sort(scores[scores > 0])[::-1]
    least = above[count - 1] if len(above) > count else 0.0
    chosen = (scores >= least) & (scores > 0)
    return np.flatnonzero(chosen).tolist(), float(scores[~chosen].max(initial=0.0))


@pytest.mark.parametrize("different", [2, 5, 1_000])
@pytest.mark.parametrize("size", [0, 1, 40, 5_000])
@pytest.mark.parametrize("count", [1, 7, 100])
def test_the_best_and_what_ties_with_the_last(size, count, different):
    rng = np.random.default_rng(size + count)
    for held in (0.0, 0.01, 0.5, 1.0):
        scores = (rng.integers(-1, different, size) * (rng.random(size) < held)).astype(np.float32)
        places, best_other = leading_places(scores, count)
        assert (places.tolist(), best_other) == plainly(scores, count)
        allowed = rng.random(size) < 0.5
        places, best_other = leading_places(scores, count, allowed)
        assert (places.tolist(), best_other) == plainly(scores, count, allowed)


@pytest.mark.parametrize("other", [0.0, 0.25])
def test_all_that_a_kind_gives_the_same_are_the_best(other):
    scores = np.where(np.arange(4_000) % 3, np.float32(other), np.float32(0.5))
    places, best_other = leading_places(scores, 100)
    assert (places.tolist(), best_other) == (list(range(0, 4_000, 3)), other)
    places, best_other = leading_places(scores, 100, np.arange(4_000) < 3_000)
    assert (places.tolist(), best_other) == (list(range(0, 3_000, 3)), other)
    places, best_other = leading_places(scores[::3], 100)
    assert (places.tolist(), best_other) == (list(range(1_334)), 0.0)


@pytest.mark.parametrize("ranked", [[], [7], [9, 2, 7, 4]])
def test_places_are_those_of_the_products_that_are_ranked(ranked):
    keys, none = np.array(ranked, np.int64), np.zeros(len(ranked), np.float32)
    for wanted in ([], [7], [4, 3, 9, 100]):
        places = Ranked(keys, keys, none, {}, 0.0, len(keys)).places_of(np.array(wanted, np.int64))
        assert places.dtype == np.int64
        assert places.tolist() == [ranked.index(key) for key in wanted if key in ranked]
