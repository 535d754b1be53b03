"""Queues: a word that the customer wrote counts before the intent, the shop's own table before the shipped one."""

import pytest

from catalog.errors import BadFeed
from catalog.home import ShopHome
from search.assistant.handover.queues import QueueRules
from search.assistant.threads.thread import HIGH, NORMAL, URGENT


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return QueueRules.open(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    ("text", "intent", "queue", "priority"),
    [
        ("where is my parcel", "order_status", "orders", NORMAL),
        ("it came broken", "complaint_damaged", "complaints", HIGH),
        ("it came broken and my Lawyer will write", "complaint_damaged", "complaints", URGENT),
        ("my son was injured by the lamp", "product_question", "complaints", URGENT),
        ("this is fraud", "payment", "payments", URGENT),
        ("我要找律师", "human_agent", "complaints", URGENT),
        ("Ich gehe zum Anwalt", "human_agent", "complaints", URGENT),
        ("how to delete my data", "oos", "privacy", HIGH),
        ("scamper to the shop", "find_product", "products", NORMAL),  # no word of the table
        ("hello", "a new intent", "general", NORMAL),
    ],
)
def test_where_a_conversation_goes(rules, text, intent, queue, priority):
    route = rules.route(text, intent)
    assert (route.queue, route.priority) == (queue, priority)


def test_a_route_says_what_decided(rules):
    assert rules.route("my lawyer says", "payment").because == "lawyer"
    assert rules.route("I paid", "payment").because == "payment"
    assert {"general", "complaints", "orders"} <= set(rules.queues)


def test_every_intent_has_a_queue(rules):
    intents = (
        "order_status return_refund shipping_info cancel_change_order payment size_advice product_question"
        " stock_availability complaint_damaged human_agent find_product small_talk oos"
    )
    assert [intent for intent in intents.split() if rules.route("", intent).because != intent] == []


def test_the_shops_own_table_replaces_and_adds_rows(tmp_path):
    table = "kind,value,queue,priority\nintent,payment,accounts,high\nword,wholesale,b2b,high\n"
    ShopHome(tmp_path).queues.write_text(table, encoding="utf-8")
    rules = QueueRules.open(tmp_path)
    assert rules.route("I paid", "payment").queue == "accounts"
    assert rules.route("do you sell wholesale?", "product_question").queue == "b2b"
    assert rules.route("where is it", "order_status").queue == "orders"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("place,payment,accounts,high", "the kind"),
        ("intent,payment,Bad Queue,high", "the queue"),
        ("intent,payment,accounts,soon", "the priority"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, reason):
    ShopHome(tmp_path).queues.write_text(f"kind,value,queue,priority\n{line}\n", encoding="utf-8")
    with pytest.raises(BadFeed, match=rf"line 2: {reason}"):
        QueueRules.open(tmp_path)
