"""Natural order of names, and lone surrogates."""

from catalog.text.strings import SURROGATES, natural_key


def test_numbers_in_names_are_compared_as_numbers():
    names = ["photo10", "Photo2", "photo2b", "1", "²1", "photo", "photo02"]
    assert sorted(names, key=natural_key) == ["1", "photo", "Photo2", "photo02", "photo2b", "photo10", "²1"]


def test_a_number_of_any_length_can_be_compared():
    assert natural_key("9" * 10_000) > natural_key("1" * 10_000)


def test_lone_surrogates_are_found():
    assert SURROGATES.sub("", "a\ud800b😀") == "ab😀"
