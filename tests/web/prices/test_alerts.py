"""Price alerts over HTTP: the API, the pages without a script, the feed, and who may see or remove what."""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import request

from catalog.home import ShopHome
from catalog.product import Product
from search.pricing.alerts.alert_store import MAX_OF_VISITOR, AlertStore
from search.pricing.alerts.alert_tokens import FEED, PAGE
from search.pricing.alerts.price_alert import AlertRequest
from tests.fake_encoder import FakeEncoder
from tests.search.assistant.handover.stub_servers import web_stub
from tests.timing import wait_for
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, SEARCH_KEY, WRITER, make_shop, stored_bytes
from web import create_app
from web.engine import holder_of
from web.errors import UnsafeConfiguration
from web.prices.alert_form import read_alert_form
from web.prices.alert_service import alerts_of
from web.settings import Settings

ANNA, BERT = "v-0123456789abcdef01234567", "v-fedcba9876543210fedcba98"
ATOM = "{http://www.w3.org/2005/Atom}"
LIST = "/api/v1/price-alerts"
LIMITS = {"reads_per_minute": 0, "writes_per_minute": 0, "uploads_per_minute": 0}


@pytest.fixture(scope="module")
def receiver():
    with web_stub(lambda _: (200, {}, b"")) as (url, received):
        yield url, received


@pytest.fixture(scope="module")
def client(tmp_path_factory, make_app, receiver):
    """A client of a shop with a webhook; its worker judges at once what it is woken for."""
    home = tmp_path_factory.mktemp("alerts")
    make_shop(home, FakeEncoder())
    webhook = {"price_alert_url": receiver[0], "price_alert_secret": "shared", "public_url": "https://shop.example"}
    app = make_app(Settings(home=home, timeout_ms=20_000, **LIMITS, **webhook))
    holder_of(app).wait(300)
    yield app.test_client()
    alerts_of(app).worker.close()


@pytest.fixture(autouse=True)
def forgotten(client):
    yield
    for visitor in (ANNA, BERT):
        assert client.delete(f"/api/v1/visitors/{visitor}").status_code == 204
    priced(client, 12.9)


def priced(client, price, product="red", **more):
    answer = client.put(f"/api/v1/products/{product}", json={"price": price, **more}, headers=WRITER)
    assert answer.status_code == 200, answer.text


def ask(client, product="red", visitor=ANNA, headers=None, **fields):
    return client.post(f"/api/v1/products/{product}/price-alerts", json={"visitor": visitor, **fields}, headers=headers)


def listed(client, visitor=ANNA):
    answer = client.get(LIST, query_string={"visitor": visitor})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    return answer.json


def judged(client, state="fired", visitor=ANNA):
    """The list once the worker has judged."""
    alerts_of(client.application).worker.wake()
    wait_for(lambda: [alert["state"] for alert in listed(client, visitor)["alerts"][:1]] == [state])
    return listed(client, visitor)


def path_of(address):
    assert address.startswith("https://shop.example/")
    return address.removeprefix("https://shop.example")


def test_an_alert_is_set_fires_once_and_is_listed(client, receiver):
    answer = ask(client, at_most=10)
    assert answer.status_code == 201
    alert = answer.json["alert"]
    assert {name: alert[name] for name in ("product_id", "state", "at_most", "price_when_set", "currency")} == {
        "product_id": "red",
        "state": "waiting",
        "at_most": "10.00",
        "price_when_set": "12.90",
        "currency": "EUR",
    }
    again = ask(client, at_most="9.5")
    assert again.status_code == 200 and again.json["alert"]["id"] == alert["id"]
    priced(client, 8.5)
    (fired,) = judged(client)["alerts"]
    assert (fired["id"], fired["fired_price"], fired["product"]["price"]) == (alert["id"], "8.50", "8.50")
    assert fired["set_at"] <= fired["fired_at"] and fired["product"]["url"] == "https://shop.example/products/red"

    def received():
        return [request["json"] for request in receiver[1] if request["json"]["alert_id"] == alert["id"]]

    wait_for(received)
    bodies = received()
    assert len(bodies) == 1 and bodies[0]["url"] == "https://shop.example/products/red"
    assert bodies[0]["price"] == "8.50" and bodies[0]["reference"] is None and ANNA not in str(bodies)
    assert ask(client, at_most=5).json["alert"]["id"] != alert["id"]
    assert [one["state"] for one in listed(client)["alerts"]] == ["fired", "waiting"]


def test_only_the_shop_names_its_customer(client):
    for headers in (None, {"Authorization": f"Bearer {SEARCH_KEY}"}):
        refused = ask(client, headers=headers, reference="customer-4711")
        assert refused.status_code == 422 and "needs a key" in refused.json["error"]["message"]
    reader = {"Authorization": f"Bearer {READ_KEY}"}
    assert ask(client, visitor="4711", headers=reader, reference="customer-4711").status_code == 201
    stored = client.get(LIST, query_string={"visitor": "4711"}, headers=reader).json["alerts"]
    assert [one["reference"] for one in stored] == ["customer-4711"]
    assert client.get(LIST, query_string={"visitor": "4711"}).status_code == 422  # an id that can be guessed


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"at_most": 12.9}, 422, "price_alert_refused"),
        ({"at_most": 0}, 422, "bad_query"),
        ({"at_most": -3}, 422, "bad_query"),
        ({"at_most": "ten"}, 422, "bad_query"),
        ({"at_most": "1e1"}, 422, "bad_query"),
        ({"at_most": "12.90"}, 422, "price_alert_refused"),
        ({"at_most": True}, 422, "bad_query"),
        ({"at_most": 1e400}, 422, "bad_query"),
        ({"at_most": 1e-300}, 422, "bad_query"),
        ({"product": "a/b", "at_most": 1}, 422, "price_alert_refused"),  # it has no price
        ({"product": "nothing"}, 404, "unknown_product"),
        ({"visitor": "1234567890123456"}, 422, "bad_query"),
        ({"visitor": ""}, 422, "bad_query"),
        ({"channel": "mail"}, 422, "bad_query"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_what_cannot_be_is_refused(client, fields, status, code):
    answer = ask(client, **fields)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert listed(client)["alerts"] == [] and listed(client)["feed"] is None


@pytest.mark.parametrize("amount", ["8.1", "8.10", 8.1, 8.1000000000000001, 8.099999999999998])
def test_an_amount_is_a_text_or_a_number(client, amount):
    assert ask(client, at_most=amount).json["alert"]["at_most"] == "8.10"
    assert ask(client, at_most=8).json["alert"]["at_most"] == "8.00"


def test_nobody_sees_or_removes_the_alerts_of_another(client):
    alert = ask(client).json["alert"]["id"]
    assert listed(client, BERT)["alerts"] == []
    foreign = client.delete(f"{LIST}/{alert}", query_string={"visitor": BERT})
    assert (foreign.status_code, foreign.json["error"]["code"]) == (404, "unknown_price_alert")
    assert client.delete(f"{LIST}/{alert}").status_code == 422
    assert client.delete(f"{LIST}/{alert}", query_string={"visitor": ANNA}).status_code == 204
    assert listed(client)["alerts"] == []


@pytest.mark.promise("P2")
def test_forgetting_a_visitor_removes_the_alerts(client):
    ask(client)
    ask(client, visitor=BERT)
    admin = {"Authorization": f"Bearer {ADMIN_KEY}"}
    (stored,) = client.get(f"/api/v1/visitors/{ANNA}", headers=admin).json["price_alerts"]
    assert stored["product_id"] == "red"
    assert client.delete(f"/api/v1/visitors/{ANNA}").status_code == 204
    assert client.get(f"/api/v1/visitors/{ANNA}", headers=admin).json["price_alerts"] == []
    assert listed(client)["alerts"] == [] and len(listed(client, BERT)["alerts"]) == 1


# ---- pages, as a browser without scripts shows them


def send(client, product="red", **fields):
    return client.post(f"/products/{product}/price-alerts", data=fields)


def test_a_form_without_a_script_leads_to_a_page_of_ones_own(client):
    page = client.get("/products/red").text
    form = page[page.index('<details class="price-alert"') :].partition("</details>")[0]
    assert 'action="/products/red/price-alerts"' in form and "below €12.90" in form
    sent = send(client, at_most="€9,50", visitor="")
    assert sent.status_code == 303
    own = client.get(sent.location)
    assert "Price alert set." in own.text and "Alert at €9.50 or less." in own.text and "Now €12.90" in own.text
    assert own.headers["Cache-Control"] == "no-store" and 'name="robots" content="noindex"' in own.text
    other = send(client, at_most="9.50", visitor="")
    assert other.location != sent.location  # nobody else's list
    (action, _) = re.findall(r'action="(/price-alerts/[^"]+/remove)"', own.text)
    token = re.search(r"token=([\w-]+)", sent.location)[1]
    removed = client.post(action, data={"token": token})
    assert removed.status_code == 303 and "You have no price alerts" in client.get(removed.location).text
    assert client.post(action, data={"token": token}).status_code == 303  # sent twice
    assert "Alert at" in client.get(other.location).text


def test_all_alerts_of_a_page_are_removed_at_once(client):
    own = send(client, visitor="").location
    token = re.search(r"token=([\w-]+)", own)[1]
    ask(client)
    assert 'action="/price-alerts/all/remove"' in client.get(own).text
    removed = client.post("/price-alerts/all/remove", data={"token": token})
    text = client.get(removed.location).text
    assert "All price alerts removed." in text and "You have no price alerts" in text
    assert len(listed(client)["alerts"]) == 1  # of another
    feed = alerts_of(client.application).store.token(ANNA, FEED)
    assert client.post("/price-alerts/all/remove", data={"token": feed}).status_code == 422


def test_a_browser_with_a_number_has_one_list(client):
    send(client, visitor=ANNA)
    send(client, "green", visitor=ANNA, at_most="5")
    opened = client.post("/price-alerts", data={"visitor": ANNA})
    assert opened.status_code == 303 and ANNA not in opened.location
    text = client.get(opened.location).text
    assert "Alert below €12.90." in text and "Alert at €5.00 or less." in text and ANNA not in text
    assert len(listed(client)["alerts"]) == 2
    assert client.post("/price-alerts", data={"visitor": "anna"}).status_code == 422


@pytest.mark.parametrize("typed", ["cheap", "12.90", "20", "0", "-3", "5 USD", "1e400"])
def test_a_wrong_amount_is_shown_again_with_what_is_wrong(client, typed):
    answer = send(client, at_most=typed, visitor=ANNA)
    assert answer.status_code == 422 and f'value="{typed}"' in answer.text
    assert 'role="alert"' in answer.text and 'aria-invalid="true"' in answer.text
    assert listed(client)["alerts"] == []


@pytest.mark.parametrize(
    ("price", "currency", "example", "in_german"),
    [
        ("12.90", "EUR", "11", "11"),
        ("5.99", "EUR", "5.39", "5,39"),
        ("5", "JPY", "4", "4"),
        ("1.250", "KWD", "1.125", "1,125"),
        ("0.02", "EUR", "0.01", "0,01"),
        ("0.01", "EUR", "", ""),
        ("1", "JPY", "", ""),
        ("5.99", "", "5.39", "5,39"),
    ],
)
def test_the_example_is_an_amount_below_the_price_that_its_currency_has(client, price, currency, example, in_german):
    product = Product("mug", "Mug", (), price=Decimal(price), currency=currency)
    for language, expected in (("en", example), ("de", in_german)):
        with client.application.test_request_context(f"/?lang={language}", method="POST", data={"at_most": expected}):
            client.application.preprocess_request()
            form, amount = read_alert_form(product, request)
        assert form.example == expected and form.error == ""
        assert amount is None if not example else 0 < amount < product.price
    with client.application.test_request_context("/", method="POST", data={"at_most": "cheap"}):
        client.application.preprocess_request()
        form, _ = read_alert_form(product, request)
        assert form.error and ("such as" in form.error) == bool(example)


def test_a_product_without_a_price_has_no_form(client):
    assert "price-alert" not in re.sub(r"<(link|script)[^>]*>", "", client.get("/products/a%2Fb").text)
    assert "This product has no price" in send(client, "a%2Fb", visitor=ANNA).text


def test_too_many_alerts_are_refused_on_the_page(client, monkeypatch):
    monkeypatch.setattr("search.pricing.alerts.alert_store.MAX_OF_VISITOR", 1)
    send(client, visitor=ANNA)
    answer = send(client, "green", visitor=ANNA)
    assert answer.status_code == 422 and f"You have {MAX_OF_VISITOR} price alerts already." in answer.text


@pytest.mark.parametrize("language", ["en", "zh", "de", "fr", "es"])
def test_the_list_in_every_language(client, language):
    ask(client)
    token = alerts_of(client.application).store.token(ANNA, PAGE)
    page = client.application.test_client().get("/price-alerts", query_string={"token": token, "lang": language})
    assert page.status_code == 200 and f'lang="{language}' in page.text
    assert "12" in page.text.partition('class="alert-facts"')[2].partition("</li>")[0]


@pytest.mark.parametrize("where", ["/price-alerts", "/price-alerts.atom"])
def test_a_token_that_is_nobodys_opens_nothing(client, where):
    ask(client)
    store = alerts_of(client.application).store
    page, feed = store.token(ANNA, PAGE), store.token(ANNA, FEED)
    right, wrong = (page, feed) if where == "/price-alerts" else (feed, page)
    assert client.get(where, query_string={"token": right}).status_code == 200
    for token in (wrong, right[:-1], "A" * 43, ANNA):
        assert client.get(where, query_string={"token": token}).status_code == 422
    assert client.post("/price-alerts/1/remove", data={"token": feed}).status_code == 422


def test_what_is_gone_or_sold_out_is_said(client):
    store = alerts_of(client.application).store
    client.put("/api/v1/products/green", json={"price": 13.9, "in_stock": False}, headers=WRITER)
    ask(client, "green")
    token = store.token(ANNA, PAGE)
    assert "Now €13.90, out of stock" in client.get(f"/price-alerts?token={token}").text
    client.put("/api/v1/products/green", json={"price": 13.9, "in_stock": True}, headers=WRITER)


# ---- the feed


def test_the_feed_has_each_price_that_fell(client):
    address = path_of(ask(client, at_most=10).json["feed"])
    empty = ElementTree.fromstring(client.get(address).data)
    assert empty.findall(f"{ATOM}entry") == [] and empty.findtext(f"{ATOM}updated")
    priced(client, 9, title="Red & “warm” jumper")
    judged(client)
    answer = client.get(address)
    assert answer.mimetype == "application/atom+xml" and answer.headers["X-Robots-Tag"] == "noindex"
    feed = ElementTree.fromstring(answer.data)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Red & “warm” jumper: €9.00"
    assert entry.findtext(f"{ATOM}id").startswith("urn:uuid:")
    assert entry.find(f"{ATOM}link").get("href") == "https://shop.example/products/red"
    assert "When you set the alert, the product cost €12.90." in entry.findtext(f"{ATOM}content")
    assert feed.findtext(f"{ATOM}updated") == entry.findtext(f"{ATOM}updated") and feed.findtext(
        f"{ATOM}author/{ATOM}name"
    )
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    german = ElementTree.fromstring(client.application.test_client().get(f"{address}&lang=de").data)
    assert "9,00\xa0€" in german.findtext(f"{ATOM}entry/{ATOM}title")
    priced(client, 12.9, title="Red jumper")
    assert client.get(address).data.count(b"<entry>") == 1  # what happened stays


def test_a_shop_may_have_no_alerts(home, make_app):
    store, product = AlertStore(home), Product("red", "Red jumper", (), price=Decimal("12.90"), currency="EUR")
    store.add(AlertRequest(product, ANNA), now=1)  # its time is over
    store.add(AlertRequest(replace(product, id="green"), ANNA, Decimal(1)))
    app = make_app(Settings(home=home, price_alerts=False, timeout_ms=20_000))
    holder_of(app).wait(300)
    closed = app.test_client()
    assert '<details class="price-alert"' not in closed.get("/products/red").text
    assert closed.get("/price-alerts").status_code == 404 == ask(closed).status_code
    for page in ("/favourites", "/for-you"):
        answer = closed.get(page)
        assert answer.status_code == 200 and "rice alert" not in answer.text and "/price-alerts" not in answer.text
    wait_for(lambda: [alert.product_id for alert in store.of_visitor(ANNA).waiting] == ["green"])
    assert closed.delete(f"/api/v1/visitors/{ANNA}").status_code == 204


def test_an_address_without_encryption_or_secret_is_refused(tmp_path):
    for wrong in ({"price_alert_url": "http://shop.example/hook"}, {"price_alert_url": "https://shop.example/hook"}):
        with pytest.raises(UnsafeConfiguration):
            create_app(Settings(home=tmp_path, **wrong))


def test_only_a_hash_of_the_visitor_is_stored(client):
    ask(client)
    home = alerts_of(client.application).store.file.path.parent
    stored = b"".join(stored_bytes(home, "price-alerts.sqlite*").values())
    assert ANNA.encode() not in stored and hashlib.sha256(ANNA.encode()).digest() not in stored
    assert ShopHome(home).price_alerts.stat().st_mode & 0o077 == 0
    assert AlertStore(home).counts().waiting == 1
