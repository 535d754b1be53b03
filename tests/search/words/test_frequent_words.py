"""Scores of frequent words stay in memory, within a bound, and rare ones do not."""

import numpy as np

from search.words.frequent_words import FREQUENT_SHARE, MAX_BYTES, FrequentWords
from search.words.scored import Scored

PRODUCTS = 640


def scored(count):
    return Scored.of(np.arange(count), 1.0)


def test_a_frequent_word_is_known_and_a_rare_one_is_not():
    words = FrequentWords(PRODUCTS)
    frequent = scored(PRODUCTS // FREQUENT_SHARE)
    words.put(("men", "man"), frequent)
    words.put(("samovar",), scored(PRODUCTS // FREQUENT_SHARE - 1))
    assert words.get(("men", "man")) is frequent
    assert words.get(("samovar",)) is None
    assert words.get(("man", "men")) is None


def of_all():
    return Scored(None, np.ones(PRODUCTS, np.float32))


def test_the_words_not_used_for_longest_are_forgotten():
    words = FrequentWords(PRODUCTS)
    names = [(f"word{number}",) for number in range(MAX_BYTES * PRODUCTS // of_all().nbytes)]
    for name in names:
        words.put(name, of_all())
    words.get(names[0])
    words.put(names[0], of_all())  # known already
    words.put(("new",), of_all())
    assert [name for name in (*names, ("new",)) if words.get(name) is None] == [names[1]]


def test_words_count_by_their_memory():
    words, quarter = FrequentWords(PRODUCTS), PRODUCTS // 4
    by_place = Scored(np.arange(quarter, dtype=np.int32), np.ones(quarter, np.float32))
    names = [(f"word{number}",) for number in range(16)]
    for name in names:
        words.put(name, by_place)
    assert all(words.get(name) for name in names)
    words.put(("men",), of_all())  # takes the memory of two
    assert [words.get(name) is None for name in names] == [True, True, *[False] * 14]
