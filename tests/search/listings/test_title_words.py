"""Title words by agreement, in their usual order."""

from search.listings.title_words import title_words

TITLES = [("1", "Acme Men Blue Shirt", 0.4), ("2", "Zed Men blue Shirt 42", 0.4), ("3", "Red Dress", 0.2)]


def test_what_most_say_is_suggested_in_order():
    found = title_words(TITLES)
    assert [one.word for one in found] == ["Acme", "Zed", "Men", "Blue", "Shirt"]
    assert found[2].agreement == 0.8 and found[2].neighbours == ("1", "2")


def test_words_of_other_values_are_left_out():
    found = title_words(TITLES, answers=[("Red", 0.9)], refused=["Blue", "Navy Blue"])
    assert [one.word for one in found] == ["Acme", "Red", "Zed", "Men", "Shirt"]


def test_no_neighbours_no_words():
    assert title_words([]) == () and title_words([("1", "42 7", 1.0)]) == ()


def test_one_number_of_a_word_is_enough():
    found = title_words([("1", "Blue Shirts", 0.4), ("2", "Blue Shirt", 0.6)], answers=[("Shirts", 0.5)])
    assert [one.word for one in found] == ["Blue", "Shirt"]


def test_vowel_signs_are_of_their_words():
    found = title_words([("1", "पीतल का दीपक", 0.5), ("2", "दीपक पीतल", 0.5)])
    assert {"पीतल", "दीपक"} <= {one.word for one in found}
