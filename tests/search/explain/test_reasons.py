"""Why a hit is among the results."""

from catalog.product import Picture, Product
from search.explain.reasons import Difference, resembled_ids, why
from search.hits import SearchHit
from search.query.terms import ProductTerm, Query, TextTerm


def product(sku, category="", brand="", **attributes):
    return Product(sku, sku, (Picture("x"),), category, brand=brand, attributes=attributes)


def hit(found, **parts):
    return SearchHit(found, found.pictures[0], sum(parts.values()), parts)


MUG = product("m", "Tableware > Mugs", "Acme", colour="red", material="clay")
CUP = product("c", "Tableware > Cups", "ACME", colour="Red", material="glass", finish="matt")


def test_a_hit_is_compared_with_the_product_of_the_query():
    reasons = why(hit(CUP, look=0.4, colour=0.3, words=0.01), Query((ProductTerm("m"),)), [MUG])
    assert reasons.agrees == {"brand": "ACME", "colour": "Red"}
    assert reasons.differs == {
        "category": Difference("Tableware > Mugs", "Tableware > Cups"),
        "material": Difference("clay", "glass"),
    }
    assert reasons.reasons == ("similar shape and texture (56%)", "similar colours (42%)")


def test_words_agree_with_the_facts_that_they_name():
    reasons = why(hit(CUP, meaning=0.5, lexical=0.5), Query((TextTerm("matt glass cups"), TextTerm("red", -1.0))), [])
    assert reasons.agrees == {"category": "Tableware > Cups", "material": "glass", "finish": "matt"}
    assert set(reasons.reasons) == {"its picture matches your words (50%)", "its description has your words (50%)"}
    assert reasons.to_dict()["differs"] == {}


def test_chinese_words_need_no_spaces():
    assert why(hit(product("x", 颜色="红色"), meaning=1.0), Query((TextTerm("红色杯子"),)), []).agrees == {
        "颜色": "红色"
    }


def test_a_part_that_pulls_down_is_no_reason():
    assert why(hit(CUP, look=0.9, colour=-0.2), Query((ProductTerm("m"),)), []).reasons == (
        "similar shape and texture (100%)",
    )


def test_the_weightiest_product_is_the_one_to_compare_with():
    query = Query((ProductTerm("a", 0.5), ProductTerm("b"), ProductTerm("c", -1.0)))
    assert resembled_ids(query) == ["b", "a"]
