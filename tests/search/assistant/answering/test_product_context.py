"""Which product a message is about: that of the page, one shown, one talked about before, or another one named."""

import pytest

from tests.search.assistant.answering.test_assistant import Customer

pytestmark = pytest.mark.weights


@pytest.fixture
def customer(shop):
    return Customer(shop.assistant)


def test_a_new_search_leaves_the_product_talked_about_before_but_not_that_of_the_page(shop, customer):
    customer.write("show me scarves")
    customer.write("the first one")
    assert customer.state.product_id
    customer.write("show me hats")
    assert customer.state.product_id == ""
    on_page = Customer(shop.assistant, product_id="b")
    on_page.write("show me scarves")
    assert on_page.state.product_id == "b"


def test_a_new_question_takes_the_place_of_the_one_that_waits_for_a_product(customer):
    customer.write("show me scarves")
    second = customer.state.shown[1]
    customer.write("how much is it")
    assert customer.state.expects == "product"
    assert customer.write("is the second one in stock?") in (["product_in_stock"], ["product_not_stated"])
    assert (customer.state.product_id, customer.state.expects) == (second, "")


def test_a_new_search_takes_the_place_of_the_question_that_waits_for_a_product(customer):
    customer.write("show me scarves")
    customer.write("how much is it")
    assert customer.write("show me red scarves")[0].startswith("search_") and customer.state.expects == ""
    assert customer.write("is it in stock?") == ["which_of_these"]


@pytest.mark.parametrize(
    ("text", "page", "meant"),
    [
        ("how much is the red scarf?", "g", "r"),
        ("how much is the green scarf?", "r", "g"),
        ("is the blue hat dishwasher safe?", "r", "b"),
        ("is the scarf green?", "r", "r"),
        ("does it come in green?", "r", "r"),
        ("how much is it?", "b", "b"),
    ],
)
def test_the_product_of_a_page_is_meant_only_where_all_that_is_named_is_its_own(shop, text, page, meant):
    customer = Customer(shop.assistant, product_id=page)
    codes = customer.write(text)
    products = {part.facts["product"].id for part in customer.reply.parts if "product" in part.facts}
    assert products == {meant} or (page != meant and not products and codes), (codes, products)
