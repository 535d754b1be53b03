"""The personal feed over HTTP, on the real engine."""

import json

import pytest

from tests.web.shop_fixtures import fake_app


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with fake_app(tmp_path_factory.mktemp("feed"), timeout_ms=20_000) as app:
        yield app.test_client()


def feed(client, headers=None, **parameters):
    answer = client.get("/api/v1/feed", query_string=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def ids(page):
    return [item["id"] for item in page["items"]]


def post(client, visitor, *events):
    sent = [{"type": kind, "product_id": product} for kind, product in events]
    answer = client.post("/api/v1/events", json={"visitor": visitor, "events": sent})
    assert answer.json["kept"] == len(sent)


def test_a_new_visitor_gets_products_and_no_error(shop):
    page = feed(shop, visitor="v-new-6f1c09d2e87b4a35")
    assert page["items"] and not page["personalised"] and page["surface"] == "for_you" and page["model"] is None
    first = page["items"][0]
    assert first["rank"] == 1 and first["in_stock"] and first["url"].startswith("http://localhost/products/")
    assert first["picture_url"].startswith("http://localhost/pictures/") and first["reason"]["text"]
    assert feed(shop)["items"] == page["items"]


def test_an_event_counts_in_the_next_answer(shop):
    post(shop, "v-1-6f1c09d2e87b4a35", ("view", "red"))
    page = feed(shop, visitor="v-1-6f1c09d2e87b4a35")
    assert page["personalised"] and "red" not in ids(page) and "blue" not in ids(page)  # looked at; out of stock
    because = feed(shop, visitor="v-1-6f1c09d2e87b4a35", surface="because_you_looked")
    assert because["because"]["id"] == "red" and because["title"] == "Because you looked at Red jumper"
    post(shop, "v-1-6f1c09d2e87b4a35", ("purchase", "green"))
    assert "green" not in ids(feed(shop, visitor="v-1-6f1c09d2e87b4a35"))


def test_the_front_page_is_one_answer_without_a_product_twice(shop):
    post(shop, "v-2-6f1c09d2e87b4a35", ("view", "red"))
    page = feed(shop, visitor="v-2-6f1c09d2e87b4a35", surface="home", k=4)
    surfaces = [shelf["surface"] for shelf in page["shelves"]]
    assert surfaces == ["for_you", "buy_again", "because_you_looked", "trending", "new_for_you"]
    shown = [item["id"] for shelf in page["shelves"] for item in shelf["items"]]
    assert shown and len(set(shown)) == len(shown)
    strangers = feed(shop, visitor="v-none-6f1c09d2e87b4a35", surface="home", k=4)["shelves"]
    assert [shelf["surface"] for shelf in strangers] == [name for name in surfaces if name != "because_you_looked"]


def test_a_heading_says_nothing_that_is_not_so(shop):
    shelves = [feed(shop, surface="because_you_looked", **about) for about in ({}, {"product": "red"})]
    assert [shelf["title"] for shelf in shelves] == ["Similar products", "Similar to Red jumper"]
    assert {item["reason"]["code"] for item in shelves[1]["items"]} == {"like"}
    assert not shelves[0]["items"] and shelves[0]["because"] is None and shelves[1]["because"]["id"] == "red"


def test_pages_do_not_overlap(shop):
    pages = [feed(shop, visitor="v-3-6f1c09d2e87b4a35", k=4, offset=offset) for offset in (0, 4, 8)]
    shown = [product for page in pages for product in ids(page)]
    assert len(set(shown)) == len(shown) == 12 and pages[0]["more"]
    assert [item["rank"] for item in pages[1]["items"]] == [5, 6, 7, 8]


def test_cart_filter_and_language_are_respected(shop):
    assert not {"red", "plain"} & set(ids(feed(shop, cart=["red", "plain"], k=50)))
    assert "red" in ids(feed(shop, k=50)) and "red" not in ids(feed(shop, dismissed=["red", "gone"], k=50))
    assert ids(feed(shop, filter=json.dumps({"brand": "Acme"}), k=50)) in (["green", "red"], ["red", "green"])
    german = feed(shop, viewed="red", lang="de", surface="because_you_looked")
    assert "Red jumper" in german["title"] and german["title"] != "Because you looked at Red jumper"
    assert german["personalised"]


@pytest.mark.parametrize("refusal", [{"DNT": "1"}, {"Sec-GPC": "1"}, None])
def test_who_wants_nothing_personal_gets_nothing_personal(shop, refusal):
    post(shop, "v-4-6f1c09d2e87b4a35", ("view", "red"))
    assert feed(shop, visitor="v-4-6f1c09d2e87b4a35")["personalised"]
    parameters = {} if refusal else {"personalise": "false"}
    page = feed(shop, refusal, visitor="v-4-6f1c09d2e87b4a35", viewed="red", dismissed="green", **parameters)
    assert not page["personalised"] and page["items"] == feed(shop)["items"]
    assert page["refused_by"] == (next(iter(refusal)) if refusal else "personalise")


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("surface=front", 422, "surface is 'front'"),
        ("settings=1", 422, "There is no parameter 'settings'"),
        ("k=0", 422, "k is 0"),
        ("k=200&offset=1", 422, "offset 1 with k 200"),
        ("surface=home&offset=4", 422, "offset"),
        ("filter={", 422, "not valid JSON"),
        ("filter=%7B%22brnd%22:%22a%22%7D", 422, "brnd"),
        ("product=none", 404, "none"),
        ("surface=bought_together", 422, "product or cart"),
        ("visitor=" + "v" * 200, 422, "visitor"),
        ("visitor=12345", 422, "can be guessed"),
        ("personalise=maybe", 422, "personalise"),
        ("lang=xx", 422, "lang"),
    ],
)
def test_what_cannot_be_answered_is_an_error_that_says_why(shop, address, status, message):
    answer = shop.get(f"/api/v1/feed?{address}")
    assert answer.status_code == status and message in answer.json["error"]["message"], answer.text


def test_caches_store_no_feed(shop):
    headers = shop.get("/api/v1/feed").headers
    assert headers["Cache-Control"] == "no-store" and "DNT" in headers["Vary"]
