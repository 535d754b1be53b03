"""Aspects by lists: the longest term counts, and terms that only look like one do not."""

import pytest

from catalog.reviews.review import ASPECTS, POLARITIES
from search.reviews.analysis.aspects import aspect_lists, aspect_terms


def aspects(text, language="en"):
    return {term.aspect for term in aspect_terms(text, language)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It runs small and the sleeves are too long", {"size"}),
        ("well-made and worth every penny", {"quality", "price"}),
        ("shipping costs too much", {"delivery"}),
        ("the navy one looks just like the picture", {"colour"}),
        ("I'm 5’4, 130 lbs", {"size"}),
        ("so comfortable and easy to wash", {"comfort", "use"}),
        ("works great with jeans", set()),
        ("the black and white top", {"colour"}),
        ("I love it", set()),
        ("the shade arrived dented", set()),
        ("the lamp shade broke", {"quality"}),
        ("a lovely shade of blue", {"colour"}),
        ("a tiny bit nervous at first", set()),
        ("benefits of the resized outfit", set()),
    ],
)
def test_english(text, found):
    assert aspects(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("尺码偏小", {"size"}),
        ("没有色差", {"colour"}),
        ("做工精细，料子舒服", {"quality", "comfort"}),
        ("箱子压坏了", {"delivery"}),
        ("价格便宜", {"price"}),
        ("地铁站旁边，很方便", set()),
        ("房间太小了", set()),
        ("我买的XXL", {"size"}),
        ("下次再来", set()),
    ],
)
def test_chinese(text, found):
    assert aspects(text, "zh") == found


def test_a_longer_term_decides_what_is_meant():
    assert [term.polarity for term in aspect_terms("not too tight", "en")] == ["positive"]
    assert [term.polarity for term in aspect_terms("有色差", "zh")] == ["negative"]


def test_other_languages_have_no_lists():
    assert aspect_terms("Die Farbe ist schön", "de") == []


def test_the_lists_name_known_aspects_and_polarities():
    terms = [term for found in aspect_lists().values() for own in found.terms.values() for _, term in own]
    assert {term.aspect for term in terms} == {*ASPECTS, "excluded"}
    assert {term.polarity for term in terms} == {*POLARITIES[:2], ""}
