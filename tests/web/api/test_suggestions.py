"""Suggestions over HTTP, on the real engine: what they say, what is refused, which searches others are shown."""

from datetime import date, timedelta

import pytest

from search.live.product_edit import edit_of
from search.ops.query_log import EMPTY
from search.suggest.suggestions import MAX_TYPED, MIN_OCCASIONS
from tests.web.shop_fixtures import ODD_IDS, fake_app, picture_bytes
from web.engine import holder_of
from web.middleware import query_logging
from web.middleware.query_logging import Occasions
from web.settings import Settings


def suggest(client, **parameters):
    answer = client.get("/api/v1/suggest", query_string=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_words_kinds_brands_and_products_with_their_addresses(client):
    found = suggest(client, q="red ju")
    assert found["text"] == "red ju" and found["spelling"] is None and found["degraded"] == []
    (word,) = found["words"]
    assert word == {
        "text": "red jumper",
        "products": 1,
        "corrected": False,
        "marked": ["", "red", " ", "ju", "mper"],
        "url": "/?q=red+jumper",
    }
    (kind,) = found["kinds"]
    assert (kind["category"], kind["name"], kind["products"]) == ("Apparel > Tops > Jumpers", "Jumpers", 3)
    (product,) = found["products"]
    assert (product["id"], product["price"], product["url"]) == ("red", "12.90", "http://localhost/products/red")
    assert product["picture_url"] == f"http://localhost/pictures/{product['picture']}/128.jpg"
    assert product["attributes"] == {"colour": "Red", "made of": "wool"} and "origin" not in product
    assert [brand["brand"] for brand in suggest(client, q="acm")["brands"]] == ["Acme"]


def test_every_address_leads_to_as_many_products_as_it_says(client):
    found = [suggest(client, q=typed) for typed in ("", "r", "jum", "odd ", "ac", "gre", "jmper")]
    assert found[-1]["spelling"] == "jumper"
    for one in found:
        for part in ("kinds", "brands"):
            for each in one[part]:
                page = client.get(each["url"])
                assert page.status_code == 200 and page.text.count('<li class="card') >= min(5, each["products"])
        for each in (*one["words"], *one["products"]):
            assert client.get(each["url"]).status_code == 200
        for each in one["products"]:
            assert client.get(each["picture_url"]).mimetype == "image/jpeg"


def test_it_is_not_stored_by_caches_and_not_logged(client, caplog):
    with caplog.at_level("INFO"):
        answer = client.get("/api/v1/suggest?q=very+private+words")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"q": "x" * (MAX_TYPED + 1)}, f"at most {MAX_TYPED} characters"),
        ({"q": "a", "limit": 0}, "limit is 0"),
        ({"q": "a", "limit": 21}, "less than or equal to 20"),
        ({"q": "a", "limit": "many"}, "limit is 'many'"),
        ({"q": "a", "lang": "xx"}, "lang is 'xx'"),
        ({"text": "a"}, "There is no parameter 'text'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(client, parameters, said):
    answer = client.get("/api/v1/suggest", query_string=parameters)
    assert answer.status_code == 422 and said in answer.json["error"]["message"] + answer.json["error"]["hint"]


@pytest.mark.parametrize(
    "typed", ["<script>alert(1)</script>", "' OR 1=1 --", "%00", "\u202e\u0000x", "odd <scr", "{{7*7}}", "*", '"']
)
def test_hostile_texts_come_back_as_json_text_and_nothing_else(client, typed):
    answer = client.get("/api/v1/suggest", query_string={"q": typed})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert {product["id"] for product in answer.json["products"]} <= {"red", "green", "blue", *ODD_IDS}


def test_a_language_names_products_and_kinds_in_it(tmp_path):
    with fake_app(tmp_path / "shop") as app:
        client = app.test_client()
        edit = {
            "title": "Clay mug",
            "category": "Tableware > Mugs",
            "attributes": {"title_zh": "陶土马克杯", "category_zh": "餐具 > 马克杯", "title_de": "Tonbecher"},
        }
        holder_of(app).engine().put(edit_of("mug", edit, [picture_bytes((1, 2, 3))]))
        english, chinese = suggest(client, q="马克"), suggest(client, q="马克", lang="zh")
        assert [word["text"] for word in english["words"]] == ["马克杯"]
        assert english["products"][0]["title"] == "Clay mug"
        assert chinese["products"][0]["title"] == "陶土马克杯"
        assert suggest(client, q="clay", lang="de")["products"][0]["title"] == "Tonbecher"


def test_searches_are_suggested_after_enough_occasions_while_they_find_something(tmp_path, monkeypatch):
    monkeypatch.setattr(query_logging, "REREAD_SECONDS", 0.0)
    with fake_app(tmp_path / "shop", timeout_ms=20_000, least_visitors=1) as app:
        client = app.test_client()

        def search(text, address, **more):
            sent = client.post("/api/v1/search", json={"text": text} | more, environ_overrides={"REMOTE_ADDR": address})
            assert sent.status_code == 200

        for number in range(MIN_OCCASIONS - 1):
            for _ in range(5):  # again and again counts once
                search("jumper warm", f"198.51.100.{number}")
        assert "jumper warm" not in [word["text"] for word in suggest(client, q="")["words"]]
        search("jumper green", "198.51.100.99", filter={"in_stock": True})
        search("green jumper", "198.51.100.99")
        search("jumper green", "198.51.100.99")
        for number in range(MIN_OCCASIONS):
            search("jumper green", f"198.51.100.{number}")
        assert [word["text"] for word in suggest(client, q="")["words"]] == ["jumper green"]
        assert [word["text"] for word in suggest(client, q="jumper g")["words"]] == ["jumper green"]
        query_logging.query_log(app).add(EMPTY, "jumper green", 1.0, now=2**33)
        assert suggest(client, q="")["words"] == []


@pytest.mark.promise("P4")
def test_a_text_of_few_visitors_is_suggested_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(query_logging, "REREAD_SECONDS", 0.0)
    with fake_app(tmp_path / "shop", timeout_ms=20_000) as app:
        client = app.test_client()
        for number in range(5):
            assert suggest(client, q="")["words"] == []
            where = {"REMOTE_ADDR": f"198.51.100.{number}"}
            client.post("/api/v1/search", json={"text": "jumper green"}, environ_overrides=where)
        assert [word["text"] for word in suggest(client, q="")["words"]] == ["jumper green"]


def test_an_address_counts_once_within_the_days():
    occasions, today = Occasions(7), date(2026, 11, 29)
    days = [occasions.is_new("a", "mug", today + timedelta(days=days)) for days in range(15)]
    assert [day for day, is_new in enumerate(days) if is_new] == [0, 7, 14]


def test_an_address_counts_once_a_day_for_a_text():
    occasions, today = Occasions(), date(2026, 11, 29)
    assert occasions.is_new("a", "mug", today) and not occasions.is_new("a", "mug", today)
    assert occasions.is_new("b", "mug", today) and occasions.is_new("a", "bowl", today)
    assert occasions.is_new("a", "mug", today + timedelta(days=1))


def test_typing_has_a_rate_limit_of_its_own(home, make_app, monkeypatch):
    monkeypatch.setattr("web.middleware.rate_limits.time", lambda: 1_000.0)
    app = make_app(Settings(home=home, timeout_ms=20_000, reads_per_minute=20))
    holder_of(app).wait(300)
    client = app.test_client()
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    statuses = [client.get("/api/v1/suggest?q=r", environ_overrides=elsewhere).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert client.get("/api/v1/products/red", environ_overrides=elsewhere).status_code == 200
