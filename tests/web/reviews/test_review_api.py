"""The API of reviews: a visitor sends one, it waits, the merchant decides, everybody sees it."""

import io

import pytest
from PIL import Image

from catalog.home import ShopHome
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import BLUE, WRITER, make_shop, picture_bytes
from web.engine import get_engine, holder_of
from web.settings import Settings

ANNA, BEN = "v-0f1e2d3c4b5a69788796", "v-a1b2c3d4e5f60718293a"
TEXT = "Keeps the tea warm for hours, and the handle feels solid."


@pytest.fixture
def home(tmp_path):
    make_shop(tmp_path, FakeEncoder())
    return tmp_path


def opened(make_app, home, **settings):
    app = make_app(Settings(home=home, timeout_ms=20_000, **settings))
    holder_of(app).wait(300)
    return app.test_client()


@pytest.fixture
def client(make_app, home):
    return opened(make_app, home)


def send(client, product="red", visitor=ANNA, status=202, **fields):
    body = {"visitor": visitor, "rating": 5, "text": TEXT} | fields
    answer = client.post(f"/api/v1/products/{product}/reviews", json=body)
    assert answer.status_code == status, answer.text
    return answer.json


def shown(client, product="red", **wanted):
    answer = client.get(f"/api/v1/products/{product}/reviews", query_string=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json


def merchant(client, method, path="", status=200, **body):
    answer = client.open(
        f"/api/v1/reviews{path}", method=method, headers=WRITER, **({"json": body} if method != "GET" else {})
    )
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_review_waits_is_approved_answered_voted_for_and_removed(client):
    sent = send(client, author="Anna", title="Warm")
    assert sent["state"] == "pending" and shown(client)["total"] == 0
    queue = merchant(client, "GET")
    (waiting,) = queue["reviews"]
    assert (waiting["id"], waiting["product_title"], waiting["reasons"]) == (sent["id"], "Red jumper", [])
    assert queue["counts"] == {"pending": 1, "approved": 0, "rejected": 0}
    assert (
        merchant(client, "GET", "?contains=HANDLE")["total"] == 1
        and merchant(client, "GET", "?contains=x9")["total"] == 0
    )
    assert merchant(client, "POST", "/decisions", ids=[sent["id"], "99"], state="approved")["changed"] == 1
    page = shown(client)
    assert page["summary"] == {"count": 1, "mean": 5.0, "distribution": [0, 0, 0, 0, 1], "aspects": []}
    assert page["reviews"][0] | {"at": 0} == {
        "id": sent["id"], "rating": 5, "title": "Warm", "text": TEXT, "author": "Anna", "language": "en", "at": 0,
        "verified": False, "photos": [], "reply": "", "reply_at": None, "helpful": 0, "unhelpful": 0,
    }  # fmt: skip
    assert merchant(client, "PUT", f"/{sent['id']}/reply", text=" Thank you. ")["reply"] == "Thank you."
    vote = client.post(f"/api/v1/reviews/{sent['id']}/votes", json={"visitor": BEN, "helpful": True})
    assert vote.json["helpful"] == 1 and shown(client)["reviews"][0]["helpful"] == 1
    assert shown(client, rating=4)["total"] == 0 == shown(client, verified="true")["total"]
    merchant(client, "DELETE", f"/{sent['id']}", 204)
    merchant(client, "DELETE", f"/{sent['id']}", 404)
    assert shown(client)["total"] == 0 == shown(client)["summary"]["count"]


def test_a_second_review_replaces_the_first(client):
    first = send(client)
    merchant(client, "POST", "/decisions", ids=[first["id"]], state="approved")
    send(client, rating=1, text="It broke after a day, sadly.")
    assert shown(client)["total"] == 0 and merchant(client, "GET")["total"] == 1


def test_what_is_noticed_is_listed_and_clean_reviews_may_be_shown_at_once(make_app, home):
    client = opened(make_app, home, reviews_approve="clean")
    assert send(client)["state"] == "approved"
    assert send(client, visitor=BEN, product="green", text=TEXT.upper())["state"] == "pending"  # nearly the same
    assert send(client, visitor=BEN, product="blue", text="Buy at www.cheap.example now")["state"] == "pending"
    reasons = {review["product_id"]: review["reasons"] for review in merchant(client, "GET")["reviews"]}
    assert reasons == {"green": ["duplicate"], "blue": ["link"]}


def test_a_photo_search_shows_customers_photos_that_look_like_it(client, home):
    blue = picture_bytes(BLUE)
    form = {"visitor": ANNA, "rating": "4", "photos": [(io.BytesIO(blue), "a.jpg")]}
    assert client.post("/api/v1/products/blue/reviews", data=form).status_code == 202
    (review,) = merchant(client, "GET")["reviews"]
    search = client.post("/api/v1/search", data={"image": (io.BytesIO(blue), "mine.jpg")}).json
    query = {"refine": search["refine"]}
    with client.application.app_context():
        get_engine().review_photos.follow()
    assert client.get("/api/v1/reviews/photos", query_string=query).json["photos"] == []
    assert "/reviews/photos/" not in client.post("/", data={"photo": (io.BytesIO(blue), "mine.jpg")}).text
    merchant(client, "POST", "/decisions", ids=[review["id"]], state="approved")
    with client.application.app_context():
        while get_engine().review_photos.follow():
            pass
    (photo,) = client.get("/api/v1/reviews/photos", query_string=query).json["photos"]
    assert photo["product_id"] == "blue" and photo["review_id"] == review["id"]
    assert client.get(photo["photo"]["320"]).content_type == "image/jpeg"
    page = client.post("/", data={"photo": (io.BytesIO(blue), "mine.jpg")}).text
    assert photo["photo"]["320"].removeprefix("http://localhost") in page
    assert client.get("/api/v1/reviews/photos").json["photos"] == []
    assert client.get("/api/v1/reviews/photos?refine=x").status_code == 422


def test_photos_are_encoded_again_and_shown_once_approved(client, home):
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    photo = picture_bytes((10, 200, 10), (2000, 1000), exif=exif)
    form = {"visitor": ANNA, "rating": "4", "photos": [(io.BytesIO(photo), "a.jpg"), (io.BytesIO(photo), "b.jpg")]}
    sent = client.post("/api/v1/products/red/reviews", data=form)
    assert sent.status_code == 202, sent.text
    (review,) = merchant(client, "GET")["reviews"]
    (sha256,) = review["photos"]
    assert client.get(f"/reviews/photos/{sha256}/320.jpg").status_code == 404
    assert client.get(f"/api/v1/reviews/photos/{sha256}.jpg").status_code == 401
    stored = client.get(f"/api/v1/reviews/photos/{sha256}.jpg", headers=WRITER).data
    assert Image.open(io.BytesIO(stored)).size == (1600, 800) and b"secret" not in stored
    merchant(client, "POST", "/decisions", ids=[review["id"]], state="approved")
    (addresses,) = shown(client, photos="1")["reviews"][0]["photos"]
    small = client.get(addresses["320"])
    assert Image.open(io.BytesIO(small.data)).size == (320, 160) and small.content_type == "image/jpeg"
    assert client.get(f"/reviews/photos/{sha256}/7.jpg").status_code == 404
    merchant(client, "DELETE", f"/{review['id']}", 204)
    assert client.get(addresses["320"]).status_code == 404
    assert not list(ShopHome(home).review_photos.rglob("*.jpg"))


@pytest.mark.parametrize(
    ("fields", "status", "part"),
    [
        ({"rating": 6}, 422, "rating"),
        ({"rating": None}, 422, "rating"),
        ({"text": "x" * 5_001}, 422, "text"),
        ({"visitor": "12345"}, 422, "guessed"),
        ({"photos": ["bm8gcGljdHVyZQ=="] * 5}, 422, "photos"),
        ({"photos": ["bm8gcGljdHVyZQ=="]}, 415, "format"),
        ({"stars": 5}, 422, "stars"),
    ],
)
def test_what_cannot_be_a_review_is_refused(client, fields, status, part):
    assert part in str(send(client, status=status, **fields)["error"])
    assert merchant(client, "GET")["total"] == 0


def test_unknown_products_and_reviews(client):
    send(client, product="none", status=404)
    assert client.get("/api/v1/products/none/reviews").status_code == 404
    sent = send(client)
    for review_id in (sent["id"], "77", "x"):  # the first one waits
        answer = client.post(f"/api/v1/reviews/{review_id}/votes", json={"visitor": BEN, "helpful": False})
        assert answer.status_code == 404


def test_a_purchase_that_anybody_may_send_verifies_no_review(client):
    purchase = {"type": "purchase", "product_id": "red", "visitor": ANNA}
    assert client.post("/api/v1/events", json={"events": [purchase]}).status_code < 300
    send(client, "red", ANNA, text="")
    assert [review["verified"] for review in merchant(client, "GET")["reviews"]] == [False]


def test_limits_of_a_visitor_and_of_an_address(make_app, home):
    client = opened(make_app, home, reviews_per_day=2, trusted_proxies=1, reviews_sent_per_minute=16)
    send(client)
    send(client, product="green")
    assert send(client, product="blue", status=422)["error"]["code"] == "too_many_reviews"
    send(client, product="blue", visitor=BEN)
    answer = client.post("/api/v1/products/red/reviews", json={"visitor": BEN, "rating": 1})
    assert answer.status_code == 429 and answer.headers["Retry-After"]


def test_a_batch_is_stored_once_and_bad_rows_are_named(client):
    rows = [
        {"key": "r1", "product_id": "red", "rating": 4, "text": TEXT, "created": "2026-01-02T03:04:05Z",
         "verified": True, "email": "a@shop.example", "reply": "Thanks!", "state": "approved"},
        {"key": "r2", "product_id": "red", "rating": 2, "text": "Write to me: a.b@mail.example"},
        {"key": "r3", "product_id": "none", "rating": 2},
        {"key": "r4", "product_id": "red", "rating": 9},
        {"key": "r5", "product_id": "red", "rating": 3, "created": "yesterday"},
        "no review",
        {"key": "r6", "product_id": "red", "rating": 3, "created": "9999-12-31T23:59:59-23:00"},
    ]  # fmt: skip
    answer = merchant(client, "PUT", reviews=rows)
    assert (answer["added"], answer["failed"]) == (2, 5) and [one["row"] for one in answer["errors"]] == [2, 3, 4, 5, 6]
    assert answer["errors"][0]["error"]["code"] == "unknown_product"
    again = merchant(client, "PUT", reviews=rows)
    assert (again["added"], again["unchanged"]) == (0, 2)
    (review,) = shown(client)["reviews"]
    assert (review["at"], review["verified"], review["reply"]) == (1767323045, True, "Thanks!")
    assert merchant(client, "GET")["reviews"][0]["reasons"] == ["contact"]


def test_the_language_of_a_batch_is_found_and_its_country_is_dropped(client):
    texts = [("a", "", "Die Tasse ist sehr gut verarbeitet und hält warm."), ("b", "EN-us", "Nice"), ("c", "", "")]
    merchant(
        client,
        "PUT",
        reviews=[
            {"key": key, "product_id": "red", "rating": 4, "text": text, "language": language, "state": "approved"}
            for key, language, text in texts
        ],
    )
    assert sorted(review["language"] for review in shown(client)["reviews"]) == ["", "de", "en"]


def test_a_visitor_sees_and_removes_what_is_stored(client):
    sent = send(client)
    other = send(client, visitor=BEN)
    merchant(client, "POST", "/decisions", ids=[other["id"]], state="approved")
    client.post(f"/api/v1/reviews/{other['id']}/votes", json={"visitor": ANNA, "helpful": True})
    owner = {"Authorization": "Bearer wsk_operator"}
    stored = client.get(f"/api/v1/visitors/{ANNA}", headers=owner).json
    assert [review["id"] for review in stored["reviews"]] == [sent["id"]]
    assert stored["review_votes"] == [{"review_id": other["id"], "helpful": True}]
    assert client.delete(f"/api/v1/visitors/{ANNA}").status_code == 204
    stored = client.get(f"/api/v1/visitors/{ANNA}", headers=owner).json
    assert stored["reviews"] == [] == stored["review_votes"] and shown(client)["reviews"][0]["helpful"] == 0


def test_an_id_that_ends_like_the_route(client):
    assert (
        client.get(
            "/api/v1/products/plain%2Freviews", environ_base={"RAW_URI": "/api/v1/products/plain%2Freviews"}
        ).status_code
        == 404
    )
