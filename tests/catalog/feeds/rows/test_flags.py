"""Words for yes and no are read alike in exports and as stock."""

import pytest

from catalog.feeds.rows.flags import flag_words, parse_flag
from catalog.feeds.stock_words import parse_availability

FLAGS = [(word, says) for says, words in flag_words().items() for word in words]


def test_no_word_says_both():
    assert not {word.casefold() for word in flag_words()[True]} & {word.casefold() for word in flag_words()[False]}


@pytest.mark.parametrize(("word", "says"), FLAGS, ids=[word for word, _ in FLAGS])
def test_a_word_for_yes_or_no_is_read_as_a_flag_and_as_stock(word, says):
    assert parse_flag(f" {word} ") is says
    assert parse_availability(word) is says


@pytest.mark.parametrize("text", ["", "perhaps", "yes and no"])
def test_other_texts_are_no_flags(text):
    assert parse_flag(text) is None
