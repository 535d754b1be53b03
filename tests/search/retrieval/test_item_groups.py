"""The variants of an item group as one hit: against the answer that has each of them, and counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from search.live.product_edit import edit_of
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from tests.search.shop_fixtures import BLUE, GREEN, RED, Item, make_shop, picture

COLOURS = {"red": RED, "green": GREEN, "blue": BLUE}
WITHOUT_GROUP = 4


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Forty scarves and hats in 13 groups, each of one kind; two variants of a group may share a picture."""
    rng = np.random.default_rng(5)
    items = []
    for number in range(40):
        name, kind = list(COLOURS)[(number // 2) % 3], ("Scarves", "Hats")[(number // 3) % 2]
        shade = tuple(int(max(0, c - 30 * rng.integers(0, 3))) for c in COLOURS[name])
        group = f"G{number // 3}" if number < 40 - WITHOUT_GROUP else ""
        title = f"{name} {kind[:-1].lower()} {number}"
        items.append(Item(f"p{number:02}", title, (shade,), f"Apparel > {kind}", str(9 + number % 7), group=group))
    with make_shop(tmp_path_factory.mktemp("shop"), items) as engine:
        yield engine


def firsts(hits):
    """The hits without those whose group has a better one."""
    seen = {}
    return [hit.product.id for hit in hits if seen.setdefault(hit.product.item_group_id or hit.product.id, hit) is hit]


def ids(page):
    return [hit.product.id for hit in page.hits]


QUESTIONS = {
    "browse": Query((), filter=parse_filter({})),
    "browse hats": Query((), filter=parse_filter({"category": "apparel > hats"})),
    "photo": Query((PictureTerm(picture(RED)),)),
    "words": Query((TextTerm("red hat"),)),
    "both": Query((PictureTerm(picture(BLUE)), TextTerm("hat")), filter=parse_filter({"price": {"max": 13}})),
}


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "newest"])
@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_of_each_group_the_best_variant_is_a_hit(shop, asked, sort):
    asked = replace(asked, sort=sort, facets=True, collapse=False, k=60)
    each, grouped = shop.search(asked), shop.search(replace(asked, group_variants=True))
    assert ids(grouped) == firsts(each.hits)
    assert each.total == each.total_variants == grouped.total_variants == len(each.hits)
    assert grouped.total == len(grouped.hits) < each.total
    pages = [shop.search(replace(asked, group_variants=True, k=3, offset=at)) for at in range(0, grouped.total, 3)]
    assert [hit for page in pages for hit in ids(page)] == ids(grouped)


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_a_facet_counts_what_a_click_on_it_shows(shop, asked):
    asked = replace(asked, facets=True, group_variants=True, k=60)
    (categories,) = (facet for facet in shop.search(asked).facets if facet.name == "category")
    for value in categories.values:
        narrowed = parse_filter((asked.filter or parse_filter({})).to_json() | {"category": value.value})
        assert shop.search(replace(asked, filter=narrowed)).total == value.count


def test_a_hit_has_its_variants_and_a_product_is_not_like_its_own(shop):
    page = shop.search(Query((ProductTerm("p07"),), k=40, group_variants=True))
    assert not {"p06", "p07", "p08"} & set(ids(page))
    variants = {hit.product.id: hit.variants for hit in page.hits}
    members = [(f"p{3 * group:02}", f"p{3 * group + 1:02}", f"p{3 * group + 2:02}") for group in range(12)]
    assert all(variants[hit] in ((), *members) and (hit in variants[hit] or hit >= "p36") for hit in variants)
    assert [product.id for product in shop.variants("p07")] == ["p06", "p07", "p08"] and not shop.variants("p39")


def test_a_change_of_the_group_is_followed(shop):
    asked = Query((), filter=parse_filter({}), group_variants=True, k=60)
    before = shop.search(asked).total
    shop.put(edit_of("p07", {"item_group_id": ""}))
    assert shop.search(asked).total == before + 1
    assert [product.id for product in shop.variants("p06")] == ["p06", "p08"] and not shop.variants("p07")
    shop.remove("p08")
    assert shop.search(asked).total == before + 1 and not shop.variants("p06")
    shop.put(edit_of("p07", {"item_group_id": "G2"}))
    assert [product.id for product in shop.variants("p07")] == ["p06", "p07"]
