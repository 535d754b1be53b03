"""The assistant over HTTP: replies in the customer's language, a conversation that goes on, and what is refused."""

import io

import pytest

from tests.web.shop_fixtures import picture_bytes

URL = "/api/v1/assistant"


def send(client, message="", token=None, **fields):
    body = {"message": message, "timeout_ms": 20_000} | ({"token": token} if token else {}) | fields
    answer = client.post(URL, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_empty_message_opens_a_conversation(client):
    opened = send(client, language="de-AT")
    assert opened["reply"]["code"] == "greeting" and opened["reply"]["language"] == "de"
    assert opened["reply"]["text"].startswith("Hallo!") and opened["token"]
    assert opened["products"] == [] and opened["expects"] is None and opened["handed_over"] is None


def test_a_search_has_cards_and_can_be_refined(client):
    found = send(client, "show me jumpers, please")
    assert {"red", "green", "blue"} <= {card["id"] for card in found["products"]}
    assert found["products"][0]["url"] and found["products"][0]["picture_url"]
    assert "q=jumpers" in found["search_url"]
    refined = send(client, "red ones", found["token"])
    assert refined["products"][0]["id"] == "red" and "q=jumpers+red" in refined["search_url"]


def test_a_photo_in_a_form_is_searched_for(client):
    form = {"image": (io.BytesIO(picture_bytes((220, 10, 10))), "photo.jpg"), "language": "zh", "timeout_ms": "20000"}
    answer = client.post(URL, data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json["products"][0]["id"] == "red" and "refine=" in answer.json["search_url"]
    assert answer.json["reply"]["language"] == "zh"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["en", "zh", "de", "fr", "es"])
def test_a_message_without_words_of_a_language_is_answered_in_that_of_the_page(client, language):
    assert send(client, "12345678", language=language)["reply"]["language"] == language


def test_the_message_decides_the_language_even_within_a_conversation(client):
    first = send(client, "hello", language="fr")
    assert first["reply"]["language"] == "fr"  # one word that other languages have too
    assert send(client, "您好", first["token"])["reply"]["language"] == "zh"


@pytest.mark.parametrize(
    "spoil", [lambda token: token[:-3], lambda token: token[:9] + token[10:], lambda token: token * 90]
)
def test_a_token_that_is_not_ours_is_a_clear_error(client, spoil):
    token = send(client, "hello")["token"]
    answer = client.post(URL, json={"message": "hello", "token": spoil(token)})
    assert answer.status_code == 422
    assert answer.json["error"]["code"] in ("bad_conversation", "expired_conversation")
    assert "new conversation" in answer.json["error"]["hint"]


@pytest.mark.parametrize(
    "body",
    [
        {"message": "x" * 1_001},
        {"message": 5},
        {"action": "delete"},
        {"order": {"number": "1"}},
        {"contact": {"email": "nobody"}},
        {"colour": "red"},
        {"image": "no picture"},
    ],
)
def test_what_is_refused(client, body):
    answer = client.post(URL, json=body)
    assert answer.status_code == 422 and answer.json["error"]["message"]
