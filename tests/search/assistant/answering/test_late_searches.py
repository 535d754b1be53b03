"""What the assistant says where the searches for a message are late: never an answer about another product."""

import threading

import pytest

import search.retrieval.pipeline
from tests.search.assistant.answering.test_assistant import Customer

pytestmark = pytest.mark.weights


@pytest.fixture
def hang(monkeypatch):
    """Let the step that reads the words of searches wait until the test ends."""
    over = threading.Event()

    def begin():
        monkeypatch.setattr(search.retrieval.pipeline, "match_text", lambda *args: over.wait())

    yield begin
    over.set()


def late(customer, text):
    return customer.write(text, timeout_ms=50)


@pytest.mark.parametrize(
    "text", ["how much is the red scarf?", "is the blue hat dishwasher safe?", "show me red scarves", "xq scarf zzz"]
)
def test_a_message_whose_words_are_not_read_in_time_is_not_answered_for_the_product_of_the_page(shop, hang, text):
    customer = Customer(shop.assistant, product_id="g")
    hang()
    assert late(customer, text) == ["search_late"]
    assert customer.state.product_id == "g" and not customer.reply.products


def test_a_late_refinement_leaves_the_last_search_as_it_was(shop, hang):
    customer = Customer(shop.assistant)
    customer.write("show me scarves")
    before = customer.state.search
    hang()
    assert late(customer, "in green") == ["search_late"]
    assert customer.state.search == before


def test_a_product_that_was_asked_for_is_still_waited_for(shop, hang):
    customer = Customer(shop.assistant)
    assert customer.write("how much is it")[0] == "which_product"
    hang()
    assert late(customer, "the knitted one in green") == ["search_late"]
    assert customer.state.expects == "product"


def test_who_wants_a_person_need_not_wait_for_a_search(shop, hang):
    hang()
    codes = late(Customer(shop.assistant), "the scarf that you sent me is torn and I am very angry")
    assert "complaint" in codes and "search_late" not in codes


def test_all_searches_for_a_message_share_one_time_limit(shop, monkeypatch):
    limits = []
    real = shop.engine.search
    monkeypatch.setattr(shop.engine, "search", lambda query: [limits.append(query.timeout_ms), real(query)][1])
    customer = Customer(shop.assistant)
    customer.write("show me scarves", timeout_ms=60_000)
    assert limits[0] <= 30_000 < limits[1]  # where the encoder hangs, time is left to answer by words
    customer.write("in green", timeout_ms=60_000)
    assert len(limits) >= 4 and all(limit is not None and limit <= 60_000 for limit in limits)
    assert min(limits) < 60_000


def test_more_of_a_late_search_shows_nothing_of_another_order(shop, hang):
    customer = Customer(shop.assistant)
    customer.write("show me scarves")
    before = customer.state
    hang()
    assert late(customer, "show me more") == ["search_late"]
    assert not customer.reply.products and customer.state.shown == before.shown
    assert customer.state.search == before.search


def test_the_button_of_a_late_search_means_the_same_when_pressed_again(shop, hang):
    customer = Customer(shop.assistant)
    customer.write("xq zzz")
    question = customer.state.question
    assert question == "xq zzz"
    hang()
    assert customer.write("Find a product", choice="find_product", timeout_ms=50) == ["search_late"]
    assert (customer.state.expects, customer.state.question) == ("rephrase", question)
    assert "human_agent" in customer.reply.choices
