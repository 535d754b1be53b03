"""Typing mistakes are mended with the shop's own words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.language.spelling import (
    FIXED_START_LETTERS,
    MIN_LETTERS,
    TWO_MISTAKES_LETTERS,
    SpellingVocabulary,
)

WORDS = [("shirt", 90), ("skirt", 40), ("shoe", 80), ("teapot", 5), ("kettlewick", 3), ("tea", 9), ("blue", 50)]
VOCABULARY = SpellingVocabulary(WORDS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("shrit", "shirt"),  # exchanged
        ("shirtt", "shirt"),  # one too many
        ("shrt", "shirt"),  # one missing
        ("shixt", "shirt"),  # one wrong
        ("skirl", "skirt"),
        ("shint", "shirt"),
        ("teepot", "teapot"),
        ("ketlewik", "kettlewick"),  # two, in a long word
        ("ketlwik", None),  # seven letters: one only
        ("shirt", "shirt"),
        ("xhirt", "shirt"),
        ("hte", None),
        ("xlue", None),  # of four letters the first must be right
        ("bleu", "blue"),
        ("samovar", None),
        ("sh1rt", None),
        ("红色", None),
        ("", None),
        ("a" * 1000, None),
    ],
)
def test_the_nearest_word(typed, meant):
    assert VOCABULARY.nearest(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("чайнык", "чайник"),
        ("кружкаа", "кружка"),
        ("стулл", "стул"),
        ("ηποτηρι", "ποτηρι"),
        ("סירר", "סירה"),
        ("سجاذه", "سجاده"),
        ("handklæd", "handklæde"),
        ("केतल", "केतली"),
        ("चायदनी", "चायदानी"),
        ("чайнikк", None),
        ("茶壶茶壶", None),
        ("чай1ик", None),
    ],
)
def test_the_nearest_word_in_any_alphabet(typed, meant):
    words = "чайник кружка стул ποτηρι סירה سجاده handklæde केतली चायदानी 茶壶茶杯"
    assert SpellingVocabulary((word, 1) for word in words.split()).nearest(typed) == meant


def test_at_most_so_many_mistakes():
    assert VOCABULARY.nearest("ketlewik", 1) is None
    assert VOCABULARY.nearest("ketlewick", 1) == "kettlewick"


def test_fewer_mistakes_then_the_same_beginning_then_the_more_frequent():
    assert SpellingVocabulary([("aloud", 1), ("cloud", 9)]).nearest("aloudd") == "aloud"
    assert SpellingVocabulary([("boat", 99), ("coal", 1)]).nearest("coat") == "coal"
    assert SpellingVocabulary([("coal", 1), ("coax", 2)]).nearest("coat") == "coax"
    assert SpellingVocabulary(()).nearest("coat") is None


LETTERS = st.text("abc", min_size=1, max_size=10)


@settings(max_examples=300, deadline=None)
@given(st.lists(LETTERS, max_size=12, unique=True), LETTERS)
def test_it_agrees_with_the_plain_definition(words, typed):
    most = 2 if len(typed) >= TWO_MISTAKES_LETTERS else 1
    words = [word for word in words if len(typed) > FIXED_START_LETTERS or word[0] == typed[0]] + [
        w for w in words if w == typed
    ]
    near = {word: mistakes(typed, word) for word in words}
    best = min(near.values(), default=9)
    found = SpellingVocabulary([(word, 1) for word in words]).nearest(typed)
    if len(typed) < MIN_LETTERS or best > most:
        assert found is None
    else:
        assert found is not None
        assert near[found] == best


def mistakes(a, b):
    """Restricted Damerau-Levenshtein distance, as it is defined."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            wrong = a[i - 1] != b[j - 1]
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + wrong)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(a), len(b)]
