"""The compatibility rules: how names match categories, which line decides, and the errors of broken lines."""

import csv

import pytest

from catalog.errors import BadInput
from catalog.product import Product
from search.recommend.content.colour_harmony import NEUTRAL, colours_in, harmony
from search.recommend.content.compatibility_rules import (
    CONTRADICTIONS,
    GOES_WITH,
    SHIPPED,
    PairRules,
    facts,
    same_category,
)

SHOP = ("Apparel > Topwear > Shirts", "Apparel > Bottomwear > Jeans", "Footwear > Casual Shoes", "Jewellery > Ring")


def write(home, *lines):
    (home / GOES_WITH).write_text("\n".join(("category,goes_with,weight,when", *lines)) + "\n", encoding="utf-8")
    return PairRules.load(home)


def weights(rules, category, attributes=None, shop=SHOP):
    return {name: target.weight for name, target in rules.targets(category, attributes or {}, shop).items()}


def product(title="thing", **attributes):
    return Product("p", title, (), attributes=attributes)


@pytest.mark.parametrize(
    ("category", "other", "same"),
    [
        ("Apparel > Shirts", "apparel>SHIRTS", True),
        ("Apparel", "Apparel > Shirts", True),
        ("Apparel > Shirts", "Apparel > Ties", False),
        ("Accessories > Ties", "Gifts > Tie", True),
        ("", "Apparel", True),
        ("Apparel > T-Shirts", "Apparel > T Shirts", True),
        ("Apparel > T-Shirts", "Apparel > Shirts", False),
    ],
)
def test_the_same_category(category, other, same):
    assert same_category(category, other) is same
    assert same_category(other, category) is same


def test_names_are_found_in_plural_at_the_end_of_a_part_and_both_ways(tmp_path):
    rules = write(tmp_path, "Shoe,Spade,0.3", "Rings & Things,Spades,0.2")
    assert weights(rules, "Garden > Spades") == {"Footwear > Casual Shoes": 0.3}
    assert weights(rules, "Footwear > Casual Shoes", shop=["Garden > Spades", "Garden > Spade Handles"]) == {
        "Garden > Spades": 0.3
    }
    assert weights(rules, "Garden > Spades", shop=["Sundries > Rings and Things"]) == {
        "Sundries > Rings and Things": 0.2
    }


def test_the_deepest_names_decide_and_the_shop_s_own_before_all(tmp_path):
    shipped = weights(PairRules.load(), "Apparel > Topwear > Shirts", {"gender": "Men"})
    assert shipped["Apparel > Bottomwear > Jeans"] == 1.0
    rules = write(tmp_path, "Topwear,Bottomwear,0.4", "Rings,*,0", "Shirts,Footwear,0.1", "Shirts,Casual Shoes,0.2")
    own = weights(rules, "Apparel > Topwear > Shirts", {"gender": "Men"})
    assert own["Apparel > Bottomwear > Jeans"] == 0.4
    assert own["Footwear > Casual Shoes"] == 0.2
    assert own["Jewellery > Ring"] == 0.0


def test_a_condition_asks_the_product(tmp_path):
    rules = write(tmp_path, "Spades,Jeans,0.5,gender=men|boys")
    assert weights(rules, "Garden > Spades", {"gender": "MEN"}) == {"Apparel > Bottomwear > Jeans": 0.5}
    assert weights(rules, "Garden > Spades", {"gender": "Women"}) == weights(rules, "Garden > Spades") == {}


@pytest.mark.parametrize(
    "line",
    ["Shirts,Ties,2", "Shirts,Ties,nan", "Shirts,Ties,", ",Ties,1", "Shirts,,1", "Shirts,Ties,1,gender", 'a"b,"x'],
)
def test_a_broken_line_is_named(tmp_path, line):
    with pytest.raises(BadInput, match=r"goes_with\.csv, line 2"):
        write(tmp_path, line)


def test_files_that_are_no_tables_are_refused(tmp_path):
    for content in (b"category;goes_with;weight\n", b"\xff\xfe\x00", b"x" * 1_000_001):
        (tmp_path / GOES_WITH).write_bytes(content)
        with pytest.raises(BadInput, match="goes_with"):
            PairRules.load(tmp_path)


def test_contradictions_hold_both_ways_and_a_shop_can_add_its_own(tmp_path):
    (tmp_path / CONTRADICTIONS).write_text("attribute,values,against\nfit,slim,wide|loose\n")
    rules = PairRules.load(tmp_path)
    assert rules.excluded_values(product(fit="Loose")) == {"fit": ("slim",)}
    assert "women" in rules.excluded_values(product(gender="Men"))["gender"]
    assert rules.excluded_values(product(season="winter")) == {"season": ("summer",)}
    assert rules.excluded_values(product(season="Spring")) == {}


def test_a_title_says_that_a_thing_is_for_children():
    assert facts(product("Kids Boys shirt", gender="Men"))["gender"] == "kids"
    assert facts(product("Boycott shirt", gender="Men"))["gender"] == "Men"


def test_the_shipped_tables_are_whole():
    with (SHIPPED / GOES_WITH).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened))
    assert {len(row) for row in rows} == {4}
    assert len(PairRules.load().pairs) > 1_000


def test_colours_are_read_from_their_names():
    assert colours_in("ivory and Navy Blue") == (NEUTRAL,)
    assert colours_in("Sea Green") == (9,) and colours_in("sea-green, red") == (9, 4)
    assert colours_in("藏青色配红色") == (NEUTRAL, 4)
    assert colours_in("redwood tannery") == () == colours_in("")


def test_harmony_prefers_neutrals_and_neighbours():
    red, orange, green, black, violet = ((4,), (2,), (10,), (NEUTRAL,), (6,))
    assert harmony(red, red) == 1.0
    assert harmony(red, black) == harmony(black, red) == harmony(black, black) == 0.9
    assert harmony(red, green) > harmony(orange, violet)
    assert harmony((*red, *violet), orange) == harmony(orange, violet)  # one clash is enough
    assert harmony(red, ()) is None
