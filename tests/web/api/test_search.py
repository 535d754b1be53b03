"""The JSON API against a real engine: what is asked comes back, what is not understood is refused by name."""

import base64
import io
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.shop_fixtures import BLUE, ODD_IDS, RED, picture_bytes

SEARCH = "/api/v1/search"


def upload(data, name="photo.jpg", kind="image/jpeg"):
    return (io.BytesIO(data), name, kind)


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json["hits"]]


def test_words_find_the_product_and_tell_all_about_it(client):
    answer = client.post(SEARCH, json={"text": "red"})
    assert ids(answer) == ["red"] and answer.json["total"] == 1
    first = answer.json["hits"][0]
    assert answer.json["generation"] == 1
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert (first["rank"], first["id"], first["title"], first["price"], first["currency"]) == (
        1,
        "red",
        "Red jumper",
        "12.90",
        "EUR",
    )
    assert first["score"] == pytest.approx(sum(first["parts"].values()), abs=1e-3)
    assert first["url"] == "http://localhost/products/red"
    assert first["attributes"] == {"colour": "Red", "made of": "wool"}
    assert first["picture_urls"] == {
        str(size): f"http://localhost/pictures/{first['picture']}/{size}.jpg" for size in (128, 320, 640, 1280)
    }
    assert "feed" not in answer.text
    assert client.get(first["picture_url"]).content_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_finds_its_product_as_form_and_as_json(client, kind):
    data = picture_bytes(BLUE, (300, 200), kind)
    assert ids(client.post(SEARCH, data={"image": upload(data)}))[0] == "blue"
    encoded = base64.b64encode(data).decode()
    assert ids(client.post(SEARCH, json={"image": encoded}))[0] == "blue"
    assert ids(client.post(SEARCH, json={"image": f"data:image/{kind.lower()};base64,{encoded}"}))[0] == "blue"


def test_addresses_are_relative_where_nobody_vouches_for_the_host(client):
    hit = client.post(SEARCH, json={"text": "red"}, headers={"Host": "evil.example"}).json["hits"][0]
    assert hit["url"] == "/products/red"
    assert all(address.startswith("/pictures/") for address in (hit["picture_url"], *hit["picture_urls"].values()))


def test_a_product_finds_others_but_not_itself(client):
    found = ids(client.post(SEARCH, json={"product_id": "red", "k": 50}))
    assert "red" not in found
    assert len(found) == 17


def test_weights_decide_between_photo_and_words(client):
    blue = {"image": upload(picture_bytes(BLUE)), "text": "red"}
    assert ids(client.post(SEARCH, data=blue | {"weights": json.dumps({"image": 0.1, "text": 1})}))[0] == "red"
    blue = {"image": upload(picture_bytes(BLUE)), "text": "red"}
    assert ids(client.post(SEARCH, data=blue | {"weights": json.dumps({"image": 1, "text": 0.1})}))[0] == "blue"
    less = client.post(SEARCH, json={"text": "red", "product_id": "green", "weights": {"text": -1}, "k": 50})
    assert ids(less)[:2] == ["blue", "red"]  # the two of its kind


def test_crop_looks_at_a_part_of_the_upright_picture(client):
    from PIL import Image

    picture = Image.new("RGB", (200, 100), RED)
    picture.paste(BLUE, (100, 0, 200, 100))
    out = io.BytesIO()
    picture.save(out, "PNG")
    for crop, expected in (([0, 0, 0.5, 1], "red"), ([0.5, 0, 1, 1], "blue")):
        encoded = base64.b64encode(out.getvalue()).decode()
        assert ids(client.post(SEARCH, json={"image": encoded, "crop": crop}))[0] == expected
        form = {"image": upload(out.getvalue()), "crop": json.dumps(crop)}
        assert ids(client.post(SEARCH, data=form))[0] == expected


def test_pages_join_without_gap_or_overlap(client):
    whole = ids(client.post(SEARCH, json={"text": "odd", "k": 18}))
    parts = [ids(client.post(SEARCH, data={"text": "odd", "k": "6", "offset": str(at)})) for at in (0, 6, 12)]
    assert [each for part in parts for each in part] == whole
    assert len(set(whole)) == 15


REFUSED = [
    ({}, "empty"),
    ({"text": "  "}, "blank"),
    ({"text": "x" * 1001}, "at most 1000 characters"),
    ({"text": 7}, "string"),
    ({"text": ["a"]}, "string"),
    ({"text": "\ud800"}, "valid string"),
    ({"product_id": "\udfff"}, "valid string"),
    ({"text": "a", "colour": "red", "size": 3}, "'colour', 'size'"),
    ({"text": "a", "filter": {"size": "x"}}, "no field 'size'"),
    ({"text": "a", "filter": {"price": {"min": float("nan")}}}, "finite"),
    ({"text": "a", "sort": "cheap"}, "sort is 'cheap'"),
    ({"text": "a", "timeout_ms": 0}, "timeout_ms is 0"),
    ({"text": "a", "facets": "maybe"}, "valid boolean"),
    ({"text": "a", "more_like": ["a"]}, "without refine"),
    ({"refine": "AAAA"}, "not one that this shop gave"),
    ({"terms": {"text": "a"}}, "valid list"),
    ({"terms": [{"text": "a", "product_id": "b"}]}, "should have one of image, text, product_id"),
    ({"terms": [{"text": "a", "crop": [0, 0, 1, 1]}]}, "should have an image to crop"),
    ({"terms": [{"text": "a"}] * 25}, "at most 24 items, not 25"),
    ({"text": "a", "k": 0}, "k is 0"),
    ({"text": "a", "k": 201}, "k is 201"),
    ({"text": "a", "k": "many"}, "valid integer"),
    ({"text": "a", "k": 1.5}, "valid integer"),
    ({"text": "a", "k": True}, "valid integer"),
    ({"text": "a", "k": 10**400}, "within 1000000000 of zero"),
    ({"text": "a", "offset": -1}, "offset"),
    ({"text": "a", "offset": 9_995}, "offset"),
    ({"text": "a", "weights": [1]}, "should be an object"),
    ({"text": "a", "weights": {"price": 1}}, "'price'"),
    ({"text": "a", "weights": {"text": "much"}}, "valid number"),
    ({"text": "a", "weights": {"text": True}}, "valid number"),
    ({"text": "a", "weights": {"text": 10.5}}, "10.5"),
    ({"text": "a", "weights": {"text": 10**400}}, "valid number"),
    ({"text": "a", "weights": {"text": float("nan")}}, "nan"),
    ({"text": "a", "crop": [0, 0, 1, 1]}, "without an image"),
    ({"image": "", "crop": [0, 0, 1]}, "four numbers"),
    ({"image": "", "crop": "0,0,1,1"}, "four numbers"),
    ({"image": "", "crop": [0.5, 0, 0.5, 1]}, "box inside the picture"),
    ({"image": "", "crop": [-0.1, 0, 1, 1]}, "box inside the picture"),
    ({"image": "", "crop": [0, 0, 1, float("nan")]}, "box inside the picture"),
    ({"image": ""}, "0 bytes"),
    ({"image": "not base64!"}, "base64"),
    ({"image": 5}, "string"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED, ids=[str(body)[:60] for body, _ in REFUSED])
def test_what_cannot_be_answered_is_refused_and_named(client, body, said):
    answer = client.post(SEARCH, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422, answer.text
    assert set(answer.json) == {"error", "request_id"}
    assert set(answer.json["error"]) == {"code", "message", "hint"}
    assert said in answer.json["error"]["message"]


def test_a_query_whose_weights_are_all_zero_is_answered_or_refused(client):
    answer = client.post(SEARCH, json={"text": "red", "weights": {"text": 0}})
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"text": "a", "colour": "red"}, "'colour'"),
        ({"text": ["a", "b"]}, "more than once"),
        ({"text": "a", "weights": "{"}, "not valid JSON"),
        ({"text": "a", "weights": "[" * 100_0}, "not valid JSON"),
        ({"text": upload(b"red")}, "valid string"),
        ({"image": "a path"}, "base64"),
        ({"image": upload(b"")}, "0 bytes"),
    ],
    ids=["unknown", "twice", "no JSON", "deep JSON", "a file for words", "words for a file", "an empty file"],
)
def test_forms_are_held_to_the_same(client, form, said):
    answer = client.post(SEARCH, data=form, content_type="multipart/form-data")
    assert answer.status_code == 422, answer.text
    assert said in answer.json["error"]["message"]


def test_fields_in_the_address_are_refused(client):
    answer = client.post(f"{SEARCH}?k=3", json={"text": "red"})
    assert answer.status_code == 422
    assert "'k' came in the address" in answer.json["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1]", b'"x"', b"[" * 200_000, b'{"k": ' + b"9" * 5000 + b"}"])
def test_json_that_is_none_is_a_bad_request(client, body):
    answer = client.post(SEARCH, data=body, content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")


def test_other_kinds_of_body_are_not_understood(client):
    answer = client.post(SEARCH, data="text: red", content_type="application/yaml")
    assert (answer.status_code, answer.json["error"]["code"]) == (415, "unsupported_media_type")
    assert client.post(SEARCH).status_code == 422
    assert client.get(SEARCH).status_code == 405
    assert client.get(SEARCH).headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("odd", ["red", *ODD_IDS])
def test_any_id_has_an_address(client, odd):
    quoted = quote(odd, safe="")
    whole = client.get(f"/api/v1/products/{quoted}")
    assert (whole.status_code, whole.json["id"]) == (200, odd)
    alike = client.get(f"/api/v1/products/{quoted}/similar?k=50")
    assert len(ids(alike)) == 17
    assert odd not in ids(alike)
    assert client.get(whole.json["url"]).status_code == 200


def test_slashes_of_an_id_need_not_be_quoted(client):
    assert client.get("/api/v1/products/a/b").json["id"] == "a/b"
    assert client.get("/api/v1/products/a//b").json["id"] == "a//b"
    assert "hits" in client.get("/api/v1/products/plain/similar").json
    assert client.get("/api/v1/products/plain%2Fsimilar").json["id"] == "plain/similar"


def test_a_product_is_told_whole_and_without_paths(client):
    answer = client.get("/api/v1/products/blue")
    assert answer.json["attributes"] == {"colour": "Blue", "made of": "wool"}
    assert answer.json["in_stock"] is False
    assert len(answer.json["pictures"]) == 3
    assert "products.csv" not in answer.text
    assert "blue-0.jpg" not in answer.text


def test_what_is_not_there_is_not_found(client):
    for address in ("/api/v1/products/none", "/api/v1/products/none/similar", "/api/v1/products/%00"):
        answer = client.get(address)
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "unknown_product")
    assert client.post(SEARCH, json={"product_id": "none"}).status_code == 404
    assert client.get("/api/v1/nothing").json["error"]["code"] == "not_found"


@pytest.mark.parametrize("k", ["0", "201", "x", "-1", "9" * 5000])
def test_similar_bounds_k(client, k):
    assert client.get(f"/api/v1/products/red/similar?k={k}").status_code == 422


@pytest.mark.parametrize("what", ["similar", "substitutes", "goes-with"])
def test_a_parameter_that_is_not_known_is_named(client, what):
    refused = client.get(f"/api/v1/products/red/{what}?filter=hats")
    assert refused.status_code == 422 and "'filter'" in refused.json["error"]["message"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(words=st.text(st.characters(), max_size=1100))
def test_any_words_are_answered_or_refused(app, words):
    answer = app.test_client().post(SEARCH, data=json.dumps({"text": words}), content_type="application/json")
    assert answer.status_code in (200, 422)


@settings(max_examples=200, deadline=None)
@given(
    body=st.dictionaries(st.sampled_from(["text", "image", "product_id", "weights", "crop", "k", "offset"]), anything)
)
def test_any_fields_are_answered_or_refused(app, body):
    answer = app.test_client().post(SEARCH, data=json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 404, 415, 422)
