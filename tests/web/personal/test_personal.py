"""The page "For you" and the personal shelves of other pages, as a script and as a browser without one get them."""

import re
import time

import pytest

from search.recommend.events.event_log import PURCHASE, VIEW, Event
from search.recommend.feed.feed_page import FeedPage
from tests.web.shop_fixtures import fake_app
from web.engine import holder_of
from web.i18n.languages import LANGUAGES

VISITOR = "v-0123456789abcdef01234567"
REFUSALS = [{"DNT": "1"}, {"Sec-GPC": "1"}]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """A shop that one shopper visited ten days ago, and where five bought two jumpers and a plain thing just now."""
    with fake_app(tmp_path_factory.mktemp("personal"), page_hits=5, timeout_ms=20_000) as app:
        recommender = holder_of(app).engine().recommender
        recommender.events.add([Event(VIEW, "a/b", "v-first-shopper")], now=time.time() - 10 * 86_400)
        for number in range(5):
            shopper = f"v-shopper-{number}"
            bought = [Event(kind, each, shopper) for each in ("red", "green", "plain") for kind in (VIEW, PURCHASE)]
            recommender.record(bought)
        recommender._refresher.refresh()
        yield app


def titles(answer):
    assert answer.status_code == 200, answer.text
    return re.findall(r'<div class="foot" data-id="([^"]+)"', answer.text)


def headings(answer):
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", answer.text)


def reasons(answer):
    return re.findall(r'<p class="reason"[^>]*>([^<]+)</p>', answer.text)


def test_everybody_sees_what_is_trending(client):
    answer = client.get("/")
    assert "Trending" in headings(answer) and "More popular than before" in reasons(answer)
    assert "For you" not in headings(answer) and "Recently viewed" not in headings(answer)


def test_a_visitor_gets_shelves_with_reasons(client):
    sent = {"visitor": VISITOR, "viewed": ["red", "gone", "green", "red"]}
    answer = client.post("/shelves", data=sent)
    shown = headings(answer)
    assert shown[0] == "For you" and "Because you looked at Red jumper" in shown and shown[-1] == "Recently viewed"
    assert 'href="/for-you"' in answer.text and answer.headers["Cache-Control"] == "no-store"
    shelves, recent = answer.text.split("Recently viewed")
    shelved = re.findall(r'data-id="([^"]+)"', shelves)
    assert shelved and len(set(shelved)) == len(shelved), "a product is on one shelf"
    assert re.findall(r'data-id="([^"]+)"', recent) == ["red", "green"]
    for shelf in shelves.split("<section")[1:]:
        cards = shelf.split('<li class="card"')[1:]
        said = [len(reasons_of) for reasons_of in (re.findall('class="reason"', each) for each in (shelf, *cards))]
        assert "because_you_looked" in shelf or said[0] == 1 or said[1:] == [1] * len(cards), "on the shelf, or on each"


@pytest.mark.parametrize("headers", REFUSALS)
def test_who_asks_not_to_be_tracked_sees_what_everybody_sees(client, headers):
    sent = {"visitor": VISITOR, "viewed": ["red"]}
    answer = client.post("/shelves", data=sent, headers=headers)
    assert "Recently viewed" not in headings(answer) and not any("Because" in each for each in headings(answer))
    everybody = titles(client.get("/for-you"))
    assert titles(client.post("/for-you", data=sent, headers=headers)) == everybody
    for path in ("/for-you", "/"):
        page = client.get(path, headers=headers)
        assert "asks not to be tracked" in page.text and 'role="switch"' not in page.text, path
        assert "data-forget" in page.text, "what was stored before can be deleted"
        assert "DNT" in page.headers["Vary"]
    assert titles(client.post("/for-you", data=sent)) != everybody


def test_pages_of_the_list_repeat_nothing(client):
    sent = {"visitor": VISITOR, "viewed": ["red"]}
    for personal in (False, True):
        found, offset = [], "0"
        while offset:
            paged = sent | {"offset": offset}
            answer = client.post("/for-you", data=paged) if personal else client.get(f"/for-you?offset={offset}")
            found += titles(answer)
            offset = "".join(re.findall(r'data-more="(\d+)"', answer.text))
        assert len(found) > 10 and len(set(found)) == len(found)
        assert "End of the list" in answer.text


def test_the_page_says_what_is_stored_and_works_without_a_script(client):
    answer = client.get("/for-you")
    assert "<noscript><p>Personal recommendations need JavaScript." in answer.text
    assert 'role="switch" aria-checked="true"' in answer.text and "Forget me" in answer.text
    assert re.search(r"under a code made from that number\..* It is deleted after \d+ days\.", answer.text)
    assert '<meta name="robots" content="noindex">' in answer.text
    assert len(titles(answer)) == 5 and reasons(answer)[0].startswith("No. 1 most popular")
    alone = client.get("/for-you?part=list&offset=5")
    assert titles(alone) and "<h1>" not in alone.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_in_every_language(client, language):
    heading = {"en": "For you", "zh": "为您推荐", "de": "Für Sie", "fr": "Pour vous", "es": "Para usted"}[language]
    assert f"<h1>{heading}</h1>" in client.get(f"/for-you?lang={language}").text
    shelves = client.post(f"/shelves?lang={language}", data={"viewed": ["red"]})
    looked = {"en": "Because you", "zh": "因为您看过", "de": "Weil Sie", "fr": "Parce que", "es": "Porque ha"}[language]
    assert any(looked in each for each in headings(shelves))


def test_what_is_not_wanted_does_not_come_back(client):
    sent = {"visitor": VISITOR, "viewed": ["red"]}
    unwanted = titles(client.post("/for-you", data=sent))[:2]
    assert not set(unwanted) & set(titles(client.post("/for-you", data=sent | {"dismissed": unwanted})))
    assert not set(unwanted) & set(titles(client.post("/shelves", data=sent | {"dismissed": unwanted})))


@pytest.mark.parametrize(
    "sent", [{"visitor": "7"}, {"visitor": "me@shop.example"}, {"offset": "-1"}, {"viewed": ["x"] * 25}, {"who": "me"}]
)
def test_what_no_browser_of_ours_sends_is_an_error(client, sent):
    assert client.post("/for-you", data=sent).status_code == client.post("/shelves", data=sent).status_code == 422


def test_no_product_is_in_two_rows_of_a_product(client):
    answer = client.get("/products/red")
    assert "Bought together" in headings(answer) and "Similar products" in headings(answer)
    shown = titles(answer)
    assert "red" not in shown and len(set(shown)) == len(shown)
    row = answer.text.partition("Bought together")[2].partition("<h2")[0]
    assert 'data-id="green"' in row and 'data-id="plain"' in row


def test_favourites_are_paired_with_what_was_bought_with_them(client):
    answer = client.get("/favourites?ids=red&ids=green")
    assert "Pairs well with your favourites" in headings(answer)
    assert titles(answer)[:2] == ["red", "green"] and "plain" in titles(answer)[2:]
    assert "Pairs well" not in client.get("/favourites").text


def test_a_young_shop_has_no_empty_shelf_and_shows_what_is_popular(tmp_path):
    with fake_app(tmp_path / "young", timeout_ms=20_000) as app:
        client, recommender = app.test_client(), holder_of(app).engine().recommender
        assert "data-surface" not in client.get("/").text and "Bought together" not in client.get("/products/red").text
        answer = client.get("/for-you")
        assert titles(answer) and "Popular in this shop" not in answer.text
        recommender.record([Event(PURCHASE, "red", "v-shopper-0"), Event(PURCHASE, "red", "v-shopper-1")])
        recommender.record([Event(VIEW, "green", f"v-shopper-{number}") for number in range(4)])
        recommender._refresher.refresh()
        assert "Popular right now" not in client.get("/").text, "of too few shoppers"
        recommender.record([Event(VIEW, "green", "v-shopper-4")])
        recommender._refresher.refresh()
        answer = client.get("/")
        row = answer.text.partition("Popular right now")[2].partition("</ul>")[0]
        assert re.findall(r'data-id="([^"]+)"', row) == ["green"] and "Trending" not in headings(answer)


@pytest.mark.parametrize("record_events", [True, False])
def test_a_shop_may_recommend_nothing_personal(tmp_path, record_events):
    settings = {"personalise": False, "record_events": record_events, "timeout_ms": 20_000}
    with fake_app(tmp_path / "impersonal", **settings) as app:
        client = app.test_client()
        for path in ("/", "/for-you"):
            answer = client.get(path)
            assert "no personal recommendations" in answer.text and "data-forget" in answer.text
            assert ('role="switch"' in answer.text) == record_events, "who is recorded can refuse"
            assert ("Record what I view and buy" in answer.text) == record_events
        assert 'id="stored"' in answer.text and ("The shop stores which products" in answer.text) == record_events
        assert "Recently viewed" not in client.post("/shelves", data={"visitor": VISITOR, "viewed": ["red"]}).text


def test_the_next_page_begins_after_all_that_were_ranked(app, monkeypatch):
    engine = holder_of(app).engine()
    first = titles(app.test_client().get("/for-you"))
    find = engine.find
    monkeypatch.setattr(engine, "find", lambda ids: {sku: at for sku, at in find(ids).items() if sku != first[0]})
    answer = app.test_client().get("/for-you")  # a product that left the catalogue since it was ranked
    assert titles(answer) == first[1:] and re.findall(r'data-more="(\d+)"', answer.text) == [str(len(first))]


def test_an_address_can_refuse(client):
    sent = {"visitor": VISITOR, "viewed": ["red"]}
    everybody = titles(client.get("/for-you"))
    assert titles(client.post("/for-you", data=sent)) != everybody
    assert titles(client.post("/for-you?personalise=false", data=sent)) == everybody
    assert "Recently viewed" not in headings(client.post("/shelves?personalise=false&lang=en", data=sent))
    assert client.post("/for-you?personalise=perhaps", data=sent).status_code == 422


@pytest.mark.parametrize(("query", "headers"), [("", {"DNT": "1"}), ("", {"Sec-GPC": "1"}), ("?personalise=false", {})])
def test_products_viewed_are_not_used_where_the_visitor_refuses(client, query, headers):
    path = "/api/v1/recommend"
    seen, unseen = (client.post(path, json={"viewed": viewed}).json["items"] for viewed in (["red"], []))
    refused = client.post(path + query, json={"viewed": ["red"]}, headers=headers)
    assert refused.json["items"] == unseen != seen and "DNT" in refused.headers["Vary"]


def test_nobody_who_refused_is_asked_to_view_products(app, client, monkeypatch):
    nothing = lambda *_: FeedPage((), personalised=False, feed_id="")  # noqa: E731 - as in a shop without products
    monkeypatch.setattr(holder_of(app).engine().recommender, "feed", nothing)
    for headers, hinted in [({}, True), *((refusal, False) for refusal in REFUSALS)]:
        for answer in (client.get("/for-you", headers=headers), client.post("/for-you", headers=headers)):
            assert "Nothing to recommend yet" in answer.text
            assert ("View a few products" in answer.text) == hinted


def test_half_a_day_is_not_forever(tmp_path):
    with fake_app(tmp_path / "short", timeout_ms=20_000, event_days=0.5) as app:
        assert "It is deleted after 1 day." in app.test_client().get("/for-you").text


@pytest.mark.parametrize("path", ["/", "/?q=jumper", "/products/red", "/favourites", "/for-you", "/no-such-page"])
def test_every_page_leads_to_what_is_stored(client, path):
    assert '<a href="/for-you#stored" rel="nofollow">What is stored</a></footer>' in client.get(path).text
    assert 'id="stored"' in client.get("/for-you").text
