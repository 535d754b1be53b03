"""What the assistant says and does where it has no models, or where a store cannot be read."""

import pytest

from catalog.errors import StoreError
from search.assistant.answering.assistant import Assistant
from search.assistant.answering.parts import AssistantParts, ServiceParts
from search.assistant.answering.routing import Routing
from search.assistant.dialogue.conversation import CustomerMessage
from search.assistant.handover.handovers import Handovers
from search.assistant.threads.thread_store import ThreadStore
from tests.search.shop_fixtures import make_shop


class Broken:
    """Knowledge whose store cannot be read."""

    def answer(self, *_):
        raise StoreError("broken", "Repair it.")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = make_shop(tmp_path_factory.mktemp("models") / "shop")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def assistant(engine):
    """An assistant without models that hands over."""
    store = ThreadStore(engine.home)
    service = ServiceParts(threads=store, handovers=Handovers(store))
    return Assistant(engine, AssistantParts(queues=Routing(engine.home, store, None), service=service))


def codes_of(assistant, text, **fields):
    return [part.code for part in assistant.reply(CustomerMessage(text, language="en", **fields)).parts]


@pytest.mark.parametrize("parts", [AssistantParts(), AssistantParts(policies=Broken(), products=Broken())])
def test_what_was_not_looked_up_is_not_said_to_be_unstated(engine, parts):
    assistant = Assistant(engine, parts)
    reply = assistant.reply(CustomerMessage("can i pay with paypal", language="en", choice="payment"))
    assert [part.code for part in reply.parts] == ["cannot_look_up"] and "human_agent" in reply.choices
    about = {"choice": "product_question", "product_id": "b"}
    assert codes_of(assistant, "is it dishwasher safe", **about) == ["cannot_look_up"]


@pytest.mark.parametrize(
    "text", ["this is a scam, I will call my lawyer", "You charged me twice!", "Sie haben zweimal abgebucht"]
)
def test_an_urgent_word_calls_a_person_at_once_and_one_of_high_priority_where_it_is_not_clear(assistant, text):
    assert codes_of(assistant, text) == ["handed_over_waiting", "leave_contact"]


def test_a_word_of_high_priority_calls_nobody_where_the_message_is_clear(assistant):
    assert codes_of(assistant, "was I charged twice?", choice="payment") == ["cannot_look_up"]
    assert codes_of(assistant, "I call my lawyer", choice="payment") == ["handed_over_waiting", "leave_contact"]
