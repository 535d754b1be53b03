"""Panels of facets: what a click on each value leads to, and what the price boxes hold."""

import html
import json
import re

import pytest

from search.hits import Facet, FacetValue
from web.facets.panels import facet_panel, toggled


def click(field, value, own, selected=False):
    return json.loads(toggled(field, FacetValue(value, str(value), 1, selected), own))


def test_values_of_a_facet_are_collected():
    one = click("base_colour", "navy", {"brand": ["Acme"]})
    assert one == {"brand": ["Acme"], "base_colour": ["navy"]}
    both = click("base_colour", "ivory", one)
    assert both == {"brand": ["Acme"], "base_colour": ["navy", "ivory"]}
    assert click("base_colour", "Navy", both, selected=True) == {"brand": ["Acme"], "base_colour": ["ivory"]}
    assert click("base_colour", "navy", one, selected=True) == {"brand": ["Acme"]}


def test_attributes_price_and_stock():
    own = click("attributes.pattern", "dotted", {})
    assert click("attributes.pattern", "striped", own) == {"attributes": {"pattern": ["dotted", "striped"]}}
    assert click("attributes.pattern", "dotted", own, selected=True) == {}
    assert click("price", {"max": 20.0}, {"price": {"min": 5.0}}) == {"price": {"max": 20.0}}
    assert click("in_stock", True, {"in_stock": False}) == {"in_stock": True}


def test_several_categories_and_never_one_inside_another():
    both = click("category", "Apparel > Tops", {"category": ["Footwear"]})
    assert both == {"category": ["Footwear", "Apparel > Tops"]}
    assert click("category", "Apparel", both) == {"category": ["Footwear", "Apparel"]}
    assert click("category", "Apparel > Tops > Shirts", both) == {"category": ["Footwear", "Apparel > Tops > Shirts"]}
    assert click("category", "Apparel > Topsoil", both) == {
        "category": ["Footwear", "Apparel > Tops", "Apparel > Topsoil"]
    }


def test_what_is_selected_is_never_folded_away():
    values = tuple(FacetValue(f"b{i:02}", f"b{i:02}", 40 - i, i == 15) for i in range(20))
    panel = facet_panel(Facet("brand", values), {}, {})
    assert [choice.label for choice in panel.first] == [f"b{i:02}" for i in (*range(8), 15)]
    assert len(panel.rest) == 11 and panel.long


@pytest.fixture
def boxes(client):
    def read(**query):
        text = client.get("/", query_string=query).text
        found = re.findall(r'<input name="(min|max)"[^>]* value="([^"]*)" placeholder="([^"]*)"', text)
        return {name: (value, hint) for name, value, hint in found}, html.unescape(text)

    return read


def test_the_price_boxes_hold_only_what_was_typed(boxes):
    assert boxes(q="jumper")[0] == {"min": ("", "12.90"), "max": ("", "14.90")}
    assert boxes(q="jumper", min="", max="14")[0] == {"min": ("", "12.90"), "max": ("14", "14.90")}
    assert boxes(q="jumper", min="14", max="13")[0] == {"min": ("13", "12.90"), "max": ("14", "14.90")}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_limit_of_the_words_is_shown_and_stays_theirs(boxes, lang):
    fields, text = boxes(q="jumper under 14", lang=lang)
    assert fields == {"min": ("", "12.90"), "max": ("14", "14.90")}
    clicks = re.findall(r'form="narrow" name="filter" value="(.*?)" data-key="base', text)
    assert clicks == ['{"base_colour":["Green"]}', '{"base_colour":["Red"]}']
    applied, _ = boxes(q="jumper under 14", min="", max="15", lang=lang)
    assert applied["max"] == ("15", "14.90")


def test_browsing_says_that_it_shows_the_newest_first(client):
    text = client.get("/", query_string={"filter": "{}"}).text
    assert re.findall(r'<option value="([^"]+)"( selected)?>', text) == [
        ("price", ""),
        ("-price", ""),
        ("newest", " selected"),
    ]
    by_price = client.get("/", query_string={"filter": "{}", "sort": "price"}).text
    assert '<option value="price" selected>' in by_price
    assert '<option value="relevance" selected>' in client.get("/?q=red").text
