"""A batch of products over HTTP: each row by itself, pictures by web address, and the same again changes nothing."""

import base64

import pytest

from tests.catalog.picture_server import local_rules, reply, serving
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import BLUE, GREEN, READ_KEY, RED, WRITER, make_shop, picture_bytes
from web.engine import holder_of
from web.settings import Settings

PRODUCTS = "/api/v1/products"


@pytest.fixture(scope="module")
def pictures():
    with serving() as server:
        for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
            server.answers[f"/{name}.jpg"] = reply(picture_bytes(colour), Content_Type="image/jpeg")
        server.answers["/broken.jpg"] = reply(picture_bytes(RED)[:200])
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory, make_app, pictures):
    home = tmp_path_factory.mktemp("batch") / "shop"
    make_shop(home, FakeEncoder())
    app = make_app(Settings(home=home, live_rows=12))
    app.config["FETCH_RULES"] = local_rules(pictures.port)
    holder_of(app).wait(300)
    return app


def put(client, *rows, **more):
    return client.put(PRODUCTS, json={"products": list(rows), **more}, headers=WRITER)


def statuses(answer):
    return [row["status"] for row in answer.json["results"]]


def test_each_row_has_its_own_result_and_a_bad_one_spoils_no_other(client, pictures):
    rows = [
        {"id": "mug", "title": "Red mug", "price": "4.50 EUR", "pictures": [pictures.url("/red.jpg")]},
        {"id": "bad", "title": "Bad", "price": "much", "pictures": [pictures.url("/red.jpg")]},
        {"id": "mug", "title": "Again", "pictures": [pictures.url("/red.jpg")]},
        {"id": "red", "price": "9.90", "in_stock": False},
        "no object",
        {"id": "bare", "title": "No picture"},
        {"id": "odd", "colour": "red"},
        {"title": "No id"},
    ]
    answer = put(client, *rows)
    assert answer.status_code == 200, answer.text
    assert statuses(answer) == ["created", "failed", "failed", "updated", "failed", "failed", "failed", "failed"]
    assert {name: answer.json[name] for name in ("created", "updated", "unchanged", "failed")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "failed": 6,
    }
    fields = [row.get("field") for row in answer.json["results"]]
    assert fields == [None, "price", "id", None, "", "", "colour", "id"]
    assert "bad price" in answer.json["results"][1]["error"]["message"]
    assert client.get(f"{PRODUCTS}/mug").json["title"] == "Red mug"
    assert client.get(f"{PRODUCTS}/red").json["price"] == "9.90"
    hits = client.post("/api/v1/search", json={"text": "mug", "k": 50}).json["hits"]
    assert "mug" in [hit["id"] for hit in hits], "a row is found by the next search"


def test_the_same_batch_again_changes_nothing_and_fetches_nothing(client, pictures):
    files = [pictures.url("/green.jpg"), pictures.url("/blue.jpg")]
    rows = [{"id": "jug", "title": "Jug", "pictures": files}, {"id": "file", "title": "File", "pictures": encoded(RED)}]
    assert statuses(put(client, *rows)) == ["created", "created"]
    seen = len(pictures.requests)
    assert statuses(put(client, *rows)) == ["unchanged", "unchanged"]
    assert len(pictures.requests) == seen
    assert statuses(put(client, *rows, refetch=True)) == ["unchanged", "unchanged"]
    assert len(pictures.requests) == seen + 2
    client.delete(f"{PRODUCTS}/jug", headers=WRITER)
    client.delete(f"{PRODUCTS}/file", headers=WRITER)


def encoded(*colours):
    return [base64.b64encode(picture_bytes(colour)).decode() for colour in colours]


def test_a_picture_that_does_not_come_is_left_out_by_name(client, pictures):
    gone, broken, fine = (pictures.url(path) for path in ("/gone.jpg", "/broken.jpg", "/blue.jpg"))
    rows = [
        {"id": "vase", "title": "Vase", "pictures": [gone, fine]},
        {"id": "none", "title": "None", "pictures": [broken]},
        {"id": "red", "price": "1", "pictures": [gone]},
        {"id": "blue", "pictures": ["http://169.254.169.254/latest/meta-data"]},
        {"id": "file", "title": "File", "pictures": ["file:///etc/passwd"]},
    ]
    answer = put(client, *rows)
    assert statuses(answer) == ["created", "failed", "updated", "unchanged", "failed"], answer.text
    vase, none, red, blue, file = answer.json["results"]
    assert "404" in vase["notes"][0] and vase["notes"][0].startswith("pictures[0]")
    assert (none["field"], file["field"]) == ("pictures", "pictures")
    assert "keeps the pictures" in red["notes"][1] and client.get(f"{PRODUCTS}/red").json["price"] == "1"
    assert "not on the public internet" in blue["notes"][0] or "not allowed" in blue["notes"][0]
    assert "base64" in file["error"]["message"]
    assert len(client.get(f"{PRODUCTS}/vase").json["pictures"]) == 1
    client.delete(f"{PRODUCTS}/vase", headers=WRITER)


def test_a_shop_without_room_refuses_rows_one_by_one(client, pictures):
    rows = [{"id": f"n{number}", "title": "x", "pictures": encoded((number, 0, 0))} for number in range(16)]
    answer = put(client, *rows, {"id": "red", "price": "2"})
    failed = [row for row in answer.json["results"] if row["status"] == "failed"]
    assert 0 < len(failed) < 16 and {row["error"]["code"] for row in failed} == {"no_room"}
    assert answer.json["results"][-1]["status"] == "updated"
    for row in rows:
        client.delete(f"{PRODUCTS}/{row['id']}", headers=WRITER)


def test_a_single_product_may_name_addresses_too(client, pictures):
    made = client.put(f"{PRODUCTS}/pot", json={"title": "Pot", "pictures": [pictures.url("/red.jpg")]}, headers=WRITER)
    assert (made.status_code, len(made.json["pictures"])) == (201, 1)
    refused = client.put(f"{PRODUCTS}/pot", json={"pictures": [pictures.url("/gone.jpg")]}, headers=WRITER)
    assert refused.status_code == 422 and "404" in refused.json["error"]["message"]
    client.delete(f"{PRODUCTS}/pot", headers=WRITER)


@pytest.mark.parametrize("body", [{}, {"products": []}, {"products": "x"}, {"products": [{}] * 501}, {"rows": []}])
def test_bodies_that_are_no_batch(client, body):
    answer = client.put(PRODUCTS, json=body, headers=WRITER)
    assert answer.status_code == 422, answer.text


def test_it_needs_a_key_that_writes(client):
    body = {"products": [{"id": "red", "price": "1"}]}
    assert client.put(PRODUCTS, json=body).status_code == 401
    assert client.put(PRODUCTS, json=body, headers={"Authorization": f"Bearer {READ_KEY}"}).status_code == 403
