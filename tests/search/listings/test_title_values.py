"""What titles name word for word, how far a shop's own listings bear them out, and what that does to confidences."""

import pytest

from search.listings.title_values import MIN_TITLES, TitleTrust, TitleValueMatcher, apply_title_evidence, title_trust


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Delia jar, Black and IVORY", ("black", "ivory")),
        ("Navy Blue shirt", ("navy blue",)),
        ("Blue and navy blue and blue", ("blue", "navy blue")),
        ("Blackberry jam in a bluebell bowl", ()),
        ("C++ mug (blue)", ("blue",)),
        ("大号红色杯子", ("红",)),
        ("", ()),
    ],
)
def test_values_are_found_as_whole_words_the_longest_first(title, found):
    assert TitleValueMatcher(["black", "ivory", "blue", "navy blue", "红", "c++", ""]).of(title) == found


def test_nothing_is_found_where_there_is_nothing_to_find():
    assert TitleValueMatcher([]).of("blue") == ()


def test_trust_is_what_listings_bear_out_and_none_where_few_can_tell():
    titles = ["a blue mug"] * 36 + ["red and blue"] * MIN_TITLES + ["no colour", "a red mug"]
    labels = [("blue",)] * 27 + [("green",)] * 9 + [("blue", "red")] * 15 + [("red",)] * 15 + [("red",), ()]
    trust = title_trust(TitleValueMatcher(["red", "blue"]), titles, labels)
    assert trust == TitleTrust(0.75, 0.5)
    assert title_trust(TitleValueMatcher(["red", "blue"]), titles[:29], labels[:29]) == TitleTrust(0.0, 0.0)
    assert TitleTrust(**trust.to_dict()) == trust


def test_what_the_title_says_is_as_sure_as_titles_are():
    trust, seen = TitleTrust(0.9, 0.6), {"blue": 0.5, "red": 0.3, "green": 0.2}
    told = apply_title_evidence(seen, ["red"], trust)
    assert told == pytest.approx({"blue": 0.0714286, "red": 0.9, "green": 0.0285714}, abs=1e-6)
    told = apply_title_evidence(seen, ["red", "blue"], trust)
    assert told == pytest.approx({"blue": 0.2, "red": 0.12, "green": 0.08, "red and blue": 0.6})
    assert apply_title_evidence(seen, [], trust) == apply_title_evidence(seen, ["blue"], TitleTrust(0.4, 0.0)) == seen
    assert apply_title_evidence({"blue": 1.0}, ["blue"], trust) == {"blue": 1.0}
