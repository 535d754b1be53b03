"""Webhooks over HTTP: found soon after they are taken, taken once, in order, and from nobody but the platform."""

import itertools
import threading
from contextlib import closing

import pytest

from catalog.storage.catalogue import Catalogue
from search.connect.inbox import Inbox
from tests.catalog.picture_server import reply, serving
from tests.fake_encoder import FakeEncoder
from tests.timing import wait_for
from tests.web.connect.platform_messages import (
    DOMAIN,
    SHOPIFY,
    SHOPIFY_SECRET,
    WOOCOMMERCE,
    WOOCOMMERCE_SECRET,
    encoded,
    shopify_headers,
    shopify_product,
    shopify_variant,
    woocommerce_headers,
    woocommerce_product,
    woocommerce_variation,
)
from tests.web.shop_fixtures import BLUE, GREEN, RED, make_shop, picture_bytes
from web.connect.webhooks import receiver_of
from web.engine import holder_of
from web.settings import Settings

PRODUCTS = "/api/v1/products"
FILES = {"teapot": RED, "stool": GREEN, "stool-navy": BLUE, "stool-red": RED, "small": GREEN, "large": BLUE}
NUMBERS = itertools.count()  # of deliveries; a number that came before is a delivery that is sent again


@pytest.fixture(scope="module")
def pictures():
    with serving() as server:
        for name, colour in FILES.items():
            server.answers[f"/{name}.jpg"] = reply(picture_bytes(colour, (61, 80 + len(name))))
        yield server


def settings_of(home, pictures):
    return Settings(
        home=home,
        shopify_secret=SHOPIFY_SECRET,
        shopify_domain=DOMAIN,
        woocommerce_secret=WOOCOMMERCE_SECRET,
        shop_url="https://corner.example",
        shop_currency="EUR",
        picture_servers=f"127.0.0.1:{pictures.port}",
        body_limit=100_000,
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory, make_app, pictures):
    home = tmp_path_factory.mktemp("connect") / "shop"
    make_shop(home, FakeEncoder())
    app = make_app(settings_of(home, pictures))
    holder_of(app).wait(300)
    yield app
    receiver_of(app).close()


@pytest.fixture
def send(client, pictures):
    """Send a message of Shopify or WooCommerce; a new delivery each time, unless it is named."""

    def send(payload, topic, delivery="", **headers):
        text = encoded(payload).replace(b"pictures.example/", f"127.0.0.1:{pictures.port}/".encode())
        platform = SHOPIFY if "/" in topic else WOOCOMMERCE
        signed = shopify_headers if platform == SHOPIFY else woocommerce_headers
        delivery = delivery or f"delivery {next(NUMBERS)}"
        return client.post(platform, data=text, headers=signed(text, topic, delivery, **headers))

    return send


@pytest.fixture
def shown(client):
    """Wait until the inbox is worked off, then return a product, None where there is none."""

    def shown(product_id):
        inbox = receiver_of(client.application).inbox
        wait_for(lambda: not any(inbox.status(platform).pending for platform in ("shopify", "woocommerce")), 300)
        answer = client.get(f"{PRODUCTS}/{product_id}")
        return answer.json if answer.status_code == 200 else None

    return shown


def test_a_shopify_product_comes_changes_and_goes(client, send, shown):
    taken = send(shopify_product(), "products/create")
    assert (taken.status_code, taken.json["status"]) == (202, "accepted")
    made = shown("632910392")
    assert (made["title"], made["price"], made["currency"], made["brand"]) == ("Clay teapot", "18.00", "EUR", "Acme")
    assert (made["link"], made["list_price"]) == ("https://corner.example/products/clay-teapot", "24.00")
    assert (made["category"], made["in_stock"], made["description"]) == ("Teapots", True, "Holds 1 l.")
    hits = client.post("/api/v1/search", json={"text": "clay teapot", "k": 50}).json["hits"]
    assert "632910392" in [hit["id"] for hit in hits]

    sold_out = [shopify_variant(1, "Default Title", price="17.50", inventory_quantity=0)]
    later = shopify_product(updated="2026-11-01T10:00:05-05:00", variants=sold_out)
    assert send(later, "products/update").json["status"] == "accepted"
    changed = shown("632910392")
    assert (changed["price"], changed["list_price"], changed["in_stock"]) == ("17.50", None, False)
    assert changed["pictures"] == made["pictures"]

    assert send(shopify_product(title="Older"), "products/update").json["status"] == "outdated"
    assert shown("632910392")["title"] == "Clay teapot"

    assert send({"id": 632910392}, "products/delete").status_code == 202
    assert shown("632910392") is None
    assert send(later, "products/update").json["status"] == "outdated", "what was sent before does not bring it back"


def test_variants_are_products_of_one_group(send, shown, pictures):
    images = [
        {"id": 21, "src": "http://pictures.example/small.jpg"},
        {"id": 22, "src": "http://pictures.example/large.jpg"},
    ]
    variants = [shopify_variant(31, "Small", image_id=21), shopify_variant(32, "Large", image_id=22, price="12.00")]
    payload = shopify_product(7, options=[{"name": "Size"}], images=images, variants=variants)
    send(payload, "products/create")
    small, large = shown("31"), shown("32")
    assert (small["item_group_id"], large["item_group_id"], large["price"]) == ("7", "7", "12.00")
    assert (small["attributes"]["size"], large["attributes"]["size"]) == ("Small", "Large")
    assert small["link"] == "https://corner.example/products/clay-teapot?variant=31"
    assert small["pictures"] != large["pictures"] and len(small["pictures"]) == len(large["pictures"]) == 1

    stock = {"id": 32, "product_id": 7, "inventory_quantity": 0, "updated_at": "2026-11-01T10:01:00-05:00"}
    assert send(stock, "variants/out_of_stock").json["status"] == "accepted"
    assert (shown("31")["in_stock"], shown("32")["in_stock"]) == (True, False)

    one = shopify_product(
        7, "2026-11-01T11:00:00-05:00", options=[{"name": "Size"}], images=images, variants=variants[:1]
    )
    send(one, "products/update")
    assert shown("31") is not None and shown("32") is None
    send(shopify_product(7, "2026-11-01T12:00:00-05:00", status="draft"), "products/update")
    assert shown("31") is None and shown("7") is None, "a draft is not shown"


def test_woocommerce_with_variations_one_by_one(send, shown):
    assert send(woocommerce_product(), "product.created").status_code == 202
    simple = shown("794")
    assert (simple["price"], simple["list_price"], simple["link"]) == (
        "40",
        "50",
        "https://woo.example/product/oak-stool/",
    )
    assert (simple["category"], simple["attributes"]["material"], simple["currency"]) == ("Stools", "oak", "EUR")

    assert send(woocommerce_variation(801, "red", parent=5), "product.created").json["status"] == "waiting"
    variable = woocommerce_product(updated="2026-11-01T15:01:00", type="variable", variations=[801, 802])
    send(variable, "product.updated")
    for number, colour in ((801, "red"), (802, "navy")):
        send(woocommerce_variation(number, colour), "product.created")
    red, navy = shown("801"), shown("802")
    assert (red["item_group_id"], navy["item_group_id"], red["attributes"]["colour"]) == ("794", "794", "red")
    assert red["title"] == "Oak stool" and red["pictures"][0] != navy["pictures"][0]
    assert shown("794") is None, "the product is its variations now"

    send(woocommerce_variation(801, "red", updated="2026-11-01T15:02:00", stock_status="outofstock"), "product.updated")
    assert (shown("801")["in_stock"], shown("802")["in_stock"]) == (False, True)
    assert send({"id": 794}, "product.deleted").status_code == 202
    assert shown("801") is None and shown("802") is None
    assert send(variable, "product.updated").json["status"] == "outdated"
    send(woocommerce_product(updated="2026-11-01T15:03:00"), "product.restored")
    assert shown("794")["title"] == "Oak stool"


def test_a_change_arrives_without_waiting_for_the_next_look(client, send, shown, monkeypatch):
    """Each message wakes the thread, so that a change takes as long as the work on it."""
    monkeypatch.setattr("search.connect.inbox_worker.POLL_SECONDS", 100_000.0)
    for second, price in enumerate(("41", "42", "43")):  # the first may come within a look of the interval before
        send(
            woocommerce_product(840, f"2026-11-01T17:00:{second:02}", name="Larch shelf", price=price),
            "product.updated",
        )
        assert shown("840")["price"] == price
        hits = client.post("/api/v1/search", json={"text": "larch shelf", "k": 50}).json["hits"]
        assert [hit["price"] for hit in hits if hit["id"] == "840"] == [price]


def test_nobody_can_send_a_recorded_message_again(send, shown):
    def moved(second, **fields):
        return woocommerce_product(850, f"2026-11-01T16:00:{second:02}", **fields)

    removal = {"id": 850, "windowshop": {"deleted_at": "2026-11-01T16:00:01"}}
    restored = moved(2)
    send(moved(0), "product.created")
    assert send(removal, "product.deleted").json["status"] == "accepted"
    assert send(restored, "product.restored").json["status"] == "accepted"
    assert send(removal, "product.deleted").json["status"] == "outdated"
    assert shown("850") is not None
    send({"id": 850, "windowshop": {"deleted_at": "2026-11-01T16:00:03"}}, "product.deleted")
    assert send(restored, "product.restored").json["status"] == "duplicate"
    assert send(moved(0), "product.updated").json["status"] == "outdated"
    assert send(moved(0), "product.restored").json["status"] == "duplicate", "its body came under another topic"
    assert shown("850") is None
    bad = send({"id": 850, "windowshop": {"deleted_at": "yesterday"}}, "product.deleted")
    assert (bad.status_code, bad.json["error"]["code"]) == (422, "bad_query")


def test_nobody_can_send_a_recorded_product_as_its_removal_or_return(send, shown):
    """The topic is in a header, which no platform signs."""
    ours = woocommerce_product(851, "2026-11-01T16:10:01", name="Now")
    added = woocommerce_product(852, "2026-11-01T16:10:01", windowshop={"currency": "SEK"})
    theirs = shopify_product(853)
    for payload, topic in ((ours, "product.updated"), (added, "product.created"), (theirs, "products/create")):
        send(payload, topic)
    for payload, topic in ((ours, "product.deleted"), (added, "product.deleted"), (theirs, "products/delete")):
        refused = send(payload, topic)
        assert (refused.status_code, refused.json["error"]["code"]) == (422, "bad_query")
    old = woocommerce_product(851, "2026-11-01T16:10:00", name="Before")  # a message that never arrived
    assert send(old, "product.restored").json["status"] == "outdated", "the product is there"
    assert send(ours, "product.restored").json["status"] == "duplicate"
    assert shown("851")["title"] == "Now" and shown("852") and shown("853")


def test_a_plugin_sends_variations_and_category_paths_along(send, shown):
    added = {
        "currency": "SEK",
        "category_paths": [["Home"], ["Home", "Furniture", "Stools"]],
        "variations": [woocommerce_variation(902, "navy", parent=900)],
    }
    send(woocommerce_product(900, type="variable", variations=[902], windowshop=added), "product.updated")
    navy = shown("902")
    assert (navy["category"], navy["currency"], navy["item_group_id"]) == ("Home > Furniture > Stools", "SEK", "900")


def test_the_ping_of_a_new_webhook_is_answered(client):
    answer = client.post(WOOCOMMERCE, data={"webhook_id": "3"})
    assert (answer.status_code, answer.json["status"]) == (200, "pong")


def test_a_delivery_is_taken_once(send, shown):
    product = shopify_product(55, title="Once")
    assert send(product, "products/create", "same").status_code == 202
    again = send(product, "products/create", "same")
    assert (again.status_code, again.json["status"]) == (200, "duplicate")
    other = send(shopify_product(55, "2026-11-02T00:00:00Z", title="Forged"), "products/update", "same")
    assert (other.status_code, other.json["error"]["code"]) == (409, "bad_delivery")
    assert send(product, "products/update").json["status"] == "unchanged"
    old = send(product, "products/update", **{"X-Shopify-Triggered-At": "2026-01-01T00:00:00.877041743Z"})
    assert (old.status_code, old.json["error"]["code"]) == (409, "bad_delivery")
    assert shown("55")["title"] == "Once"


REFUSED = {
    "no signature": (SHOPIFY, {"X-Shopify-Hmac-Sha256": None}, 401, "bad_signature"),
    "another secret": (SHOPIFY, {"secret": "guess"}, 401, "bad_signature"),
    "odd signature": (SHOPIFY, {"X-Shopify-Hmac-Sha256": "\xe9="}, 401, "bad_signature"),
    "another shop": (SHOPIFY, {"X-Shopify-Shop-Domain": "evil.myshopify.com"}, 403, "not_allowed"),
    "no shop": (SHOPIFY, {"X-Shopify-Shop-Domain": None}, 403, "not_allowed"),
    "another topic": (SHOPIFY, {"X-Shopify-Topic": "orders/create"}, 422, "bad_query"),
    "no delivery": (SHOPIFY, {"X-Shopify-Webhook-Id": None}, 422, "bad_query"),
    "bad moment": (SHOPIFY, {"X-Shopify-Triggered-At": "yesterday"}, 422, "bad_query"),
    "no signature of Woo": (WOOCOMMERCE, {"X-WC-Webhook-Signature": None}, 401, "bad_signature"),
    "another secret of Woo": (WOOCOMMERCE, {"secret": SHOPIFY_SECRET}, 401, "bad_signature"),
    "another topic of Woo": (WOOCOMMERCE, {"X-WC-Webhook-Topic": "order.created"}, 422, "bad_query"),
    "no delivery of Woo": (WOOCOMMERCE, {"X-WC-Webhook-Delivery-ID": None}, 422, "bad_query"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_from_the_platform_is_refused(client, caplog, case):
    address, changes, status, code = REFUSED[case]
    product = shopify_product(66) if address == SHOPIFY else woocommerce_product(66)
    signed = shopify_headers if address == SHOPIFY else woocommerce_headers
    body = encoded(product)
    answer = client.post(address, data=body, headers=signed(body, delivery=case, **changes))
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"]
    for secret in (SHOPIFY_SECRET, WOOCOMMERCE_SECRET, signed(body)[list(signed(body))[-1]]):
        assert secret not in caplog.text and secret not in answer.text
    assert client.get(f"{PRODUCTS}/66").status_code == 404


BODIES = [
    (b"{", 400),
    (b"[]", 400),
    (b'{"id": "x"}', 422),
    (b'{"id": 1, "updated_at": "never"}', 422),
    (b'{"id": 1}', 422),
    (b" " * 100_001, 413),
    (b"[" * 90_000, 400),
]


@pytest.mark.parametrize(("body", "status"), BODIES, ids=[str(status) + str(body[:12]) for body, status in BODIES])
def test_bodies_that_are_no_product(client, body, status):
    answer = client.post(SHOPIFY, data=body, headers=shopify_headers(body, delivery=str(hash(body))))
    assert answer.status_code == status, answer.text


def test_without_a_secret_nothing_is_taken(tmp_path, make_app):
    make_shop(tmp_path / "own", FakeEncoder())
    app = make_app(Settings(home=tmp_path / "own"))
    for address in (SHOPIFY, WOOCOMMERCE):
        answer = app.test_client().post(address, data=b"{}", headers=shopify_headers(b"{}"))
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "not_allowed")
    assert not (tmp_path / "own" / "inbox.sqlite").exists()


def test_what_was_taken_before_a_restart_is_worked_on_after_it(tmp_path, make_app, pictures, monkeypatch):
    """The pictures are asked for only after the server that answered has gone."""
    home = tmp_path / "own"
    make_shop(home, FakeEncoder())
    reached, released = threading.Event(), threading.Event()
    monkeypatch.setattr(
        "search.connect.platform_sync.PlatformSync.step", lambda *_: reached.set() or released.wait(300) or 0
    )
    first = make_app(settings_of(home, pictures))
    holder_of(first).wait(300)
    body = encoded(shopify_product()).replace(b"pictures.example/", f"127.0.0.1:{pictures.port}/".encode())
    answer = first.test_client().post(SHOPIFY, data=body, headers=shopify_headers(body))
    assert answer.status_code == 202, "answered although nothing could be fetched"
    released.set()
    receiver_of(first).close()
    holder_of(first).close()
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        assert not catalogue.find(["632910392"])
    monkeypatch.undo()
    second = make_app(settings_of(home, pictures))
    holder_of(second).wait(300)
    client = second.test_client()
    wait_for(lambda: client.get(f"{PRODUCTS}/632910392").status_code == 200, 300)
    receiver_of(second).close()
    with closing(Inbox(home)) as inbox:
        assert inbox.status("shopify").pending == 0


def test_a_picture_server_that_is_down_is_asked_again_later(client, send, shown, pictures):
    missing = [{"id": 1, "src": "http://down.example:1/x.jpg"}]
    assert send(shopify_product(88, images=missing), "products/create").status_code == 202
    inbox = receiver_of(client.application).inbox
    wait_for(lambda: inbox.status("shopify").failed == 1, 300)
    assert inbox.status("shopify").pending == 0 and client.get(f"{PRODUCTS}/88").status_code == 404
    send(shopify_product(88, "2026-11-01T18:00:00-05:00"), "products/update")
    assert shown("88")["title"] == "Clay teapot", "the next change mends it"
    assert inbox.status("shopify").failed == 0
