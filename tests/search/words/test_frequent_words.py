"""Scores of frequent words stay in memory, within a bound, and rare ones do not."""

import numpy as np

from search.words.frequent_words import FREQUENT_SHARE, MAX_SCORES, FrequentWords
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


def test_the_words_not_used_for_longest_are_forgotten():
    words = FrequentWords(PRODUCTS)
    names = [(f"word{number}",) for number in range(MAX_SCORES)]
    for name in names:
        words.put(name, scored(PRODUCTS))
    words.get(names[0])
    words.put(names[0], scored(PRODUCTS))  # known already
    words.put(("new",), scored(PRODUCTS))
    assert [name for name in (*names, ("new",)) if words.get(name) is None] == [names[1]]
