"""Conversations over HTTP: what staff see, answer, correct, close, erase and export; nothing without the right key."""

import hashlib
import json
import logging

import pytest

from catalog.home import ShopHome
from search.assistant.handover.handover import Contact
from search.assistant.orders.order_desk import OrderClaim
from search.assistant.threads.thread import ASSISTANT, CUSTOMER, ThreadMessage, new_thread_id
from search.assistant.threads.thread_file import ThreadFile
from search.assistant.threads.thread_store import ThreadOrigin, ThreadStore
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, WRITE_KEY, make_shop
from web.conversations.desk import desk_of, handover_settings
from web.engine import holder_of
from web.errors import UnsafeConfiguration
from web.settings import Settings

OWNER, STAFF = {"Authorization": f"Bearer {ADMIN_KEY}"}, {"Authorization": f"Bearer {WRITE_KEY}"}
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(1)</script>{{7*7}}\"'\u202e"
ANNA = "v-0123456789abcdef01234567"


@pytest.fixture(scope="module")
def client(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("conversations")
    make_shop(home, FakeEncoder())
    ShopHome(home).orders.write_text("number,email,status\nWS-10023,jane@example.com,shipped\n", encoding="utf-8")
    app = make_app(Settings(home=home, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app.test_client()


@pytest.fixture
def desk(client):
    return desk_of(client.application)


@pytest.fixture
def thread_id(desk):
    """A thread of one question and one reply."""
    made = new_thread_id()
    question = "Where is order 10023 of jane@example.com?"
    message = ThreadMessage(CUSTOMER, question, language="en", intent="payment", probability=0.61)
    desk.store.append(made, message, ThreadOrigin(ANNA, "red"))
    sources = ({"kind": "policy", "title": HOSTILE, "text": "t", "url": None},)
    desk.store.append(made, ThreadMessage(ASSISTANT, "You can pay by card.", code="policy", sources=sources))
    return made


def call(client, method, path="", status=200, key=STAFF, **body):
    answer = client.open(f"/api/v1/threads{path}", method=method, headers=key, **({"json": body} if body else {}))
    assert answer.status_code == status, answer.text
    assert method != "GET" or status >= 300 or answer.headers["Cache-Control"] == "no-store"
    return answer.json if status != 204 else None


def test_what_was_not_handed_over_is_masked(client, thread_id):
    answer = call(client, "GET", f"/{thread_id}")
    thread = answer["thread"]
    assert thread["masked"] and thread["handover"] is None
    assert thread["messages"][0]["text"] == "Where is order [order] of [e-mail]?"
    assert (thread["messages"][0]["intent"], thread["messages"][0]["probability"]) == ("payment", 0.61)
    assert "order_status" in answer["intents"]


def test_what_was_handed_over_is_shown_as_it_was_written(client, desk, thread_id):
    desk.handovers.request(thread_id, "requested", "orders", 2, Contact("jane@example.com", "Jane"))
    thread = call(client, "GET", f"/{thread_id}")["thread"]
    assert not thread["masked"] and thread["state"] == "waiting"
    assert thread["messages"][0]["text"] == "Where is order 10023 of jane@example.com?"
    assert thread["handover"]["email"] == "jane@example.com" and thread["handover"]["deliveries"] == []
    listed = call(client, "GET", "?state=waiting&queue=orders&priority=urgent")
    assert [each["id"] for each in listed["threads"]] == [thread_id] and listed["total"] == 1
    assert "jane@" not in json.dumps(listed) and "10023" not in json.dumps(listed["threads"][0]["excerpt"])
    assert {"queue": "orders", "state": "waiting", "threads": 1} in listed["counts"]
    desk.store.erase(thread_id)


def test_staff_answer_and_the_customer_can_be_shown_it(client, desk, thread_id):
    thread = call(client, "POST", f"/{thread_id}/messages", 201, text="It comes tomorrow.")["thread"]
    assert (thread["state"], thread["messages"][-1]["role"]) == ("answered", "person")
    assert thread["messages"][-1]["author"]
    assert [message.text for message in desk.store.messages_after(thread_id, 2)] == ["It comes tomorrow."]
    assert call(client, "POST", f"/{thread_id}/state", state="closed")["thread"]["state"] == "closed"


def test_staff_correct_what_was_understood(client, desk, thread_id):
    corrected = call(client, "POST", f"/{thread_id}/corrections", message=1, intent="order_status")
    assert corrected["thread"]["messages"][0]["corrected"] == {"intent": "order_status", "passage": None}
    learnt = desk.store.corrections()[-1]
    assert (learnt.text, learnt.language, learnt.intent) == (
        "Where is order [order] of [e-mail]?", "en", "order_status",
    )  # fmt: skip
    call(client, "POST", f"/{thread_id}/corrections", 422, message=1, intent="no such intent")
    call(client, "POST", f"/{thread_id}/corrections", 422, message=1)
    call(client, "POST", f"/{thread_id}/corrections", 422, message=2, intent="payment")


def test_staff_take_over_what_nobody_handed_over(client, thread_id):
    thread = call(client, "POST", f"/{thread_id}/handover")["thread"]
    assert thread["state"] == "waiting" and thread["handover"]["reason"] == "requested_by_staff"
    again = call(client, "POST", f"/{thread_id}/handover")["thread"]
    assert again["handover"]["reference"] == thread["handover"]["reference"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nobody", {}),
        ("POST", "/nobody/messages", {"text": "x"}),
        ("POST", "/nobody/state", {"state": "closed"}),
        ("POST", "/nobody/corrections", {"message": 1, "intent": "payment"}),
        ("POST", "/nobody/handover", {}),
        ("GET", "/nobody/export", {}),
    ],
)
def test_an_unknown_conversation_is_not_found_and_not_made(client, method, path, body):
    assert call(client, method, path, 404, **body)["error"]["code"] == "unknown_thread"
    call(client, "GET", "/nobody", 404)


@pytest.mark.promise("P5", "erasure and export over HTTP, by thread, visitor and address")
def test_what_is_exported_is_erased(client, desk, thread_id):
    hashed = hashlib.sha256(b"jane@example.com").hexdigest()
    for path in (f"/{thread_id}/export", f"/export?visitor={ANNA}", f"/export?email_sha256={hashed.upper()}"):
        exported = call(client, "GET", path, key=OWNER)["conversations"]
        assert any(each["messages"][0]["text"].endswith("jane@example.com?") for each in exported)
    for path in ("/export", f"?visitor={ANNA}"):
        call(client, "GET" if path == "/export" else "DELETE", path, 403, key=STAFF)
    call(client, "GET", "/export", 422, key=OWNER)
    call(client, "GET", f"/export?visitor={ANNA}&email_sha256={hashed}", 422, key=OWNER)
    call(client, "GET", "/export?email_sha256=jane@example.com", 422, key=OWNER)
    assert call(client, "DELETE", f"?email_sha256={hashed}", key=OWNER)["erased"] >= 1
    call(client, "DELETE", f"/{thread_id}", 204)
    call(client, "GET", f"/{thread_id}", 404)
    assert call(client, "GET", f"/export?visitor={ANNA}", key=OWNER)["conversations"] == []


@pytest.mark.promise("P5", "a visitor's conversations go with the visitor's other data")
def test_a_forgotten_visitor_has_no_conversations(client, desk, thread_id):
    other = new_thread_id()
    desk.store.append(other, ThreadMessage(CUSTOMER, "hello"), ThreadOrigin("v-fedcba9876543210fedcba98"))
    stored = client.get(f"/api/v1/visitors/{ANNA}", headers=OWNER).json
    assert [each["id"] for each in stored["conversations"]] == [thread_id]
    assert client.delete(f"/api/v1/visitors/{ANNA}").status_code == 204
    assert client.get(f"/api/v1/visitors/{ANNA}", headers=OWNER).json["conversations"] == []
    call(client, "GET", f"/{thread_id}", 404)
    call(client, "GET", f"/{other}")


@pytest.mark.promise("P5", "no line of the log has what customers write")
def test_no_line_of_the_log_has_personal_data(client, desk, thread_id, caplog):
    with caplog.at_level(logging.DEBUG):
        desk.orders.claim(OrderClaim(thread_id, "WS-10023", "jane@example.com", "192.0.2.1"))
        desk.orders.claim(OrderClaim(thread_id, "WS-10023", "guess@example.com", "192.0.2.1"))
        desk.handovers.request(thread_id, "requested", "orders", 2, Contact("jane@example.com", "Jane Doe"))
        call(client, "GET", f"/{thread_id}")
        call(client, "POST", f"/{thread_id}/messages", 201, text="Jane, order 10023 is on its way to jane@example.com")
        call(client, "POST", f"/{thread_id}/messages", 422, text="")
        call(client, "GET", "?queue=orders")
        hashed = hashlib.sha256(b"jane@example.com").hexdigest()
        call(client, "GET", f"/export?email_sha256={hashed}", key=OWNER)
        call(client, "GET", f"/export?visitor={ANNA}", key=OWNER)
    written = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "/api/v1/threads" in written
    for secret in ("jane@", "guess@", "Jane", "10023", "192.0.2.1", hashed, ANNA):
        assert secret not in written
    desk.store.erase(thread_id)


def test_hostile_texts_are_data(client, desk):
    made = new_thread_id()
    desk.store.append(made, ThreadMessage(CUSTOMER, HOSTILE))
    answer = client.get(f"/api/v1/threads/{made}", headers=STAFF)
    assert answer.mimetype == "application/json" and answer.json["thread"]["messages"][0]["text"] == HOSTILE
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.promise("S18")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", {}),
        ("GET", "/t", {}),
        ("POST", "/t/messages", {"text": "x"}),
        ("POST", "/t/state", {"state": "closed"}),
        ("POST", "/t/corrections", {"message": 1, "intent": "payment"}),
        ("POST", "/t/handover", {}),
        ("DELETE", "/t", {}),
        ("GET", "/t/export", {}),
        ("GET", f"/export?visitor={ANNA}", {}),
        ("DELETE", f"?visitor={ANNA}", {}),
    ],
)
def test_an_unexpected_exception_leaks_nothing(client, monkeypatch, method, path, body):
    def raises(*_, **__):
        raise RuntimeError("SELECT secret FROM threads")

    for name in ("reading", "writing"):
        monkeypatch.setattr(ThreadFile, name, raises)
    answer = client.open(f"/api/v1/threads{path}", method=method, headers=OWNER, **({"json": body} if body else {}))
    assert answer.status_code == 500 and "SELECT" not in answer.text and "RuntimeError" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_the_page_holds_no_data_and_reads_in_two_languages(client, thread_id):
    for language, word in (("en", "Conversations"), ("zh", "顾客对话")):
        page = client.get(f"/merchant/conversations?lang={language}")
        assert page.status_code == 200 and word in page.text and thread_id not in page.text
        assert (
            page.headers["Cache-Control"] == "no-store"
            and "unsafe-inline" not in page.headers["Content-Security-Policy"]
        )


BAD_SETTINGS = (
    {"orders_url": "http://shop.example/orders", "orders_secret": "x"},
    {"orders_url": "https://shop.example/orders"},
    {"handover_url": "https://shop.example/hook"},
    {"handover_mail": "desk@shop.example"},
    {"handover_mail": "nobody", "smtp_url": "smtp://localhost"},
    {"handover_mail": "desk@shop.example", "smtp_url": "http://localhost"},
)


@pytest.mark.parametrize("wrong", BAD_SETTINGS, ids=range(len(BAD_SETTINGS)))
def test_settings_that_would_expose_customers_stop_the_server(tmp_path, make_app, wrong):
    with pytest.raises(UnsafeConfiguration):
        make_app(Settings(home=tmp_path, **wrong))


@pytest.mark.promise("P5", "retention where nobody writes any more")
def test_what_is_over_is_removed_when_the_server_starts(tmp_path, make_app):
    store = ThreadStore(tmp_path)
    store.append("old", ThreadMessage(CUSTOMER, "hello", at=1_700_000_000.0))
    make_app(Settings(home=tmp_path, thread_days=0))
    assert store.thread("old").messages
    make_app(Settings(home=tmp_path, thread_days=30))
    assert store.messages_after("old", 0) == ()


def test_secrets_of_settings_are_not_shown(tmp_path):
    settings = Settings(
        home=tmp_path, handover_mail="desk@shop.example", smtp_url="smtps://u:topsecret@mail.example",
        handover_url="https://shop.example/hook", handover_secret="topsecret",
    )  # fmt: skip
    assert handover_settings(settings).channels == ("mail", "webhook")
    assert "topsecret" not in repr(settings) + repr(handover_settings(settings))


def test_a_wrong_table_of_queues_does_not_stop_the_server(tmp_path, make_app, caplog):
    ShopHome(tmp_path).queues.write_text("kind,value,queue,priority\nintent,payment,X,high\n", encoding="utf-8")
    app = make_app(Settings(home=tmp_path))
    assert desk_of(app).queues.route("I paid", "payment").queue == "payments"
    assert any("line 2" in record.getMessage() for record in caplog.records)
