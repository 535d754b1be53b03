"""Scores by place: what is merged is the same to the last bit, few places or all, and no part of it changes."""

import numpy as np
import pytest

from search.words.scored import Scored, common_places, merge

SIZE = 400
FACTORS = [np.float32(1.7), np.float32(1.0), np.float32(0.3)]


def drawn(rng, count, dtype=np.int32):
    places = np.sort(rng.choice(SIZE, count, replace=False)).astype(dtype)
    return Scored(places, rng.random(count, np.float32))


def kinds_of_parts(rng):
    few = [drawn(rng, 5), drawn(rng, 3, np.int64), drawn(rng, 0)]
    many = [drawn(rng, 200), drawn(rng, 150), drawn(rng, 9)]
    return few, many, [Scored(None, part.dense(SIZE)) for part in many], [many[0], Scored(None, many[1].dense(SIZE))]


@pytest.mark.parametrize("combine", [np.add, np.maximum])
def test_factors_are_those_of_each_part_and_no_part_is_written_to(combine):
    rng = np.random.default_rng(1)
    for _ in range(30):
        for parts in kinds_of_parts(rng):
            factors = FACTORS[: len(parts)]
            before = [part.scores.copy() for part in parts]
            expected = np.zeros(SIZE, np.float32)
            for part, factor in zip(parts, factors, strict=True):
                expected = combine(expected, part.dense(SIZE) * factor)
            found = merge(parts, combine, SIZE, factors)
            assert np.array_equal(found.dense(SIZE), expected)
            assert len(found) == np.count_nonzero(expected)
            assert all(np.array_equal(part.scores, own) for part, own in zip(parts, before, strict=True))


@pytest.mark.parametrize("places", [np.array([1, 4]), None])
def test_the_only_part_that_is_not_empty_is_the_result(places):
    part = Scored(places, np.array([0.25, 0.5], np.float32))
    for parts in ([part, Scored.none()], [Scored.none(), part]):
        assert merge(parts, np.maximum, 2) is part
        doubled = merge(parts, np.add, 2, [np.float32(2)] * 2)
        assert doubled.scores.tolist() == [0.5, 1.0] and part.scores.tolist() == [0.25, 0.5]
    assert not len(merge([Scored.none()] * 2, np.add, 2))


def test_common_places_are_those_of_both():
    rng = np.random.default_rng(2)
    for first, second in [(0, 9), (9, 0), (5, 300), (300, 300)]:
        a, b = drawn(rng, first).places, drawn(rng, second, np.int64).places
        assert common_places(a, b).tolist() == common_places(b, a).tolist() == np.intersect1d(a, b).tolist()
