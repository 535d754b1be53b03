"""The same thing once: what falls together, what never does, and that later places never change earlier ones."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.product import Picture, Product
from indexer.layout import RowLayout
from indexer.types import Block
from search.retrieval import collapse as collapsing
from search.retrieval.collapse import MAX_TITLE, collapse, other_numbers, same_facts, title_key

LAYOUT = RowLayout.of_encoder((Block("look", 2), Block("meaning", 2, texts=True), Block("colour", 2)))
MUG = Product("a", "Dune mug, 300 ml", (Picture("", "1"),), "Mugs", Decimal(10), "EUR", brand="Kettle")
RIGHT, NEARLY, OTHER = 0.0, 0.2, 0.6  # angles: cosines 1, 0.98 and 0.83


def row(angle):
    """A row each of whose blocks points to that angle."""
    return np.tile([np.cos(angle), np.sin(angle)], 4).astype(np.float16)


def groups(listings, layout=LAYOUT):
    """The groups of (product, content hash, angle), and the rows that were read for them."""
    products, hashes, angles = zip(*listings, strict=True)
    read = []

    def vector(place):
        read.append(place)
        return row(angles[place])

    return [tuple(group) for group in collapse(layout, hashes, products, vector)], read


def together(other, sha256="2", angle=NEARLY, layout=LAYOUT):
    return len(groups([(MUG, "1", RIGHT), (other, sha256, angle)], layout)[0]) == 1


def test_the_same_picture_and_words_are_one_thing():
    assert together(replace(MUG, id="b"), "1", OTHER)
    assert together(replace(MUG, id="b"), "2", NEARLY)
    assert not together(replace(MUG, id="b"), "2", OTHER)


@pytest.mark.parametrize("title", ["DUNE Mug 300 ml", "New: Dune mugs, 300 ml (original)", "300 ml mug – Dune"])
def test_titles_may_be_written_differently(title):
    assert together(replace(MUG, title=title))


@pytest.mark.parametrize("title", ["Dune mug, 500 ml", "Dune mug, red, 300 ml", "Dune bowl, 300 ml", "Dune mug", ""])
def test_another_name_or_size_is_another_thing_though_the_picture_is_the_same(title):
    assert not together(replace(MUG, title=title), "1", RIGHT)


def test_two_without_a_title_are_not_called_the_same():
    nameless = replace(MUG, title="!")
    assert groups([(nameless, "1", RIGHT), (nameless, "1", RIGHT)])[0] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"price": Decimal("10.90")}, True),
        ({"price": Decimal("11.20")}, False),
        ({"price": None}, True),
        ({"currency": "SEK"}, False),
        ({"brand": "KETTLE "}, True),
        ({"brand": "Pot"}, False),
        ({"brand": ""}, True),
        ({"attributes": {"size": "L"}}, False),
        ({"attributes": {"size": "m", "seller": "two"}}, True),
        ({"attributes": {"fit": "slim"}}, True),
        ({"attributes": {"story": "b" * 100}}, True),
        ({"in_stock": False}, True),
    ],
)
def test_facts_that_differ_keep_listings_apart(changed, same):
    told = replace(MUG, attributes={"size": "M", "seller": "one", "story": "a" * 100})
    assert same_facts(told, replace(told, **changed)) is same
    assert same_facts(replace(told, **changed), told) is same


def test_colours_alone_never_make_two_pictures_one():
    layout = RowLayout((Block("colour", 8),))
    assert not together(replace(MUG, id="b"), "2", RIGHT, layout)
    assert together(replace(MUG, id="b"), "1", RIGHT, layout)


def test_one_block_that_differs_is_enough():
    two = np.stack([row(RIGHT), row(RIGHT)]).astype(np.float32)
    two[1, LAYOUT.slice("colour")] = row(OTHER)[:2]
    assert collapse(LAYOUT, ["1", "2"], [MUG, MUG], lambda place: two[place]) == [[0], [1]]


def test_the_best_stands_for_the_group_and_rows_are_read_only_where_words_agree():
    bowl = replace(MUG, title="Bowl")
    found, read = groups([(bowl, "9", RIGHT), (MUG, "1", RIGHT), (MUG, "2", NEARLY), (bowl, "8", OTHER)])
    assert found == [(0,), (1, 2), (3,)]
    assert sorted(read) == [0, 1, 2, 3]
    assert groups([(bowl, "9", RIGHT), (MUG, "1", RIGHT)])[1] == []


@pytest.mark.parametrize(
    ("other", "differ"),
    [
        ("Lipstick 14", True),
        ("Lipstick No. 012", False),
        ("Lipstick", False),
        ("Lipstick 12, 5 g", False),
        ("Lipstick 13, 5 g", True),
    ],
)
def test_titles_that_tell_other_numbers_name_variants(other, differ):
    assert other_numbers("Lipstick 12", other) == differ
    assert other_numbers(other, "Lipstick 12") == differ


def test_numbers_keep_their_decimals():
    assert title_key("Milk 1.5% 1,5 l") != title_key("Milk 15% 15 l")
    assert title_key("红色 杯子") == title_key("杯子 红色") != title_key("蓝色 杯子")


def test_long_titles_have_the_same_keys_and_are_not_remembered():
    collapsing._remembered_key.cache_clear()
    longest = "mug " + "m" * (MAX_TITLE - 4)
    assert title_key(longest + "m") == ("m" * (MAX_TITLE - 3), "mug")
    assert title_key("The red MUGS" + " " * MAX_TITLE) == ("mug", "red")
    assert collapsing._remembered_key.cache_info().currsize == 0
    assert title_key("The red MUGS") == ("mug", "red") and title_key(longest) == ("m" * (MAX_TITLE - 4), "mug")
    assert collapsing._remembered_key.cache_info().currsize == 2


def test_vowel_signs_are_of_the_words_that_titles_have():
    assert title_key("लाल साड़ी") == title_key("साड़ी लाल") != title_key("लाल सड़ी")


LISTING = st.tuples(
    st.sampled_from([MUG, replace(MUG, title="Bowl"), replace(MUG, price=Decimal(20)), replace(MUG, title="")]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from([0.0, 0.15, 0.3, 0.45, 0.6]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LISTING, min_size=1, max_size=12), st.integers(1, 12))
def test_what_follows_never_changes_the_groups_before_it(listings, cut):
    whole, part = groups(listings)[0], groups(listings[:cut])[0]
    shortened = [tuple(place for place in group if place < cut) for group in whole]
    assert [group for group in shortened if group] == part
    assert sorted(place for group in whole for place in group) == list(range(len(listings)))
