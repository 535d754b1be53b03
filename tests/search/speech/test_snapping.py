"""Words that no product has become words of the shop that sound like them."""

import pytest

from search.speech.snapping import WordSnapper
from search.speech.vocabulary import SpokenVocabulary

WORDS = ["walnut", "mug", "tealight", "holder", "cushion", "square", "terracotta", "vase", "brass", "tray"]
WORDS += ["teapot", "red", "wood", "olive", "花瓶", "u2"]


@pytest.fixture(scope="module")
def snapper():
    return WordSnapper(SpokenVocabulary([(word, 9 - place % 9) for place, word in enumerate(WORDS)]))


@pytest.mark.parametrize(
    ("recognised", "text"),
    [
        ("Walnut mug", "walnut mug"),
        ("wallnut mug", "walnut mug"),
        ("wall nut mug", "walnut mug"),
        ("brass tea light holder", "brass tealight holder"),
        ("terra cota vase", "terracotta vase"),
        ("square caution", "square caution"),  # a word of English that sounds less alike
        ("a bicycle", "a bicycle"),  # a word of English that sounds like nothing here
        ("red tea-pot", "red teapot"),
        ("a pale-red wood tray", "a pale red wood tray"),
        ("qwx", "qwx"),
        ("", ""),
    ],
)
def test_snapped(snapper, recognised, text):
    assert snapper.snap(recognised).text == text


def test_words_of_everyday_english_are_replaced_where_that_is_wanted(snapper):
    freely = snapper.snap("square caution", 0.72)
    assert freely.text == "square cushion" and 0.5 < freely.known < 1


def test_known_words_count_for_a_reading(snapper):
    known, foreign, english = map(snapper.snap, ("red vase", "rxq bzz", "red bicycle"))
    assert known.known == 1 and known.changed == 0
    assert foreign.known == 0 and 0.5 < english.known < 1


def test_a_shop_without_words_changes_nothing():
    assert WordSnapper(SpokenVocabulary([])).snap("wallnut mug").text == "wallnut mug"


def test_words_in_other_scripts_are_not_compared_by_sound():
    vocabulary = SpokenVocabulary([("花瓶", 3), ("čaj", 2), ("mug", 1)])
    assert "花瓶" not in vocabulary and vocabulary.frequent(5) == ["mug"] and vocabulary.nearest("花瓶") == []
