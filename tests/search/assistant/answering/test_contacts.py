"""Where a person can answer a customer: nobody has to write an address twice. The classifier knows a few messages."""

from types import SimpleNamespace

import pytest

from catalog.home import ShopHome
from search.assistant.answering.assistant import Assistant
from search.assistant.answering.parts import AssistantParts, ServiceParts
from search.assistant.answering.routing import Routing
from search.assistant.dialogue.conversation import CustomerContact, CustomerMessage
from search.assistant.handover.handovers import Handovers
from search.assistant.intents.classifier import IntentPrediction, RankedIntent
from search.assistant.orders.order_desk import OrderDesk
from search.assistant.threads.thread import ThreadMessage
from search.assistant.threads.thread_store import ThreadStore
from tests.search.shop_fixtures import make_shop

INTENTS = {"broken": "complaint_damaged", "order": "order_status", "ship": "shipping_info", "mugs": "shipping_info"}


class Classifier:
    """Knows an intent by the word that a message has; a message with two is about the second."""

    def classify(self, text, language):
        found = [intent for word, intent in INTENTS.items() if word in text]
        intent = found[-1] if found else "order_status"
        probability = 0.99 if found else 0.3
        return IntentPrediction(intent, probability, 1.0, (RankedIntent(intent, probability),), certain=bool(found))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("contacts") / "shop"
    engine = make_shop(home)
    ShopHome(home).orders.write_text("number,email,status\n10482,ann@example.com,shipped\n")
    store = ThreadStore(home)
    service = ServiceParts(OrderDesk.open(store, home), store, Handovers(store))
    parts = AssistantParts(Classifier(), queues=Routing(home, store, None), service=service)
    yield SimpleNamespace(assistant=Assistant(engine, parts), store=store, handovers=service.handovers)
    engine.close()


@pytest.fixture
def write(shop):
    """Write to the assistant in one conversation; the answer is its codes."""
    states = []

    def send(text="", **fields):
        reply = shop.assistant.reply(CustomerMessage(text, language="en", **fields), states[-1] if states else None)
        states.append(reply.state)
        return [part.code for part in reply.parts]

    send.states = states
    return send


def contact_of(shop, write):
    stored = shop.handovers.of_thread(write.states[-1].thread)
    return stored.contact.email if stored else None


def test_an_address_in_the_message_that_asks_for_a_person_is_the_contact(shop, write):
    codes = write("I want to talk to a person, my mail is ann@example.com")
    assert codes == ["handed_over_waiting", "contact_taken"] and contact_of(shop, write) == "ann@example.com"


def test_the_address_of_a_proved_order_is_the_contact(shop, write):
    assert write("where is my order 10482, ann@example.com") == ["order_shipped"]
    assert write("talk to a person") == ["handed_over_waiting", "contact_taken"]
    assert contact_of(shop, write) == "ann@example.com"


def test_number_and_address_count_wherever_they_stand_in_the_message(shop, write):
    codes = write("my plate arrived broken. where is my order 10482, ann@example.com?")
    assert codes == ["complaint", "order_shipped", "handed_over_waiting", "contact_taken"]
    assert contact_of(shop, write) == "ann@example.com"


def test_the_address_for_an_order_is_also_the_contact_that_was_asked_for(shop, write):
    assert "leave_contact" in write("my plate arrived broken. where is my order 10482?")
    assert write("ann@example.com") == ["order_shipped", "contact_taken"]
    assert contact_of(shop, write) == "ann@example.com"
    write(action="restart")
    write("talk to a person")
    assert write("where is my order 10482, ann@example.com") == ["order_shipped", "contact_taken"]


def test_a_telephone_number_is_no_order(write):
    write("talk to a person")
    assert "ask_order_email" not in write("01712345678") and write.states[-1].expects == "contact"
    assert "ask_order_email" not in write("1712345678") and write.states[-1].expects == "contact"


@pytest.mark.parametrize("text", ["ship in 3 days?", "do you have 2 mugs?"])
def test_another_question_with_a_digit_is_no_order(write, text):
    write("where is my order?")
    write(text)
    assert write.states[-1].order_number == "" and write.states[-1].expects == "order_number"


def test_a_contact_that_no_mail_can_be_sent_to_is_asked_for_again(shop, write):
    write(action="human")
    assert write(contact=CustomerContact("müller@web.de")) == ["contact_unreadable"]
    assert write.states[-1].expects == "contact" and not write.states[-1].has_contact
    assert write(contact=CustomerContact("anna@münchen.de")) == ["contact_taken"]
    assert contact_of(shop, write) == "anna@xn--mnchen-3ya.de"


def test_a_contact_alone_is_handed_over(shop, write):
    assert write(contact=CustomerContact("ann@example.com")) == ["handed_over_waiting", "contact_taken"]
    assert contact_of(shop, write) == "ann@example.com"


def test_a_full_conversation_is_followed_by_one_without_contact(shop, write, monkeypatch):
    write("talk to a person")
    write("it is me@example.com")
    monkeypatch.setattr("search.assistant.threads.thread_store.MAX_MESSAGES", 2)
    first = write.states[-1].thread
    assert write("talk to a person") == ["handed_over_waiting", "leave_contact"]
    assert write.states[-1].thread != first and write.states[-1].expects == "contact"


def test_what_staff_hand_over_is_known_from_their_answer_on(shop, write):
    write("where is my order?")
    state = write.states[-1]
    made = shop.handovers.request(state.thread, "requested_by_staff")
    shop.store.append(state.thread, ThreadMessage("person", "May I help?"))
    (message,), after = shop.assistant.answers_of_staff(state)
    assert (message.text, after.reference) == ("May I help?", made.reference)
