"""A part of a compound finds it, and a compound is found by its parts; chance likenesses of English words are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.compounds import CompoundVocabulary, can_read, cannot_tell

GERMAN = (
    "kochtopf milchtopf edelstahl stehlampe bucherregal wandregal kopfkissen weinglas bierglas kaffeetasse holzkiste"
)
OTHERS = "kjøkkenbord bordlampe skrivbordslampa wijnglas keittiopoyta ковролин микроволновка"
ENGLISH = (
    "teapot flowerpot potato carpet cart carton spring string earring tapered ribbed flavoring chocolate tea flower"
)
SHOP = CompoundVocabulary(
    (word, 1) for word in f"{GERMAN} {OTHERS} {ENGLISH} wine red bull tasse kaffee wand regal".split()
)
KNOWN = "tea pot car cart art ring spring string carpet chocolate late potato flavor taper rib bed red pet regal wand"
ENCODER = frozenset(KNOWN.split())


def knows(word):
    return word in ENCODER


@pytest.mark.parametrize(
    ("part", "compounds"),
    [
        ("topf", "kochtopf milchtopf"),
        ("glas", "bierglas weinglas wijnglas"),
        ("lampe", "bordlampe stehlampe"),
        ("regal", "bucherregal wandregal"),
        ("kissen", "kopfkissen"),
        ("bucher", "bucherregal"),
        ("kaffee", "kaffeetasse"),
        ("wand", "wandregal"),
        ("bord", "bordlampe kjøkkenbord"),
        ("pot", "flowerpot teapot"),
        ("микро", "микроволновка"),
        ("car", ""),
        ("art", ""),
        ("late", ""),
        ("red", ""),
        ("bed", ""),
        ("ato", ""),
        ("the", ""),
        ("to", ""),
        ("topf1", ""),
        ("топф", ""),
        ("杯子", ""),
        ("", ""),
    ],
)
def test_a_part_finds_its_compounds(part, compounds):
    assert sorted(SHOP.compounds_of(part, knows)) == compounds.split()


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("kaffeetassen", None),
        ("kaffeeregal", ("kaffee", "regal")),
        ("redbull", ("red", "bull")),
        ("weintasse", None),  # no product has "wein" as a word
        ("wandenregal", ("wand", "regal")),
        ("carpet", None),
        ("redred", ("red", "red")),
        ("tea", None),
        ("kaffee1", None),
    ],
)
def test_a_compound_is_split_into_two_words_of_the_shop(word, parts):
    assert SHOP.split(word, knows) == parts


@given(st.text("abcdetopf", min_size=1, max_size=8))
def test_compounds_hold_the_part(part):
    for compound in SHOP.compounds_of(part):
        assert compound != part and (compound.startswith(part) or compound.endswith(part))
    for word in SHOP.split(part) or ():
        assert word in part


@pytest.mark.parametrize(
    ("word", "readable"),
    [
        ("tea", True),
        ("teapot", True),  # of two words
        ("pots", True),
        ("taperless", True),
        ("duvet", True),  # English, in pieces
        ("qwrtzplm", False),
        ("asdfasdf", False),
        ("x", False),
        ("the", False),
        ("no", False),
        ("沙发", False),
    ],
)
def test_what_an_encoder_can_read(word, readable):
    assert can_read(word, knows) is readable


def test_an_encoder_that_cannot_tell_may_read_anything():
    assert can_read("qwrtzplm", cannot_tell)
