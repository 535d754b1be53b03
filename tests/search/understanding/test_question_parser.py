"""Questions are parsed with the names of a shop: categories, head nouns of titles, attribute values and brands."""

import pytest

from catalog.product import Product
from search.state.column_store import ProductColumns
from search.understanding.question_parser import parse_question
from search.understanding.shop_names import ShopNames

ROWS = (
    (
        "Plain mug, stoneware",
        "Tableware > Mugs",
        {"colour": "red", "material": "stoneware", "category_zh": "餐具 > 马克杯"},
    ),
    (
        "Dotted mug",
        "Tableware > Mugs",
        {"colour": "navy and ivory", "material": "glass", "category_zh": "餐具 > 马克杯"},
    ),
    ("Tall glass", "Tableware > Glasses", {"colour": "sky blue", "material": "glass"}),
    ("Wide vase", "Decoration > Vases", {"colour": "red", "material": "glass"}),
    ("Teapot", "Tableware > Teapots", {"colour": "red", "material": "stoneware"}),
    ("Oak lamp", "Lighting > Table lamps", {"colour": "oak", "material": "oak"}),
    ("Brass lamp", "Lighting > Floor lamps", {"colour": "brass", "material": "brass"}),
    ("Cosy T-shirt", "Wear > Tshirts", {"colour": "red", "material": "cotton"}),
    ("Blue shirt", "Wear > Shirts", {"colour": "blue", "material": "cotton"}),
    *(
        (f"Model {number} samovar", "Tableware > Other", {"colour": "brass", "material": "brass"})
        for number in range(4)
    ),
)
COLUMNS = ProductColumns.of(
    (key, Product(str(key), title, (), category=category, brand="Kettlewick", attributes=attributes))
    for key, (title, category, attributes) in enumerate(ROWS)
)
NAMES = ShopNames(COLUMNS)
KNOWN = {"model", "wide", "tall", "cosy"}


def parse(text, synonyms=None):
    table = synonyms or {}
    return parse_question(text, NAMES, lambda words: table.get(words, ()), KNOWN.__contains__)


def kinds(text, **options):
    return [ref.label.rpartition(" > ")[2] for kind in parse(text, **options).kinds for ref in kind.refs]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mug", ["Mugs"]),
        ("red mugs", ["Mugs"]),
        ("mug, red", ["Mugs"]),
        ("red, dotted mug", ["Mugs"]),
        ("a set of mugs", ["Mugs"]),
        ("i am looking for a mug", ["Mugs"]),
        ("something like a vase", ["Vases"]),
        ("mugs and vases", ["Mugs", "Vases"]),
        ("mug, vase", ["Mugs", "Vases"]),
        ("mug, for the vase", ["Mugs"]),
        ("mug, glass", ["Mugs"]),  # a material after the thing
        ("red and navy mug", ["Mugs"]),
        ("glass", ["Glasses"]),
        ("glass vase", ["Vases"]),
        ("vase glass", ["Vases"]),  # a material after the thing
        ("glass mug", ["Mugs"]),
        ("lamp", ["Table lamps", "Floor lamps"]),
        ("table lamp for the vase", ["Table lamps"]),
        ("floor brass lamp", ["Floor lamps"]),  # with a word between
        ("tea pot", ["Teapots"]),
        ("t-shirt", ["Tshirts"]),
        ("T shirts", ["Tshirts"]),
        ("shirt", ["Shirts"]),
        ("tableware", ["Tableware"]),
        ("samovar", ["samovar", "Other"]),  # the head noun of titles
        ("红色马克杯", ["马克杯"]),
        ("red", []),
        ("xqzzy", []),
        ("", []),
    ],
)
def test_the_head_of_a_question_is_its_kind(text, found):
    assert kinds(text) == found


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("mug", 1.0, 1.0),
        ("wide mug", 1.0, 1.0),
        ("mug tree", 0.5, 0.5),  # a word behind it that no product has
        ("hook for mugs", 0.3, 0.3),
        ("马克杯架", 0.5, 0.5),
        ("马克杯的", 1.0, 1.0),
    ],
)
def test_a_kind_that_is_perhaps_not_wanted_is_less_certain(text, least, most):
    assert least <= parse(text).confidence <= most


def test_values_are_whole_labels_their_parts_and_words_of_them():
    def qualities(text):
        return {ref.label: ref.quality for value in parse(text).values for ref in value.refs if ref.field == "colour"}

    assert qualities("red mug") == {"red": 1.0}
    assert qualities("navy mug") == {"navy and ivory": 0.9}
    assert qualities("blue mug") == {"blue": 1.0, "sky blue": 0.5}
    assert [value.words for value in parse("Kettlewick navy and ivory mug").values] == ["kettlewick", "navy and ivory"]


def test_what_is_no_name_is_the_rest():
    parsed = parse("a wide red mug with zebras")
    assert (parsed.rest, parsed.coverage) == (("wide", "zebra"), 0.5)
    assert parsed.unnamed == "a wide mug with zebras"


def test_synonyms_name_kinds_at_their_confidence():
    table = {"cup": [(("mug",), 0.8)], "drinking vessel": [(("glass",), 0.8)]}
    assert kinds("red cup", synonyms=table) == ["Mugs"] and parse("red cup", synonyms=table).confidence == 0.8
    assert kinds("drinking vessel", synonyms=table) == ["Glasses"]


def test_a_text_attribute_gives_no_names_but_its_whole_labels():
    rows = (
        Product(str(n), f"Thing {n}", (), category="Things", attributes={"note": f"mug number {n} of oak"})
        for n in range(9)
    )
    names = ShopNames(ProductColumns.of(enumerate(rows)))
    assert names.find(("oak",)) is None and names.find(("mug", "number", "3", "of", "oak")) is not None
