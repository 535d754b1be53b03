"""Orders: proved by number and address, the same refusal for both failures, few attempts, one thread, one hour."""

import hashlib
import json
import os

import pytest

from catalog.errors import BadInput, OrdersUnavailable
from catalog.home import ShopHome
from search.assistant.handover.handover import HandoverSettings
from search.assistant.handover.handovers import Handovers
from search.assistant.handover.outbox import Outbox
from search.assistant.orders.order import OrderStatus, order_number, status_code
from search.assistant.orders.order_desk import (
    HOUR_S,
    MAX_OF_CALLER,
    MAX_OF_MAIL,
    MAX_OF_NUMBER,
    MAX_OF_THREAD,
    PROOF_S,
    PROVED,
    REFUSED,
    TOO_MANY,
    OrderClaim,
    OrderDesk,
)
from search.assistant.orders.order_file import OrderFile
from search.assistant.orders.order_service import OrderService
from search.assistant.services.signed_post import Service
from search.assistant.threads.thread import CUSTOMER, ThreadMessage, iso_time
from search.assistant.threads.thread_store import ThreadStore
from tests.search.assistant.handover.stub_servers import web_stub

TABLE = """number,email,status,carrier,tracking,tracking_url,shipped_at,expected_at,items
WS-1,Jane@Example.com,Shipped,DHL,0034,https://dhl.example/0034,2026-11-20T10:00:00Z,2026-11-25,2 x Mug; 1 x Plate
WS-2,li@example.com,已发货,,,javascript:alert(1),,,
WS-2,li@example.com,已签收,,,,,,茶壶
WS-3,,Shipped,,,,,,
,jane@example.com,Shipped,,,,,,
"""
NOW = 1_700_000_000.0


@pytest.fixture
def home(tmp_path):
    ShopHome(tmp_path).orders.write_text(TABLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def desk(home):
    return OrderDesk.open(ThreadStore(home), home)


def sha256(mail):
    return hashlib.sha256(mail.encode()).hexdigest()


def claim(number="WS-1", email="jane@example.com", thread="t", caller="192.0.2.1"):
    return OrderClaim(thread, number, email, caller)


def test_number_and_address_together_prove_an_order(desk):
    answer = desk.claim(claim(" #ws-1. ", " JANE@example.com "), NOW)
    assert answer.outcome == PROVED
    assert answer.order == OrderStatus(
        "WS-1", "shipped", "Shipped", "DHL", "0034", "https://dhl.example/0034", "2026-11-20", "2026-11-25",
        ("2 x Mug", "1 x Plate"),
    )  # fmt: skip
    assert desk.shown("t", now=NOW + 1) == answer.order


def test_an_order_of_several_rows_is_one(desk):
    order = desk.claim(claim("ＷＳ－２", "li@example.com"), NOW).order
    assert (order.code, order.items, order.tracking_url) == ("delivered", ("茶壶",), "")


@pytest.mark.parametrize(
    ("number", "email"),
    [("WS-1", "li@example.com"), ("WS-9", "jane@example.com"), ("WS-3", ""), ("WS-3", "x@example.com"), ("", "a@b.c"),
     ("WS-1", "no address"), ("WS-1", sha256("jane@example.com"))],
)  # fmt: skip
def test_every_failure_gets_the_same_answer(desk, number, email):
    answer = desk.claim(claim(number, email), NOW)
    assert (answer.outcome, answer.order) == (REFUSED, None)
    assert desk.shown("t", number, NOW) is None


@pytest.mark.promise("S21", "an order in other threads and later")
def test_an_order_is_shown_in_no_other_thread_and_not_for_ever(desk):
    assert desk.claim(claim(), NOW).outcome == PROVED
    assert desk.shown("t", "WS-1", NOW + PROOF_S - 1) is not None
    assert desk.shown("u", "WS-1", NOW + 1) is None and desk.shown("", "WS-1", NOW + 1) is None
    assert desk.shown("t", "WS-2", NOW + 1) is None
    assert desk.shown("t", "WS-1", NOW + PROOF_S) is None


@pytest.mark.promise("S21", "enumeration by thread, number and address")
@pytest.mark.parametrize("same", ["thread", "number", "caller", "email"])
def test_nobody_can_try_out_many(desk, same):
    limit = {"thread": MAX_OF_THREAD, "number": MAX_OF_NUMBER, "caller": MAX_OF_CALLER, "email": MAX_OF_MAIL}[same]

    same_values = {"thread": "t", "number": "WS-1", "caller": "192.0.2.7", "email": "jane@example.com"}

    def attempt(number, **values):
        fields = {"thread": f"t{number}", "number": f"WS-{number + 10}", "caller": f"192.0.2.{number}"}
        fields["email"] = f"guess{number}@example.com"
        fields[same] = same_values[same]
        return desk.claim(claim(**fields | values), NOW + number)

    assert [attempt(number).outcome for number in range(limit)] == [REFUSED] * limit
    assert attempt(limit).outcome == TOO_MANY
    right = same_values[same]
    blocked = desk.claim(claim(**{same: right}), NOW + limit)
    assert (blocked.outcome, blocked.order) == (TOO_MANY, None)  # the right answer is no way round it
    assert desk.claim(claim(**{same: right}), NOW + limit + HOUR_S + 1).outcome == PROVED


def test_counts_outlive_the_server_and_have_no_personal_data(desk, home):
    for _ in range(MAX_OF_THREAD):
        desk.claim(claim(email="guess@example.com", number="WS-77"), NOW)
    assert OrderDesk.open(ThreadStore(home), home).claim(claim(), NOW).outcome == TOO_MANY
    stored = b"".join(path.read_bytes() for path in home.glob("threads.sqlite*"))
    assert b"192.0.2.1" not in stored and b"WS-77" not in stored and b"guess@" not in stored


def test_an_export_says_what_was_proved_and_sent(home, desk):
    store = ThreadStore(home)
    store.append("t", ThreadMessage(CUSTOMER, "Where is it?", at=NOW))
    desk.claim(claim(), NOW)
    with web_stub(lambda _: (200, {}, b"")) as (url, _):
        settings = HandoverSettings(webhook=Service(url, b"secret"))
        Handovers(store, settings).request("t", "requested")
        Outbox(store, settings).step()
    (exported,) = store.export(["t"])
    until = iso_time(NOW + PROOF_S)
    assert exported["proved_orders"] == [{"number": "WS-1", "email_sha256": sha256("jane@example.com"), "until": until}]
    (sent,) = exported["handover"]["deliveries"]
    assert (sent["channel"], sent["state"]) == ("webhook", "sent") and sent["sent_at"] >= exported["handover"]["at"]


def test_own_orders_may_be_looked_up_often(desk):
    assert {desk.claim(claim(), NOW).outcome for _ in range(3 * MAX_OF_THREAD)} == {PROVED}


def test_changes_of_the_table_are_followed(desk, home):
    assert desk.claim(claim("WS-50"), NOW).outcome == REFUSED
    path = ShopHome(home).orders
    path.write_text(
        "number;email_sha256;status\r\nWS-50;" + sha256("jane@example.com").upper() + ";bestätigt\r\n", "cp1252"
    )
    os.utime(path, ns=(1, 1))
    assert desk.claim(claim("WS-50"), NOW).order.code == "received"
    assert desk.claim(claim(), NOW).outcome == REFUSED
    path.unlink()
    assert not desk.available
    with pytest.raises(OrdersUnavailable):
        desk.claim(claim("WS-50"), NOW)


@pytest.mark.parametrize(
    "table", ["status,email\nx,y\n", "number,email\nWS-1,a@b.example\n", "number,status\n1,x\n", "\0\0\0"]
)
def test_a_table_that_cannot_be_used_is_reported(tmp_path, table):
    ShopHome(tmp_path).orders.write_text(table, encoding="utf-8")
    with pytest.raises(OrdersUnavailable, match="table of orders"):
        OrderFile(ShopHome(tmp_path).orders).find("WS-1", sha256("a@b.example"))


def test_words_for_states_of_five_languages():
    words = {"In Transit": "shipped", "PROCESSING": "processing", "zugestellt": "delivered", "expédiée": "shipped",
             "cancelado": "cancelled", "已取消": "cancelled", "on-hold": "on_hold", "lost in space": "",
             "preparing": "processing", "abholbereit": "ready_for_pickup"}  # fmt: skip
    assert {word: status_code(word) for word in words} == words


def test_numbers_are_compared_without_their_decoration():
    assert order_number(" # ws-1 2。") == "WS-12"
    assert len(order_number("9" * 10_000)) == 60 and order_number("  #") == ""


ORDER = {"number": "ws-1", "status": "shipped", "items": ["2 x Mug", "1 x <b>Plate</b>"], "unknown": 1}


def ask_service(answer, number="WS-1", timeout_s=60.0):
    with web_stub(lambda _: answer) as (url, received):
        service = OrderService(Service(url, b"secret", timeout_s))
        try:
            return service.find(number, sha256("jane@example.com")), received
        except OrdersUnavailable as error:
            return error, received


def test_the_service_gets_number_and_hash_and_no_address():
    order, (request,) = ask_service((200, {}, json.dumps(ORDER).encode()))
    assert request["json"] == {"number": "WS-1", "email_sha256": sha256("jane@example.com")}
    assert b"jane" not in request["body"]
    assert (order.number, order.code, order.items) == ("WS-1", "shipped", ("2 x Mug", "1 x <b>Plate</b>"))
    assert ask_service((404, {}, b"whatever"))[0] is None


HOSTILE = {
    "another order": json.dumps(ORDER | {"number": "WS-2"}),
    "no json": "<html>",
    "a list": "[]",
    "a long status": json.dumps(ORDER | {"status": "x" * 300}),
    "wrong types": json.dumps(ORDER | {"status": 7}),
    "deep": "[" * 60_000,
    "huge": json.dumps(ORDER | {"carrier": "x" * 100_000}),
    "many items": json.dumps(ORDER | {"items": ["x"] * 60}),
}


@pytest.mark.promise("S21", "answers of a hostile service of orders")
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_no_order(body):
    assert isinstance(ask_service((200, {}, body.encode()))[0], OrdersUnavailable)


@pytest.mark.parametrize("status", [301, 302, 307, 401, 500, 503])
def test_other_answers_are_failures_and_redirects_are_not_followed(status):
    answer, received = ask_service((status, {"Location": "http://127.0.0.1:9/"}, b""))
    assert isinstance(answer, OrdersUnavailable) and len(received) == 1


def test_what_a_service_says_is_plain_text():
    hostile = {"status": "\u202e\x1b[2Jshipped\n\n<script>", "carrier": "a\0b", "tracking_url": "javascript:alert(1)"}
    order, _ = ask_service((200, {}, json.dumps(ORDER | hostile).encode()))
    assert (order.status, order.carrier, order.tracking_url) == ("[2Jshipped <script>", "ab", "")


def test_a_service_needs_a_secret_and_encryption(tmp_path):
    for url, secret in (("http://shop.example/orders", "x"), ("https://shop.example/orders", "")):
        with pytest.raises(BadInput):
            OrderDesk.open(ThreadStore(tmp_path), tmp_path, url, secret)
