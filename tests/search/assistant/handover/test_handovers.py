"""Hand-overs: stored first, sent at least once by mail and webhook, whatever the servers at the other end do."""

import hmac
import os
import subprocess
import sys
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from catalog.errors import BadInput, UnknownThread
from catalog.files.failpoints import KILLED
from search.assistant.handover.handover import (
    FAILED,
    PENDING,
    SENT,
    Contact,
    HandoverSettings,
    MailSettings,
    new_reference,
)
from search.assistant.handover.handovers import MAX_SENT_OF_CALLER, UPDATE_WAIT_S, Handovers
from search.assistant.handover.mail_server import MailServer
from search.assistant.handover.outbox import Outbox
from search.assistant.handover.outbox_worker import OutboxWorker
from search.assistant.services.retries import LAST_RETRY_S, MAX_ATTEMPTS
from search.assistant.services.signed_post import Service
from search.assistant.threads.thread import ASSISTANT, CUSTOMER, URGENT, WAITING, ThreadMessage
from search.assistant.threads.thread_store import ThreadOrigin, ThreadStore
from tests.search.assistant.handover.stub_servers import mail_stub, web_stub

SECRET = b"shared secret"


@pytest.fixture
def store(tmp_path):
    store = ThreadStore(tmp_path / "home")
    store.append(
        "t", ThreadMessage(CUSTOMER, "Wo ist 订单 1?", language="de", intent="order_status"), ThreadOrigin("", "mug")
    )
    store.append("t", ThreadMessage(ASSISTANT, "I hand this over."))
    return store


def by_mail(url, **more):
    return HandoverSettings(mail=MailSettings.read("desk@shop.example", url, "robot@shop.example"), **more)


def by_webhook(url, **more):
    return HandoverSettings(webhook=Service(url, SECRET, timeout_s=60.0), **more)


def deliveries(store, thread_id="t"):
    stored = Handovers(store).of_thread(thread_id)
    return [(delivery.channel, delivery.update, delivery.state, delivery.attempts) for delivery in stored.deliveries]


def test_a_hand_over_waits_where_nobody_gets_mail(store):
    made = Handovers(store).request("t", "asked_for", "orders", URGENT, Contact.read("jane@example.com", "Jane"))
    assert (made.queue, made.priority, made.reachable) == ("orders", URGENT, False)
    assert store.thread("t").state == WAITING and store.thread("t").queue == "orders"
    stored = Handovers(store).of_thread("t")
    assert (stored.reference, stored.contact) == (made.reference, Contact("jane@example.com", "Jane"))
    assert stored.deliveries == () and Handovers(store).delivery_states(["t"]) == {}
    assert store.ids_of_mail("jane@example.com") == ("t",)
    with pytest.raises(UnknownThread):
        Handovers(store).request("nobody", "asked_for")


def test_the_mail_has_all_that_staff_need(store):
    with mail_stub() as stub:
        settings = by_mail(stub.url, shop_name="Café Corner", public_url="https://shop.example")
        contact = Contact.read("jane@example.com", "Jane Doe")
        made = Handovers(store, settings).request("t", "twice_misunderstood", "orders", URGENT, contact)
        assert made.reachable
        assert Outbox(store, settings).step() == 1 and Outbox(store, settings).step() == 0
    (letter,) = stub.letters
    mail = message_from_bytes(letter, policy=default)
    assert mail["Subject"] == f"[URGENT] Customer service: orders, {made.reference}"
    assert (mail["To"], mail["Reply-To"]) == ("desk@shop.example", "jane@example.com")
    assert mail["From"].addresses[0].display_name == "Café Corner"
    assert mail["Message-ID"] == f"<{made.reference}.1.handover@shop.example>"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    for part in (made.reference, "twice_misunderstood", "Language: de", "Jane Doe jane@example.com", "Product: mug",
                 "https://shop.example/merchant/conversations#t", "    Wo ist 订单 1?", "understood as order_status",
                 "    I hand this over."):  # fmt: skip
        assert part in text
    assert deliveries(store) == [("mail", 1, SENT, 1)]


def test_the_webhook_is_signed_and_has_the_whole_thread(store):
    with web_stub(lambda _: (204, {}, b"")) as (url, received):
        settings = by_webhook(url)
        made = Handovers(store, settings).request("t", "asked_for", "orders")
        assert Outbox(store, settings).step() == 1
    (request,) = received
    headers = request["headers"]
    signed = headers["X-Windowshop-Timestamp"].encode() + b"." + request["body"]
    assert headers["X-Windowshop-Signature"] == "sha256=" + hmac.digest(SECRET, signed, "sha256").hex()
    assert abs(int(headers["X-Windowshop-Timestamp"]) - time.time()) < 3600
    assert headers["Idempotency-Key"] == f"{made.reference}-1"
    assert request["json"]["event"] == "handover"
    assert request["json"]["reference"] == made.reference and request["json"]["queue"] == "orders"
    assert [message["text"] for message in request["json"]["thread"]["messages"]] == [
        "Wo ist 订单 1?",
        "I hand this over.",
    ]
    assert deliveries(store) == [("webhook", 1, SENT, 1)]


@pytest.mark.parametrize("action", ["busy", "refuse", "hang up", "cut", "babble"])
def test_a_mail_server_that_fails_is_tried_again(store, action):
    with mail_stub(action) as stub:
        settings = by_mail(stub.url)
        Handovers(store, settings).request("t", "asked_for")
        outbox, now = Outbox(store, settings), time.time()
        assert outbox.step(now) == 1
        assert deliveries(store) == [("mail", 1, PENDING, 1)]
        assert outbox.step(now) == 0  # not at once
        assert outbox.step(now + LAST_RETRY_S) == 1
    assert deliveries(store) == [("mail", 1, SENT, 2)]
    ids = {message_from_bytes(letter)["Message-ID"] for letter in stub.letters}
    assert len(ids) == 1  # so that the receiver can tell a mail that came twice


def test_a_mail_that_was_taken_is_not_sent_again(store):
    with mail_stub("rude") as stub:
        settings = by_mail(stub.url)
        Handovers(store, settings).request("t", "asked_for")
        Outbox(store, settings).step()
    assert deliveries(store) == [("mail", 1, SENT, 1)]


HOSTILE = {
    "redirect": (302, {"Location": "http://127.0.0.1:9/"}, b""),
    "error": (500, {}, b"<script>alert(1)</script>"),
    "unauthorised": (401, {}, b""),
    "huge": (200, {}, b"x" * 200_000),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_a_webhook_that_fails_is_tried_again_with_the_same_key(store, answer):
    answers = [answer, (200, {}, b"")]
    with web_stub(lambda _: answers.pop(0)) as (url, received):
        settings = by_webhook(url)
        Handovers(store, settings).request("t", "asked_for")
        outbox = Outbox(store, settings)
        assert outbox.step() == 1 and deliveries(store) == [("webhook", 1, PENDING, 1)]
        outbox.step(time.time() + LAST_RETRY_S)
    assert deliveries(store) == [("webhook", 1, SENT, 2)]
    assert len({request["headers"]["Idempotency-Key"] for request in received}) == 1 and len(received) == 2


def test_a_service_that_drips_is_cut_off(store):
    def drip(_):
        time.sleep(1.0)
        return 200, {}, b""

    with web_stub(drip) as (url, _):
        settings = HandoverSettings(webhook=Service(url, SECRET, timeout_s=0.2))
        Handovers(store, settings).request("t", "asked_for")
        Outbox(store, settings).step()
    assert deliveries(store) == [("webhook", 1, PENDING, 1)]


def test_what_never_arrives_fails_and_staff_can_send_it_again(store):
    settings = by_webhook("http://127.0.0.1:9/")
    handovers, outbox = Handovers(store, settings), Outbox(store, settings)
    handovers.request("t", "asked_for")
    now = time.time()
    for number in range(MAX_ATTEMPTS):
        assert outbox.step(now + number * LAST_RETRY_S) == 1
    assert deliveries(store) == [("webhook", 1, FAILED, MAX_ATTEMPTS)]
    assert outbox.step(now + 1e6) == 0 and handovers.delivery_states(["t"]) == {"t": FAILED}
    handovers.send_again("t")
    assert deliveries(store) == [("webhook", 1, PENDING, 0)] and handovers.counts() == {PENDING: 1}
    with pytest.raises(UnknownThread):
        handovers.send_again("nobody")


def test_what_the_customer_adds_is_sent_with_the_same_reference(store):
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        settings = by_webhook(url)
        handovers, outbox = Handovers(store, settings), Outbox(store, settings)
        first = handovers.request("t", "asked_for", "orders", URGENT)
        assert handovers.request("t", "asked_for", "orders").reference == first.reference
        outbox.step()
        assert deliveries(store) == [("webhook", 1, SENT, 1)]
        for text in ("One more thing", "and another"):
            store.append("t", ThreadMessage(CUSTOMER, text))
            again = handovers.request("t", "asked_for", "orders")
        assert (again.reference, again.priority) == (first.reference, URGENT)
        assert outbox.step() == 0  # messages in a row are sent together
        assert outbox.step(time.time() + UPDATE_WAIT_S + 1) == 1
    assert [request["json"]["update"] for request in received] == [1, 2]
    assert received[1]["json"]["thread"]["messages"][-1]["text"] == "and another"


def test_what_the_customer_writes_to_the_assistant_afterwards_reaches_staff_too(store):
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        settings = by_webhook(url)
        made, outbox = Handovers(store, settings).request("t", "asked_for"), Outbox(store, settings)
        store.append("t", ThreadMessage(ASSISTANT, "A person takes over."))
        outbox.step()
        assert outbox.step(time.time() + LAST_RETRY_S) == 0  # a reply is nothing new
        store.append("t", ThreadMessage(CUSTOMER, "The order is 10023"))
        now = time.time()
        assert outbox.step(now) == 0 and outbox.step(now + UPDATE_WAIT_S + 1) == 1
        store.append("t", ThreadMessage(CUSTOMER, "Hello?"))
        assert outbox.step(now) == 0 and outbox.step(now + UPDATE_WAIT_S + 1) == 0  # a long chat is few mails
        assert outbox.step(now + 2 * UPDATE_WAIT_S + 1) == 1
    assert [request["json"]["update"] for request in received] == [1, 2, 3]
    assert {request["json"]["reference"] for request in received} == {made.reference}
    assert received[1]["json"]["thread"]["messages"][-1]["text"] == "The order is 10023"


def test_a_channel_that_came_later_is_used_when_staff_send_again(store):
    Handovers(store).request("t", "asked_for")
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        settings = by_webhook(url)
        Handovers(store, settings).send_again("t")
        Outbox(store, settings).step()
    assert len(received) == 1


def test_one_caller_cannot_flood_the_staff_with_mail(store):
    handovers = Handovers(store, by_webhook("http://127.0.0.1:9/"))
    names = [f"thread {number}" for number in range(MAX_SENT_OF_CALLER + 1)]
    for name in names:
        store.append(name, ThreadMessage(CUSTOMER, "a person, please"))
    made = [handovers.of_caller("192.0.2.1").request(name, "requested") for name in names]
    assert [one.reachable for one in made] == [True] * MAX_SENT_OF_CALLER + [False]
    last = names[-1]
    store.append(last, ThreadMessage(CUSTOMER, "Hello?"))
    assert not handovers.of_caller("192.0.2.1").request(last, "requested", contact=Contact("a@b.example")).reachable
    Outbox(store, handovers.settings).step(time.time() + UPDATE_WAIT_S + 1)
    assert deliveries(store, last) == [] and store.thread(last).state == WAITING
    assert handovers.of_caller("192.0.2.2").request("t", "requested").reachable
    handovers.send_again(last)
    assert deliveries(store, last) == [("webhook", 1, PENDING, 0)]


def test_an_erased_thread_is_not_sent(store):
    settings = by_webhook("http://127.0.0.1:9/")
    Handovers(store, settings).request("t", "asked_for")
    store.erase("t")
    assert Outbox(store, settings).step() == 0 and Handovers(store, settings).of_thread("t") is None


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nBcc: victim@example.com\r\n\r\nhello",
        "x\n.\nMAIL FROM:<evil@example.com>\n",
        "\u202egnp.exe\x1b[2J",
        "\ud800",
    ],
    ids=["header", "command", "controls", "surrogate"],
)
def test_nothing_that_a_customer_writes_becomes_a_header_or_a_command(store, text):
    store.append("t", ThreadMessage(CUSTOMER, text.replace("\ud800", "�")))
    with mail_stub() as stub:
        settings = by_mail(stub.url, shop_name="Shop\r\nBcc: victim@example.com")
        contact = Contact.read("a@b.example\r\nBcc: victim@example.com", text)
        assert contact.email == ""
        Handovers(store, settings).request("t", f"reason {text}".encode("utf-8", "replace").decode(), contact=contact)
        Outbox(store, settings).step()
    (letter,) = stub.letters
    mail = message_from_bytes(letter, policy=default)
    assert mail["Bcc"] is None and mail["To"] == "desk@shop.example" and len(stub.senders) == 1
    assert mail.get_content_type() == "text/plain" and "\x1b" not in mail.get_content()
    assert "\u202e" not in mail.get_content()


def test_what_cannot_be_a_setting_is_refused():
    for bad in ("http://mail.example", "smtp://", "smtp://host:port"):
        with pytest.raises(BadInput):
            MailServer.read(bad)
    with pytest.raises(BadInput, match="no address"):
        MailSettings.read("desk@shop.example, somebody", "smtp://localhost")
    for bad in ("http://shop.example/hook", "ftp://shop.example", "https://user@shop.example/", "nothing"):
        with pytest.raises(BadInput):
            Service(bad, SECRET)
    with pytest.raises(BadInput, match="no secret"):
        Service("https://shop.example/hook", b"")
    server = MailServer.read("smtps://us%40er:p%3Aw@mail.example")
    assert (server.port, server.user, server.password) == (465, "us@er", "p:w") and "p:w" not in repr(server)


def test_a_server_without_encryption_gets_no_password_and_no_data():
    class Plain:
        def ehlo_or_helo_if_needed(self):
            pass

        def has_extn(self, _):
            return False

    with pytest.raises(Exception, match="no encryption"):
        MailServer.read("smtp://user:pw@mail.example")._greet(Plain())


def test_references_are_read_out_easily():
    references = {new_reference() for _ in range(200)}
    assert len(references) == 200 and not set("01ILOU") & set("".join(references))


def test_the_worker_sends_what_was_left_and_what_comes(store, tmp_path):
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        settings = by_webhook(url)
        Handovers(store, settings).request("t", "asked_for")
        worker = OutboxWorker(tmp_path / "home", Outbox(store, settings))
        worker.start()
        wait_for(lambda: len(received) == 1)
        store.append("u", ThreadMessage(CUSTOMER, "hello"))
        Handovers(store, settings, worker.wake).request("u", "asked_for")
        wait_for(lambda: len(received) == 2)
        worker.close()
    assert deliveries(store) == [("webhook", 1, SENT, 1)] == deliveries(store, "u")


CHILD = """
import sys
from pathlib import Path
from search.assistant.handover.handover import HandoverSettings
from search.assistant.handover.handovers import Handovers
from search.assistant.handover.outbox import Outbox
from search.assistant.services.signed_post import Service
from search.assistant.threads.thread_store import ThreadStore
store, settings = ThreadStore(Path(sys.argv[1])), HandoverSettings(webhook=Service(sys.argv[2], b"shared secret"))
Handovers(store, settings).request("t", "asked_for")
Outbox(store, settings).step()
"""


@pytest.mark.promise("R1", "a hand-over, killed at each of its 3 steps")
@pytest.mark.parametrize("point", ["handover.stored", "handover.begun", "handover.sent"])
def test_a_hand_over_survives_a_kill_at_any_step(store, tmp_path, point):
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        environment = {**os.environ, "WINDOWSHOP_FAILPOINT": f"{point}:exit"}
        command = [sys.executable, "-c", CHILD, str(tmp_path / "home"), url]
        root = Path(__file__).parents[4]
        child = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
        assert child.returncode == KILLED, child.stderr
        assert Handovers(store).of_thread("t") is not None and store.thread("t").state == WAITING
        Outbox(store, by_webhook(url)).step(time.time() + LAST_RETRY_S)
    assert len(received) == (2 if point == "handover.sent" else 1)
    assert len({request["headers"]["Idempotency-Key"] for request in received}) == 1
    assert [state for _, _, state, _ in deliveries(store)] == [SENT]


def wait_for(reached):
    for _ in range(3_000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
