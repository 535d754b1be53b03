"""Price alerts: stored, fired once by what the catalogue says, sent at least once, whatever happens in between."""

import hmac
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.errors import DamagedStore, PriceAlertRefused, UnknownPriceAlert
from catalog.files.failpoints import KILLED
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.assistant.services.retries import LAST_RETRY_S, MAX_ATTEMPTS
from search.assistant.services.signed_post import Service
from search.pricing.alerts import alert_store
from search.pricing.alerts.alert_matcher import PAGE_CHANGES, AlertMatcher
from search.pricing.alerts.alert_sender import AlertSender
from search.pricing.alerts.alert_store import DAY_S, FIRED_DAYS, MAX_OF_VISITOR, AlertStore
from search.pricing.alerts.alert_tokens import FEED, PAGE
from search.pricing.alerts.alert_worker import AlertWorker
from search.pricing.alerts.price_alert import FAILED, NOT_SENT, PENDING, SENT, AlertRequest
from tests.search.assistant.handover.stub_servers import web_stub
from tests.timing import wait_for

ANNA, BERT = "v-0123456789abcdef01234567", "v-fedcba9876543210fedcba98"
SECRET = b"shared secret"
MUG = Product("mug", "Red mug", (), price=Decimal("20.00"), currency="EUR")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def catalogue(home):
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        catalogue.put([MUG, replace(MUG, id="jug", title="Jug")])
        yield catalogue


@pytest.fixture
def store(home, catalogue):
    return AlertStore(home)


@pytest.fixture
def matcher(store, catalogue):
    return AlertMatcher(store, catalogue)


def run(matcher):
    while matcher.step():
        pass


def ask(store, at_most=None, product=MUG, visitor=ANNA, **more):
    return store.add(AlertRequest(product, visitor, None if at_most is None else Decimal(at_most), **more))[0]


def fired(store, visitor=ANNA):
    return [(one.alert.product_id, str(one.price), one.delivery) for one in store.of_visitor(visitor).fired]


def waiting(store, visitor=ANNA):
    return [alert.product_id for alert in store.of_visitor(visitor).waiting]


def priced(catalogue, price, **more):
    catalogue.put([replace(MUG, price=None if price is None else Decimal(price), **more)])


CASES = {
    "at the threshold": ("15", {"price": Decimal("15.00")}, True),
    "above the threshold": ("15", {"price": Decimal("15.01")}, False),
    "any fall": (None, {"price": Decimal("19.99")}, True),
    "the same price": (None, {"price": Decimal("20.0")}, False),
    "dearer": (None, {"price": Decimal(25)}, False),
    "free, which is no price": ("15", {"price": Decimal(0)}, False),
    "no price": ("15", {"price": None}, False),
    "out of stock": ("15", {"price": Decimal(10), "in_stock": False}, False),
    "another currency": ("15", {"price": Decimal(10), "currency": "USD"}, False),
}


@pytest.mark.parametrize(("at_most", "change", "expected"), CASES.values(), ids=CASES)
def test_an_alert_fires_by_price_stock_and_currency(store, catalogue, matcher, at_most, change, expected):
    ask(store, at_most)
    run(matcher)
    assert fired(store) == [] and waiting(store) == ["mug"]
    catalogue.put([replace(MUG, **change)])
    run(matcher)
    assert bool(fired(store)) == expected and bool(waiting(store)) != expected


def test_an_alert_fires_once_and_can_be_set_again(store, catalogue, matcher):
    first = ask(store, "15")
    for price in ("14", "13", "20", "12"):
        priced(catalogue, price)
        run(matcher)
    assert fired(store) == [("mug", "14", NOT_SENT)]
    second = ask(store, "11", replace(MUG, price=Decimal(12)))
    assert second.id != first.id
    priced(catalogue, "10")
    run(matcher)
    assert sorted(fired(store)) == [("mug", "10", NOT_SENT), ("mug", "14", NOT_SENT)] and waiting(store) == []


def test_a_visitor_has_one_alert_for_a_product_and_the_last_one_counts(store, catalogue, matcher):
    first, again = ask(store, "15"), ask(store, "5")
    assert first.id == again.id and again.at_most == Decimal(5) and waiting(store) == ["mug"]
    ask(store, "15", visitor=BERT)
    priced(catalogue, "14")
    run(matcher)
    assert fired(store) == [] and fired(store, BERT) == [("mug", "14", NOT_SENT)]


def test_a_visitors_change_keeps_the_reference_of_the_shop(store):
    ask(store, "15", reference="customer-4711")
    assert ask(store, "14").reference == "customer-4711"
    assert ask(store, "13", reference="customer-4712").reference == "customer-4712"


def test_a_price_that_rose_again_before_anybody_looked_fires_nothing(store, catalogue, matcher):
    ask(store, "15")
    run(matcher)
    priced(catalogue, "10")
    priced(catalogue, "20")
    run(matcher)
    assert fired(store) == [] and waiting(store) == ["mug"]


def test_a_price_that_fell_while_the_alert_was_being_stored_fires_it(store, catalogue, matcher):
    priced(catalogue, "10")  # after the visitor saw the page with 20.00
    ask(store, "7", visitor=BERT)
    run(matcher)
    ask(store, "15")
    run(matcher)
    assert fired(store) == [("mug", "10", NOT_SENT)] and waiting(store, BERT) == ["mug"]


def test_a_product_that_left_and_came_back_cheaper_fires(store, catalogue, matcher):
    ask(store, "15")
    catalogue.remove(["mug"])
    run(matcher)
    assert waiting(store) == ["mug"]
    priced(catalogue, "9.50")
    run(matcher)
    assert fired(store) == [("mug", "9.50", NOT_SENT)]


def test_many_changes_are_followed_a_page_at_a_time(store, catalogue, matcher):
    ask(store, "15")
    run(matcher)
    catalogue.put([Product(f"other {number}", "Other", ()) for number in range(2 * PAGE_CHANGES)])
    priced(catalogue, "10")
    assert [matcher.step() for _ in range(4)] == [True, True, True, False]
    assert fired(store) == [("mug", "10", NOT_SENT)]


def test_another_catalogue_in_place_of_the_one_before_is_judged_from_its_beginning(store, catalogue, matcher, tmp_path):
    ask(store, "15")
    catalogue.put([Product(f"other {number}", "Other", ()) for number in range(10)])
    run(matcher)
    with closing(Catalogue.open(tmp_path / "restored.sqlite")) as restored:
        restored.put([replace(MUG, price=Decimal(9))])
        run(AlertMatcher(store, restored))
    assert fired(store) == [("mug", "9", NOT_SENT)]


REFUSED = {
    "no price": (replace(MUG, price=None), None, alert_store.NO_PRICE),
    "a price of 0": (replace(MUG, price=Decimal(0)), "5", alert_store.NO_PRICE),
    "today's price": (MUG, "20", alert_store.NOT_LOWER),
    "more": (MUG, "21", alert_store.NOT_LOWER),
    "nothing": (MUG, "0", alert_store.NOT_LOWER),
    "less than nothing": (MUG, "-1", alert_store.NOT_LOWER),
}


@pytest.mark.parametrize(("product", "at_most", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_waited_for_is_refused(store, product, at_most, reason):
    with pytest.raises(PriceAlertRefused) as refused:
        ask(store, at_most, product)
    assert refused.value.reason == reason and not store.file.exists


def test_one_visitor_cannot_fill_the_shop(store, monkeypatch):
    for number in range(MAX_OF_VISITOR):
        ask(store, product=replace(MUG, id=str(number)))
    with pytest.raises(PriceAlertRefused) as refused:
        ask(store)
    assert refused.value.reason == alert_store.TOO_MANY
    ask(store, "3", replace(MUG, id="0"))  # a waiting one can be changed
    monkeypatch.setattr(alert_store, "MAX_OF_SHOP", MAX_OF_VISITOR)
    with pytest.raises(PriceAlertRefused) as refused:
        ask(store, visitor=BERT)
    assert refused.value.reason == alert_store.FULL


def test_a_token_opens_one_visitors_alerts_for_one_purpose(store):
    assert store.visitor_of("A" * 43, PAGE) is None and not store.file.exists
    ask(store)
    page, feed = store.token(ANNA, PAGE), store.token(ANNA, FEED)
    assert len({page, feed, store.token(BERT, PAGE)}) == 3
    assert waiting(store, store.visitor_of(page, PAGE)) == ["mug"] == waiting(store, store.visitor_of(feed, FEED))
    changed = [page[:30] + letter + page[31:] for letter in "AB" if letter != page[30]]
    for wrong in (feed, page[:-1], page + "A", "", "é", page.upper(), *changed):
        assert store.visitor_of(wrong, PAGE) is None, wrong
    assert store.visitor_of(page, FEED) is None


def test_nobody_else_removes_an_alert(store):
    alert = ask(store)
    for visitor, name in ((BERT, alert.id), (ANNA, "unknown")):
        with pytest.raises(UnknownPriceAlert):
            store.remove(visitor, name)
    store.remove(ANNA, alert.id)
    assert waiting(store) == []


def test_no_file_has_a_visitors_id_and_forgetting_leaves_no_trace(store, catalogue, matcher, home):
    ask(store, "15", reference="customer-4711")
    ask(store, "15", visitor=BERT)
    priced(catalogue, "10")
    run(matcher)
    ask(store, "15", replace(MUG, id="jug"), reference="customer-4711")
    with closing(sqlite3.connect(ShopHome(home).price_alerts)) as db:
        hashed = db.execute("SELECT visitor FROM alerts").fetchone()[0]
    assert len(hashed) == 16
    stored = b"".join(path.read_bytes() for path in home.glob("price-alerts.sqlite*"))
    assert ANNA.encode() not in stored and hashed in stored and b"customer-4711" in stored
    assert store.forget(ANNA) == 2 and store.forget(ANNA) == 0
    stored = b"".join(path.read_bytes() for path in home.glob("price-alerts.sqlite*"))
    assert hashed not in stored and b"customer-4711" not in stored
    assert fired(store, BERT) == [("mug", "10", NOT_SENT)]


def test_alerts_that_waited_too_long_and_old_messages_are_removed(store, catalogue, matcher):
    now = time.time()
    store.add(AlertRequest(MUG, ANNA), now - 31 * DAY_S)
    store.add(AlertRequest(replace(MUG, id="jug"), ANNA), now)
    priced(catalogue, "10")
    store.add(AlertRequest(MUG, BERT, Decimal(15)), now)
    matcher.step()
    matcher.step(now - (FIRED_DAYS + 1) * DAY_S)
    assert store.prune(0, now) == 2 and waiting(store) == ["jug"]
    store.add(AlertRequest(replace(MUG, id="old"), ANNA), now - 31 * DAY_S)
    assert store.prune(0, now) == 0 and store.prune(30, now) == 1 and waiting(store) == ["jug"]


def test_what_staff_see_are_counts_of_several_visitors(store):
    for number in range(4):
        ask(store, visitor=f"visitor number {number}")
    ask(store, product=replace(MUG, id="jug"))
    assert store.watched(5) == [] and store.watched(4) == [("mug", 4)] and store.watched(1)[1] == ("jug", 1)
    counts = store.counts()
    assert (counts.waiting, counts.visitors, counts.fired) == (5, 5, 0)


def test_a_file_that_is_no_database_is_named(store, home):
    ShopHome(home).price_alerts.write_bytes(b"no database" * 100)
    with pytest.raises(DamagedStore, match=r"price-alerts\.sqlite cannot be read"):
        store.of_visitor(ANNA)


# ---- delivery


def sender_of(store, url, timeout_s=60.0):
    return AlertSender(store, Service(url, SECRET, timeout_s), lambda product_id: f"https://shop.example/{product_id}")


@pytest.fixture
def to_send(store, catalogue):
    """A store with one fired alert that waits to be sent."""
    alert = ask(store, "15", reference="customer-4711")
    priced(catalogue, "12.50")
    run(AlertMatcher(store, catalogue, sends=True))
    assert fired(store) == [("mug", "12.50", PENDING)]
    return alert


def test_the_webhook_is_signed_and_says_what_fell(store, to_send):
    with web_stub(lambda _: (204, {}, b"")) as (url, received):
        sender = sender_of(store, url)
        assert sender.step() and not sender.step()
    (request,) = received
    headers, body = request["headers"], request["json"]
    signed = headers["X-Windowshop-Timestamp"].encode() + b"." + request["body"]
    assert headers["X-Windowshop-Signature"] == "sha256=" + hmac.digest(SECRET, signed, "sha256").hex()
    assert headers["Idempotency-Key"] == to_send.id == body["alert_id"]
    assert {name: body[name] for name in ("event", "reference", "product_id", "title", "url")} == {
        "event": "price_alert",
        "reference": "customer-4711",
        "product_id": "mug",
        "title": "Red mug",
        "url": "https://shop.example/mug",
    }
    assert (body["price"], body["currency"], body["at_most"], body["price_when_set"]) == (
        "12.50",
        "EUR",
        "15.00",
        "20.00",
    )
    assert body["set_at"] <= body["fired_at"] and body["fired_at"].endswith("Z")
    assert ANNA not in str(body) and fired(store) == [("mug", "12.50", SENT)]


@pytest.mark.parametrize("status", [302, 401, 500])
def test_what_does_not_arrive_is_sent_again_with_the_same_key(store, to_send, status):
    answers = [(status, {"Location": "http://127.0.0.1:9/"}, b""), (200, {}, b"")]
    with web_stub(lambda _: answers.pop(0)) as (url, received):
        sender = sender_of(store, url)
        assert sender.step() and fired(store) == [("mug", "12.50", PENDING)]
        assert not sender.step()  # not at once
        assert sender.step(time.time() + LAST_RETRY_S)
    assert fired(store) == [("mug", "12.50", SENT)]
    assert {request["headers"]["Idempotency-Key"] for request in received} == {to_send.id} and len(received) == 2


def test_there_is_an_end_to_trying(store, to_send):
    sender = sender_of(store, "http://127.0.0.1:9/")
    now = time.time()
    for number in range(MAX_ATTEMPTS):
        assert sender.step(now + number * LAST_RETRY_S)
    assert fired(store) == [("mug", "12.50", FAILED)] and not sender.step(now + 1e7)
    assert store.counts().to_dict()["webhook_failed"] == 1
    assert store.send_again() == 1 and store.send_again() == 0
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        assert sender_of(store, url).step(now) and len(received) == 1
    assert fired(store) == [("mug", "12.50", SENT)]


def test_what_was_removed_is_not_sent(store, to_send):
    store.remove(ANNA, to_send.id)
    assert not sender_of(store, "http://127.0.0.1:9/").step()


def test_the_worker_fires_and_sends_and_one_process_works_at_a_time(store, catalogue, home):
    ask(store, "15")
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        workers = [AlertWorker(home, store, sender_of(store, url), 365) for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            priced(catalogue, "11")
            for worker in workers:
                worker.wake()
            wait_for(lambda: fired(store) == [("mug", "11", SENT)])
        finally:
            for worker in workers:
                worker.close()
    assert len(received) == 1


def test_a_webhook_that_does_not_answer_keeps_no_alert_from_firing(store, catalogue, home):
    ask(store, "15")
    ask(store, "15", replace(MUG, id="jug"))
    called, may_answer = threading.Event(), threading.Event()

    def answer(_):
        called.set()
        may_answer.wait(300)
        return 200, {}, b""

    with web_stub(answer) as (url, _):
        worker = AlertWorker(home, store, sender_of(store, url, 300.0), 365)
        worker.start()
        try:
            priced(catalogue, "11")
            worker.wake()
            assert called.wait(300)
            catalogue.put([Product(f"other {number}", "Other", ()) for number in range(PAGE_CHANGES)])
            catalogue.put([replace(MUG, id="jug", price=Decimal(12))])
            worker.wake()
            wait_for(lambda: sorted(fired(store)) == [("jug", "12", PENDING), ("mug", "11", PENDING)])
        finally:
            may_answer.set()
            worker.close()


def test_alerts_that_are_switched_off_are_removed_when_their_time_is_over(store, catalogue, home):
    store.add(AlertRequest(MUG, ANNA), time.time() - 31 * DAY_S)
    ask(store, "15", replace(MUG, id="jug"))
    priced(catalogue, "11", id="jug")
    worker = AlertWorker(home, store, None, 30, fires=False)
    worker.start()
    try:
        wait_for(lambda: waiting(store) == ["jug"])
    finally:
        worker.close()
    assert fired(store) == [] and waiting(store) == ["jug"]


CHILD = """
import sys
from pathlib import Path
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from search.assistant.services.signed_post import Service
from search.pricing.alerts.alert_matcher import AlertMatcher
from search.pricing.alerts.alert_sender import AlertSender
from search.pricing.alerts.alert_store import AlertStore
home, url = Path(sys.argv[1]), sys.argv[2]
store = AlertStore(home)
matcher = AlertMatcher(store, Catalogue.open(ShopHome(home).catalogue), sends=True)
while matcher.step():
    pass
AlertSender(store, Service(url, b"shared secret"), lambda _: "").step()
"""


@pytest.mark.promise("R1", "a price alert, killed at each of its 4 steps")
@pytest.mark.parametrize("point", ["alert.matched", "alert.fired", "alert.begun", "alert.sent"])
def test_an_alert_survives_a_kill_at_any_step(store, catalogue, home, point):
    ask(store, "15")
    run(AlertMatcher(store, catalogue, sends=True))
    priced(catalogue, "10")
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        environment = {**os.environ, "WINDOWSHOP_FAILPOINT": f"{point}:exit"}
        command = [sys.executable, "-c", CHILD, str(home), url]
        root = Path(__file__).parents[4]
        child = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
        assert child.returncode == KILLED, child.stderr
        assert (waiting(store) == ["mug"]) == (point == "alert.matched")  # never both, never neither
        assert len(fired(store)) == (point != "alert.matched")
        run(AlertMatcher(store, catalogue, sends=True))
        sender_of(store, url).step(time.time() + LAST_RETRY_S)
    assert fired(store) == [("mug", "10", SENT)] and waiting(store) == []
    assert len(received) == (2 if point == "alert.sent" else 1)
    assert len({request["headers"]["Idempotency-Key"] for request in received}) == 1
