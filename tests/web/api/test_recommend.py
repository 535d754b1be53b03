"""Recommendations and events over HTTP, on the real engine."""

import pytest


def items(answer):
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


def test_substitutes_can_be_had(client):
    found = client.get("/api/v1/products/blue/substitutes?k=5")
    assert set(items(found)) == {"red", "green"}
    first = found.json["items"][0]
    assert first["in_stock"] and first["url"] == f"http://localhost/products/{first['id']}" and first["reason"]
    assert first["picture_url"].startswith("http://localhost/pictures/") and first["picture_urls"]
    assert "blue" not in items(client.get("/api/v1/products/red/substitutes"))


def test_what_goes_with_a_product_is_of_another_category(client):
    answer = client.get("/api/v1/products/red/goes-with")
    assert all(item["category"] != "Apparel > Tops > Jumpers" for item in answer.json["items"])


def test_a_session_leaves_out_what_was_viewed(client):
    found = items(client.post("/api/v1/recommend", json={"viewed": ["red", "gone for good"], "k": 3}))
    assert found and "red" not in found and len(found) == 3
    unseen = items(client.post("/api/v1/recommend", json={"viewed": []}))  # what is popular, if anything is yet
    assert set(unseen) <= {"red"}


def test_events_are_kept(client):
    events = [{"type": "view", "product_id": "red"}, {"type": "cart", "product_id": "red", "rank": 3}]
    answer = client.post("/api/v1/events", json={"visitor": "v-1", "events": events})
    assert (answer.status_code, answer.json["kept"], answer.json["unknown_products"]) == (202, 2, 0)


def test_events_on_unknown_products_are_counted(client):
    events = [{"type": kind, "product_id": "no such product"} for kind in ("view", "cart")]
    answer = client.post(
        "/api/v1/events", json={"visitor": "v-1", "events": [*events, {"type": "view", "product_id": "red"}]}
    )
    assert (answer.json["kept"], answer.json["unknown_products"], answer.json["refused_by"]) == (1, 1, None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"events": []}, "events is []; it should have at least 1"),
        ({"visitor": "v", "events": [{"type": "stare", "product_id": "a"}]}, "events[0]"),
        (
            {"visitor": "v", "events": [{"type": "view", "product_id": "a"}] * 501},
            "at most 500 items",
        ),
        ({"visitor": "v" * 500, "events": [{"type": "view", "product_id": "a"}]}, "visitor"),
    ],
)
def test_events_that_cannot_be_kept_are_named(client, body, said):
    answer = client.post("/api/v1/events", json=body)
    assert answer.status_code == 422
    assert said in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("get", "/api/v1/products/none/substitutes", None, 404),
        ("get", "/api/v1/products/none/goes-with", None, 404),
        ("get", "/api/v1/products/red/goes-with?k=0", None, 422),
        ("get", "/api/v1/products/red/substitutes?k=many", None, 422),
        ("get", "/api/v1/products/red/substitutes?timeout_ms=0", None, 422),
        ("post", "/api/v1/recommend", {"viewed": "red"}, 422),
        ("post", "/api/v1/recommend", {"viewed": [7]}, 422),
        ("post", "/api/v1/recommend", {"seen": []}, 422),
        ("post", "/api/v1/recommend", {"viewed": ["a"], "k": 201}, 422),
    ],
)
def test_what_cannot_be_recommended_is_refused(client, method, address, body, status):
    assert getattr(client, method)(address, json=body).status_code == status


def test_ids_that_end_like_an_address_are_ids(client):
    plain = client.get(
        "/api/v1/products/a%2Fsubstitutes", environ_overrides={"RAW_URI": "/api/v1/products/a%2Fsubstitutes"}
    )
    assert plain.status_code == 404 and "a/substitutes" in plain.json["error"]["message"]
