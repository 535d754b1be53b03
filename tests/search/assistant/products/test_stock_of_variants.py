"""Where a product is out of stock, its variants that are not are named."""

from catalog.product import Product
from search.assistant.products.answer import IN_STOCK, OUT_OF_STOCK
from search.assistant.products.offers import offer_answer
from search.assistant.products.reading.topics import topics


def lamp(name, in_stock, **attributes):
    return Product(name, f"Lamp {name}", (), "", in_stock=in_stock, attributes=attributes)


RED, BLUE, GREEN = (
    lamp("r", False, colour="red", size="M"),
    lamp("b", True, colour="blue", size="M"),
    lamp("g", True, colour="green", size="M"),
)


def stock(product, *variants):
    return offer_answer(topics()["stock"], product, variants)


def test_variants_in_stock_are_named_by_what_tells_them_apart():
    found = stock(RED, RED, BLUE, GREEN)
    assert (found.code, found.facts["values"]) == (OUT_OF_STOCK, ["blue", "green"])
    assert found.facts["products"] == ["b", "g"]
    assert (stock(BLUE, RED, BLUE).code, stock(BLUE, RED, BLUE).facts) == (IN_STOCK, {})


def test_without_a_variant_in_stock_nothing_is_offered():
    assert stock(RED).facts == {} == stock(RED, RED).facts


def test_variants_without_attributes_are_named_by_their_titles():
    assert stock(lamp("x", False), lamp("x", False), lamp("y", True)).facts["values"] == ["Lamp y"]
