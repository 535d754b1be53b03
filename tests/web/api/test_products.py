"""Products put and removed over HTTP: found by the next search, refused by name, and followed from elsewhere."""

import base64
import io
import json
from contextlib import closing

import pytest

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from tests.fake_encoder import FakeEncoder
from tests.timing import Lateness, wait_for
from tests.web.shop_fixtures import BLUE, RED, WRITER, make_shop, picture_bytes
from web.engine import holder_of
from web.settings import Settings

PRODUCTS, SEARCH = "/api/v1/products", "/api/v1/search"


@pytest.fixture
def shop(tmp_path):
    make_shop(tmp_path / "own", FakeEncoder())
    return tmp_path / "own"


@pytest.fixture
def app(shop, make_app):
    app = make_app(Settings(home=shop, follow_seconds=0.05, live_rows=5))
    holder_of(app).wait(300)
    yield app
    holder_of(app).close()


def put(client, product_id, **given):
    return client.put(f"{PRODUCTS}/{product_id}", json=given, headers=WRITER)


def encoded(*colours):
    return [base64.b64encode(picture_bytes(colour)).decode() for colour in colours]


def first(client, **asked):
    return client.post(SEARCH, json={"k": 50, **asked}).json["hits"]


def test_put_find_change_remove(client):
    made = put(client, "cup", title="Red cup", price="4.50", currency="EUR", pictures=encoded(RED, BLUE))
    assert (made.status_code, made.headers["Location"]) == (201, "/products/cup")
    assert made.json == client.get(f"{PRODUCTS}/cup").json | {"request_id": made.json["request_id"]}
    assert (made.json["price"], len(made.json["pictures"])) == ("4.50", 2)
    assert "cup" in [hit["id"] for hit in first(client, image=encoded(RED)[0])[:2]]
    assert client.get(made.json["pictures"][0]["picture_url"]).content_type == "image/jpeg"
    assert client.get("/products/cup").status_code == 200

    changed = put(client, "cup", price=5, in_stock=False)
    assert changed.status_code == 200 and "Location" not in changed.headers
    assert (changed.json["price"], changed.json["in_stock"], changed.json["title"]) == ("5", False, "Red cup")
    assert changed.json["pictures"] == made.json["pictures"]

    gone = client.delete(f"{PRODUCTS}/cup", headers=WRITER)
    assert (gone.status_code, gone.data) == (204, b"")
    assert "cup" not in [hit["id"] for hit in first(client, text="red")]
    assert client.get(f"{PRODUCTS}/cup").status_code == 404
    assert client.delete(f"{PRODUCTS}/cup", headers=WRITER).status_code == 404


def test_null_removes_the_price_and_leaves_other_fields(client):
    put(client, "cup", title="Red cup", price="4.50", in_stock=False, brand="Acme", pictures=encoded(RED))
    changed = put(client, "cup", price=None, in_stock=None, brand=None, title=None, pictures=None)
    assert changed.status_code == 200, changed.text
    assert (changed.json["price"], changed.json["in_stock"], changed.json["brand"]) == (None, False, "Acme")
    assert (changed.json["title"], len(changed.json["pictures"])) == ("Red cup", 1)


def test_a_product_leads_to_its_shop_and_tells_its_discount(client):
    sale = {"price": "9.73 EUR", "list_price": "13.90", "link": "https://shop.example/m", "item_group_id": "mugs"}
    made = put(client, "m", title="Mug", pictures=encoded((7, 200, 100)), **sale).json
    facts = {"list_price": "13.90", "on_sale": True, "discount": 30, "link": sale["link"], "item_group_id": "mugs"}
    hit = first(client, image=encoded((7, 200, 100))[0])[0]
    assert hit["id"] == "m"
    for shown in (made, client.get(f"{PRODUCTS}/m").json, hit):
        assert {name: shown[name] for name in facts} == facts
    over = put(client, "m", list_price=None).json
    assert (over["list_price"], over["on_sale"], over["discount"], over["link"]) == (None, False, 0, sale["link"])
    assert client.delete(f"{PRODUCTS}/m", headers=WRITER).status_code == 204


def test_put_as_a_form_with_files(client):
    files = [(io.BytesIO(picture_bytes(colour, kind="PNG")), "../../a.php") for colour in (RED, BLUE)]
    form = {"title": "Two", "in_stock": "false", "attributes": json.dumps({"made of": "tin"}), "pictures": files}
    answer = client.put(f"{PRODUCTS}/two", data=form, content_type="multipart/form-data", headers=WRITER)
    assert answer.status_code == 201, answer.text
    assert (len(answer.json["pictures"]), answer.json["in_stock"]) == (2, False)
    assert answer.json["attributes"] == {"made of": "tin"}
    assert client.put(f"{PRODUCTS}/two", data={"price": "3 EUR"}, headers=WRITER).json["price"] == "3"


@pytest.mark.parametrize("odd", ["a%2Fb", "a//b", "日本語", "plain/similar", "similar"])
def test_any_id_can_be_put_and_removed(client, odd):
    answer = put(client, odd, title="Odd", pictures=encoded(RED))
    assert answer.status_code in (200, 201)
    assert client.delete(f"{PRODUCTS}/{odd}", headers=WRITER).status_code == 204


REFUSED = [
    ({"price": "much"}, 422, "bad price"),
    ({"colour": "red"}, 422, "'colour'"),
    ({"link": "javascript:alert(1)"}, 422, "link is 'javascript:alert(1)'"),
    ({"list_price": "much"}, 422, "bad price"),
    ({"pictures": "x"}, 422, "valid list"),
    ({"pictures": [3]}, 422, "valid string"),
    ({"pictures": ["&"]}, 422, "base64"),
    ({"pictures": []}, 422, "pictures is []; it should have at least 1"),
    ({"pictures": [""]}, 422, "0 bytes"),
    ({"pictures": [base64.b64encode(b"%!PS-Adobe").decode()]}, 415, ""),
    ({"title": ""}, 422, "blank"),
]


@pytest.mark.parametrize(("given", "status", "says"), REFUSED, ids=[str(each[0])[:40] for each in REFUSED])
def test_what_cannot_be_is_refused_by_name(client, given, status, says):
    before = client.get(f"{PRODUCTS}/red").json
    answer = put(client, "red", **given)
    assert (answer.status_code, set(answer.json["error"])) == (status, {"code", "message", "hint"})
    assert says in answer.json["error"]["message"]
    assert client.get(f"{PRODUCTS}/red").json | {"request_id": ""} == before | {"request_id": ""}


def test_bodies_that_are_none(client):
    def send(address="red", **given):
        return client.put(f"{PRODUCTS}/{address}", headers=WRITER, **given)

    assert send(data=b"{", content_type="application/json").status_code == 400
    assert send(data=b"a: 1", content_type="application/yaml").status_code == 415
    assert send("red?price=3", json={}).status_code == 422
    assert send(data={"price": ["1", "2"]}).status_code == 422
    assert send(data={"attributes": "{"}).status_code == 422
    assert send(data={"image": (io.BytesIO(b"x"), "a")}, content_type="multipart/form-data").status_code == 422
    assert send().status_code == 200, "nothing given, nothing changed"
    assert send(json={"id": "red"}).status_code == 200
    assert send(json={"id": "blue"}).status_code == 422
    assert send("new").status_code == 422
    assert send("a%0Ab", json={"title": "x"}).status_code == 422


def test_a_full_shop_says_what_to_do_and_still_takes_deletes(client):
    for number in range(5):
        assert put(client, f"n{number}", title="x", pictures=encoded((number, 0, 0))).status_code == 201
    full = put(client, "n5", title="x", pictures=encoded(RED))
    assert (full.status_code, full.json["error"]["code"]) == (507, "no_room")
    assert "Re-index" in full.json["error"]["hint"]
    assert put(client, "red", price="1").status_code == 200
    assert client.delete(f"{PRODUCTS}/n0", headers=WRITER).status_code == 204
    assert put(client, "n5", title="x", pictures=encoded(RED)).status_code == 201


def test_what_others_write_is_seen_within_two_seconds(client, shop):
    with closing(Catalogue.open(shop / "catalog.sqlite")) as other:
        other.remove(["red"])
        with Lateness() as wait:
            wait_for(lambda: client.get("/readyz").json["products"] == 17, 300)
        assert wait.within(2)
    assert "red" not in [hit["id"] for hit in first(client, text="red")]


def test_a_new_generation_is_served_and_a_damaged_one_is_told(client, shop):
    make_shop(shop, FakeEncoder())
    wait_for(lambda: client.get("/readyz").json["generation"] == 2, 2)
    assert client.post(SEARCH, json={"text": "red"}).json["generation"] == 2
    make_shop_damaged(shop)
    wait_for(lambda: client.get("/readyz").json["degraded"], 2)
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["degraded"] == ["generation 3 is damaged; generation 2 is served"]
    assert client.post(SEARCH, json={"text": "red"}).json["generation"] == 2


def test_following_that_fails_does_not_end(app, client, monkeypatch, caplog):
    engine, tries = holder_of(app).engine(), []
    follow = engine.follow

    def fails(interval=None):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("secret")
        follow(interval)

    monkeypatch.setattr(engine, "follow", fails)  # of this engine alone: those of other tests follow their shops too
    wait_for(lambda: len(tries) > 3)
    assert "could not be applied" in caplog.text
    assert client.get("/readyz").status_code == 200


def make_shop_damaged(shop):
    """A generation whose files are not what its manifest says, made current."""
    from indexer.generations import store

    current = store.make_current
    with pytest.MonkeyPatch.context() as patch:

        def damage(home, number):
            with (ShopHome(home).generation(number) / "rows.npy").open("ab") as file:
                file.write(b"x")
            current(home, number)

        patch.setattr(store, "make_current", damage)
        make_shop(shop, FakeEncoder())
