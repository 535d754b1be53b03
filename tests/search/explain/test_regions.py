"""What kind an object is, by its hits, and which boxes show one object."""

import pytest

from catalog.product import Picture, Product
from search.explain.object_proposals import Box
from search.explain.regions import distinct, named_region
from search.hits import SearchHit

BOX = Box(0.1, 0.1, 0.5, 0.5, 0.9)


def hit(sku, category, score, **attributes):
    return SearchHit(Product(sku, sku, (Picture("x"),), category, attributes=attributes), Picture("x"), score, {})


JUGS, BOWLS = "Tableware > Jugs", "Tableware > Bowls"


def hits(*kinds, step=0.005):
    """Hits of these categories, each scoring a step less."""
    return [
        hit(f"{at}", kind, 0.9 - step * at, category_zh="餐具 > 水壶", category_de="Geschirr > Krüge")
        for at, kind in enumerate(kinds)
    ]


def test_an_object_is_named_by_the_deepest_category_of_its_hits():
    region = named_region(BOX, hits(JUGS, JUGS, JUGS, BOWLS, JUGS, step=0.03), 4)
    assert (region.kind, region.translated_kinds) == ("Jugs", {"zh": "水壶", "de": "Krüge"})
    assert [found.product.id for found in region.hits] == ["0", "1", "2", "4"], "hits of the kind come first"


def test_hits_that_do_not_agree_name_nothing_and_stay_in_order():
    region = named_region(BOX, hits(JUGS, BOWLS, "Lamps", "Rugs", "Mugs"), 4)
    assert (region.kind, region.translated_kinds) == ("", {})
    assert [found.product.id for found in region.hits] == ["0", "1", "2", "3"]


def test_weak_agreement_names_but_does_not_reorder():
    region = named_region(BOX, hits(BOWLS, JUGS, BOWLS, BOWLS), 4)
    assert region.kind == "Bowls"
    assert [found.product.id for found in region.hits] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("found", [[], hits("", "", "")])
def test_without_categories_there_is_no_name(found):
    region = named_region(BOX, found, 5)
    assert region.kind == "" and list(region.hits) == found
    assert region.to_dict()["kind"] == region.to_dict()["kind_zh"] == ""


def test_boxes_that_overlap_and_bring_one_product_first_are_one_object():
    near, far = Box(0.3, 0.3, 0.7, 0.7, 0.8), Box(0.6, 0.6, 0.9, 0.9, 0.7)
    first, second = hits(JUGS, BOWLS), hits(JUGS, "Mugs")
    merged = distinct([named_region(box, found, 2) for box, found in ((BOX, first), (near, second), (far, second))])
    assert [region.box for region in merged] == [BOX, far]
