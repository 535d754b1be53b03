"""Variants as one card with their colours or sizes, and the choice between them on the product's page."""

import re
from html import unescape

import pytest

from catalog.product import Product
from tests.web.shop_fixtures import WRITER
from web.facets.variants import TITLE, variant_choices

SHIRTS = [
    Product(
        f"{colour}-{size}".replace(" ", "-"),
        f"Shirt {number}",
        (),
        in_stock=(colour, size) != ("navy", "L"),
        attributes={"colour": colour, "size": size, "weight": f"{size} grams", "gtin": f"40063813{number}"},
    )
    for number, (colour, size) in enumerate(
        [("navy", "M"), ("navy", "L"), ("ivory and red", "M"), ("ivory and red", "S")]
    )
]


def words(markup):
    return " ".join(unescape(re.sub("<[^>]+>", " ", markup)).split())


def shown(choice):
    return [(value.label, value.product_id, value.selected, value.exact) for value in choice.values]


def test_the_attributes_that_tell_variants_apart_are_choices(app):
    with app.test_request_context("/?lang=en"):
        colour, size = variant_choices(SHIRTS[0], SHIRTS)
    assert (colour.name, size.name, colour.selected, size.label) == ("colour", "size", "navy", "Size")
    assert shown(colour) == [("navy", "navy-M", True, True), ("ivory and red", "ivory-and-red-M", False, True)]
    assert shown(size) == [
        ("M", "navy-M", True, True),
        ("L", "navy-L", False, True),
        ("S", "ivory-and-red-S", False, False),
    ]
    assert [value.in_stock for value in size.values] == [True, False, True]
    assert len(colour.values[1].swatch) == 2 and not size.colours


def test_variants_that_no_attribute_tells_apart_are_chosen_by_title(app):
    cups = [Product(sku, f"Cup {sku}", ()) for sku in "ab"]
    with app.test_request_context("/?lang=en"):
        (choice,) = variant_choices(cups[1], cups)
        assert not variant_choices(cups[1], cups[1:])
    assert choice.name == TITLE and shown(choice) == [("Cup a", "a", False, True), ("Cup b", "b", True, True)]


@pytest.fixture
def jumpers(client):
    """The red, the green and the blue jumper of the shop as variants of one; red is cheaper on sale."""

    def put(**fields):
        for sku in ("red", "green", "blue"):
            assert client.put(f"/api/v1/products/{sku}", json=fields, headers=WRITER).status_code == 200

    put(item_group_id="jumpers")
    yield client
    put(item_group_id="")


def test_one_card_for_a_group_that_leads_to_each_variant(jumpers):
    listing = jumpers.get("/?filter={}&lang=en").text
    found = jumpers.post("/api/v1/search", json={"filter": {}, "group_variants": True, "k": 50}).json
    each = jumpers.post("/api/v1/search", json={"filter": {}, "k": 50}).json
    assert each["total"] == each["total_variants"] == found["total_variants"] == found["total"] + 2
    (count,) = re.findall(r'<p class="count"[^>]*>(.*?)·', listing, re.DOTALL)
    assert words(count) == f"1–5 of {found['total']} products in {each['total']} variants"
    (group,) = (hit for hit in found["hits"] if hit["variants"])
    assert sorted(group["variants"]) == ["blue", "green", "red"]
    narrowed = jumpers.get('/?filter={"colour":"Green"}&lang=en').text
    assert narrowed.count('<li class="card"') == 1 and "Green jumper" in narrowed
    (colours,) = re.findall(r'<ul class="card-variants".*?</ul>', narrowed, re.DOTALL)
    assert set(re.findall(r'href="(/products/[a-z]+)', colours)) == {
        "/products/red",
        "/products/green",
        "/products/blue",
    }
    assert sorted(words(colours).split()) == ["Blue", "Green", "Red"]


@pytest.mark.parametrize(("lang", "name"), [("en", "Colour:"), ("zh", "颜色：")])
def test_the_choice_on_the_product_page_is_links_between_the_variants(jumpers, lang, name):
    page = jumpers.get(f"/products/green?lang={lang}").text
    assert re.search(r'"hasVariant":\s*\[\{"@type":\s*"Product",\s*"url":\s*"http://localhost/products/\w+"', page)
    (choice,) = re.findall(r'<div class="variants".*?</div>', page, re.DOTALL)
    assert words(choice).startswith(f"{name} Green")
    (current,) = re.findall(r'href="(/products/[a-z]+)[^>]*aria-current="true"', choice)
    (red,) = re.findall(r'href="(/products/red[^"]*)"', choice)
    assert current == "/products/green" and jumpers.get(unescape(red)).status_code == 200
    similar = page.partition("<h2>")[2]
    assert "/products/red" not in similar, "a variant is no similar product"
