"""What staff write reaches the customer: in the panel's next look, with the next answer, and on the page of forms."""

import pytest

from tests.web.assistant.test_pages import send as send_form
from tests.web.shop_fixtures import ADMIN_KEY

ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}
API = "/api/v1/assistant"


def ask(client, **fields):
    answer = client.post(API, json={"language": "en", "timeout_ms": 20_000} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json


def answer_as_staff(client, text):
    """Answer the one conversation that waits."""
    (waiting,) = client.get("/api/v1/threads?state=waiting", headers=ADMIN).json["threads"]
    thread = waiting["id"]
    answer = client.post(f"/api/v1/threads/{thread}/messages", json={"text": text}, headers=ADMIN)
    assert answer.status_code == 201
    return thread


@pytest.fixture(autouse=True)
def erased(client):
    """Conversations end with their test; those of other tests are none of its own."""
    for thread in client.get("/api/v1/threads?k=100", headers=ADMIN).json["threads"]:
        client.delete(f"/api/v1/threads/{thread['id']}", headers=ADMIN)


@pytest.fixture
def handed_over(client):
    """The answer to a customer who asked for a person."""
    answer = ask(client, message="The sleeve is torn", action="human")
    assert answer["handed_over"]["reference"] and answer["messages"] == []
    return answer


def test_a_look_has_what_staff_wrote_once_and_says_nothing_itself(client, handed_over):
    nothing = ask(client, token=handed_over["token"])
    assert (nothing["reply"]["text"], nothing["messages"]) == ("", [])
    answer_as_staff(client, "We are sending you another one.")
    looked = ask(client, token=nothing["token"])
    assert [(each["role"], each["text"]) for each in looked["messages"]] == [
        ("person", "We are sending you another one.")
    ]
    assert ask(client, token=looked["token"])["messages"] == []


def test_what_staff_wrote_comes_with_the_next_answer_too(client, handed_over):
    answer_as_staff(client, "Which size is it?")
    answer = ask(client, token=handed_over["token"], message="show me jumpers")
    assert [each["text"] for each in answer["messages"]] == ["Which size is it?"] and answer["reply"]["text"]


def test_staff_see_what_the_customer_wrote_and_nobody_sees_anothers(client, handed_over):
    thread = answer_as_staff(client, "Which size is it?")
    written = client.get(f"/api/v1/threads/{thread}", headers=ADMIN).json["thread"]["messages"]
    assert [each["text"] for each in written if each["role"] == "customer"] == ["The sleeve is torn"]
    other = ask(client, message="show me jumpers")
    assert other["messages"] == [] and ask(client, token=other["token"])["messages"] == []


def test_staff_may_write_in_a_conversation_that_was_not_handed_over(client):
    answer = ask(client, message="show me jumpers")
    (thread,) = client.get("/api/v1/threads", headers=ADMIN).json["threads"]
    client.post(f"/api/v1/threads/{thread['id']}/messages", json={"text": "May I help?"}, headers=ADMIN)
    looked = ask(client, token=answer["token"])
    assert [each["text"] for each in looked["messages"]] == ["May I help?"] and looked["reply"]["text"] == ""
    client.post(f"/api/v1/threads/{thread['id']}/handover", headers=ADMIN)
    client.post(f"/api/v1/threads/{thread['id']}/messages", json={"text": "I am still here."}, headers=ADMIN)
    answer = ask(client, token=looked["token"], message="show me red jumpers")
    assert [each["text"] for each in answer["messages"]] == ["I am still here."]
    stored = client.get(f"/api/v1/threads/{thread['id']}", headers=ADMIN).json["thread"]
    person = ask(client, token=answer["token"], action="human")
    assert person["handed_over"]["reference"] == stored["handover"]["reference"]
    assert person["reply"]["code"] == "handed_over_again"


def test_the_page_of_forms_asks_for_an_answer_and_stays_in_its_language(client):
    page = send_form(client, message="人工客服", action="human")
    assert 'lang="zh-Hans"' in page and "Talk to a person" in page
    waiting = send_form(client, page, action="look", message="half a thou")
    assert "Our staff have not answered yet." in waiting and ">half a thou</textarea>" in waiting
    answer_as_staff(client, "We are sending you another one.")
    answered = send_form(client, waiting, action="look")
    assert '<article class="entry person"' in answered and "We are sending you another one." in answered
    assert answered.count('<article class="entry') == page.count('<article class="entry') + 1


def test_the_search_of_the_page_is_refined(client):
    found = ask(client, message="in red", page_search="jumpers")
    assert found["products"][0]["id"] == "red" and "q=jumpers" in found["search_url"]
    again = ask(client, message="in blue", page_search="something else", token=found["token"])
    assert again["products"][0]["id"] == "blue"  # the conversation's own search is the later one
