"""Questions about products over HTTP: answered at once from what is stated, or sent to the shop and answered by it."""

import re

import pytest

from search.assistant.products.answer import CODES, SOURCE_KINDS
from tests.web.shop_fixtures import READ_KEY, WRITER
from web.i18n.languages import LANGUAGES
from web.i18n.messages import QUESTIONS, page_messages

API = "/api/v1/products/red/questions"
VISITOR = "q8Zr41mXc07LkPw2"


def ask(client, text, language="en"):
    return client.get(API, query_string={"ask": text, "language": language}).json["answer"]


def test_what_is_stated_is_answered_with_passage_and_source(client):
    answer = ask(client, "What is it made of?")
    assert (answer["status"], answer["passage"], answer["text"]) == ("answered", "wool", "Made of: wool")
    assert answer["source"] == {"kind": "attribute", "name": "made of", "id": None}
    assert ask(client, "How much is it?")["text"] == "It costs €12.90."
    assert ask(client, "Was kostet er?", "de")["text"] == "Der Preis beträgt 12,90\N{NO-BREAK SPACE}€."
    assert ask(client, "有现货吗", "zh")["text"] == "有现货。"
    assert ask(client, "Is it machine washable?") == {
        "status": "not_stated",
        "code": "not_stated",
        "topic": "machine_wash",
        "text": "This is not stated for this product.",
        "facts": {},
        "passage": None,
        "language": None,
        "source": None,
    }


def test_a_question_is_shown_once_the_shop_has_answered_it(client):
    text = "Does this <b>jumper</b> itch?"
    sent = client.post(API, json={"text": text, "visitor": VISITOR})
    assert sent.status_code == 202 and sent.json["question"]["state"] == "open"
    number = sent.json["question"]["id"]
    assert text not in str(client.get(API).json) and "itch?" not in client.get("/products/red").text
    listed = client.get("/api/v1/questions?state=open", headers=WRITER).json
    assert [(one["id"], one["product_title"]) for one in listed["questions"]] == [(number, "Red jumper")]
    assert listed["counts"]["open"] == 1
    answered = client.put(
        f"/api/v1/questions/{number}/answer", json={"answer": "No, the <wool> is soft."}, headers=WRITER
    )
    assert answered.json["question"]["state"] == "published"
    page = client.get("/products/red").text
    assert "Does this &lt;b&gt;jumper&lt;/b&gt; itch?" in page and "No, the &lt;wool&gt; is soft." in page
    assert [one["text"] for one in client.get(API).json["questions"]] == [text]
    again = ask(client, "Does the jumper itch?")
    assert (again["code"], again["passage"], again["source"]["id"]) == (
        "shop_answered",
        "No, the <wool> is soft.",
        number,
    )
    assert client.delete(f"/api/v1/questions/{number}", headers=WRITER).status_code == 204
    assert client.get(API).json["questions"] == [] and ask(client, "Does the jumper itch?")["code"] == "not_stated"


def test_only_a_key_with_the_scope_write_answers(client):
    for method, path in (
        ("get", "/api/v1/questions"),
        ("put", "/api/v1/questions/1/answer"),
        ("delete", "/api/v1/questions/1"),
    ):
        assert getattr(client, method)(path).status_code == 401
        weak = {"Authorization": f"Bearer {READ_KEY}"}
        assert getattr(client, method)(path, headers=weak).status_code == 403
    missing = client.put("/api/v1/questions/999/answer", json={"answer": "Yes."}, headers=WRITER)
    assert (missing.status_code, missing.json["error"]["code"]) == (404, "unknown_question")


@pytest.mark.parametrize(
    "body, status",
    [({}, 422), ({"text": " "}, 422), ({"text": "x" * 501}, 422), ({"text": "Soft?", "visitor": "1"}, 422), ([], 400)],
)
def test_a_question_that_cannot_be_stored_is_refused(client, body, status):
    assert client.post(API, json=body).status_code in (status, 422)
    assert client.post("/api/v1/products/nothing/questions", json={"text": "Soft?"}).status_code == 404


def test_the_page_answers_without_scripts(client):
    page = client.get("/products/red?ask=What+is+it+made+of%3F").text
    assert "Made of: wool" in page and "Source: product details" in page
    page = client.get("/products/red?ask=%3Cscript%3E+oven+safe%3F").text
    assert "This is not stated for this product." in page and "&lt;script&gt; oven safe?" in page
    assert "<button>Send this question to the shop</button>" in page
    sent = client.post("/products/red/questions", data={"ask": "Is it oven safe?"})
    assert (sent.status_code, sent.location) == (303, "/products/red?sent=1#questions")
    assert "The shop has received your question." in client.get("/products/red?sent=1").text
    for number in [one["id"] for one in client.get("/api/v1/questions", headers=WRITER).json["questions"]]:
        client.delete(f"/api/v1/questions/{number}", headers=WRITER)


def test_a_visitor_is_forgotten_with_the_questions(client):
    client.post(API, json={"text": "Is it warm in winter storms?", "visitor": VISITOR})
    assert client.delete(f"/api/v1/visitors/{VISITOR}").status_code == 204
    assert client.get("/api/v1/questions", headers=WRITER).json["questions"] == []


def test_the_shops_page_has_no_data_and_two_languages(client):
    english, chinese = (client.get(f"/merchant/questions?lang={code}").text for code in ("en", "zh"))
    assert "Customers’ questions" in english and "顾客提问" in chinese
    assert re.search(r'href="/static/merchant\.css\?v=', english) and "merchant_questions.js" in english


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_and_source_has_words(language):
    words = page_messages(QUESTIONS, language)
    rendered = {"price_reduced", "customers_mention", "side_open"}
    plain = set(CODES) - {"customers"}
    assert plain | rendered | {f"source_{kind}" for kind in SOURCE_KINDS} <= words.keys()
