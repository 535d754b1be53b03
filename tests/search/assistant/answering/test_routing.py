"""Conversations go where the rules say, and unclear ones where similar messages went."""

import time

import pytest

from search.assistant.answering.routing import Routing
from search.assistant.intents.classifier import IntentPrediction, RankedIntent
from search.assistant.threads.thread import CUSTOMER, ThreadCorrection, ThreadMessage
from search.assistant.threads.thread_store import ThreadStore

pytestmark = pytest.mark.weights
CERTAIN = IntentPrediction("payment", 0.95, 1.0, (RankedIntent("payment", 0.95),), True)
UNSURE = IntentPrediction("oos", 0.3, 0.5, (RankedIntent("oos", 0.3),), False)
MESSAGES = (
    "the clickbox was not emptied",
    "nobody emptied the clickbox",
    "is the clickbox emptied today",
    "点击箱没有清空",
)


@pytest.fixture
def routing(tmp_path, text_vectors):
    store = ThreadStore(tmp_path)
    for place, text in enumerate(MESSAGES):
        language = "zh" if place == 3 else "en"
        number = store.append(f"thread{place:04d}", ThreadMessage(CUSTOMER, text, time.time(), language))
        store.correct(f"thread{place:04d}", number, ThreadCorrection(intent="shipping_info"))
    routing = Routing(tmp_path, store, text_vectors)
    assert routing.refresh() == 4
    return routing


def test_an_unclear_message_goes_where_similar_ones_went(routing):
    assert routing.route("clickbox still not emptied", "en", UNSURE).queue == "delivery"
    assert routing.route("点击箱还没清空", "zh", UNSURE).queue == "delivery"
    assert routing.route("my cat is blue", "en", UNSURE).queue == "general"


def test_a_certain_intent_and_urgent_words_come_first(routing):
    assert routing.route("clickbox still not emptied", "en", CERTAIN).queue == "payments"
    urgent = routing.route("the clickbox caught fire", "en", UNSURE)
    assert urgent.queue == "complaints" and urgent.because == "caught fire"


def test_rules_alone_route_where_texts_cannot_be_compared(tmp_path):
    routing = Routing(tmp_path, ThreadStore(tmp_path), None)
    assert routing.refresh() == 0
    assert (
        routing.route("clickbox", "en", UNSURE).queue == "general" and routing.route("a", "en", None).queue == "general"
    )
