"""Pages of other sites: allowed origins read the API, foreign ones are refused, and a search key is bound to them."""

import pytest

from tests.web.shop_fixtures import READ_KEY, SEARCH_KEY, WRITE_KEY
from web.engine import holder_of
from web.settings import Settings

FRIEND, STRANGER = "https://www.shop.example", "https://evil.example"
SEARCH = "/api/v1/search"
PUBLIC_KEY = {"Authorization": f"Bearer {SEARCH_KEY}"}


@pytest.fixture(scope="module")
def client(home, make_app):
    app = make_app(Settings(home=home, timeout_ms=20_000, cors_origins="HTTPS://www.shop.example/", public_read=False))
    holder_of(app).wait(300)
    return app.test_client()


def search(client, key=SEARCH_KEY, **headers):
    sent = {"Authorization": f"Bearer {key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(SEARCH, data={"text": "red"}, headers=sent)


@pytest.mark.promise("S17")
@pytest.mark.parametrize("relation", ["cross-site", "same-site"])
@pytest.mark.parametrize("key", [SEARCH_KEY, READ_KEY])
def test_a_page_of_a_foreign_origin_is_refused(client, relation, key):
    answer = search(client, key, Origin=STRANGER, Sec_Fetch_Site=relation)
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "not_allowed")
    assert "WINDOWSHOP_CORS_ORIGINS" in answer.json["error"]["hint"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.promise("S17")
@pytest.mark.parametrize(
    "origin", ["null", "https://www.shop.example.evil", "http://www.shop.example", "https://[", ""]
)
def test_a_search_key_opens_nothing_to_a_foreign_origin_that_a_browser_does_not_classify(client, origin):
    assert search(client, Origin=origin).status_code == 403
    assert search(client, READ_KEY, Origin=origin).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FRIEND, "Sec_Fetch_Site": "cross-site"},
        {"Origin": FRIEND},
        {"Origin": "http://localhost"},  # the shop's own pages
        {"Origin": "https://shop.example", "Sec_Fetch_Site": "same-origin"},  # behind a proxy that replaced the host
        {"Sec_Fetch_Site": "none"},
        {},
    ],
)
def test_allowed_pages_and_the_shops_own_are_answered(client, headers):
    answer = search(client, **headers)
    assert answer.status_code == 200 and answer.json["hits"]
    named = headers.get("Origin") == FRIEND
    assert answer.headers.get("Access-Control-Allow-Origin") == (FRIEND if named else None)
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.promise("S17")
def test_a_page_may_not_log_events_from_anywhere(client):
    event = '{"visitor": "v", "events": [{"type": "view", "product_id": "red"}]}'
    headers = PUBLIC_KEY | {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/v1/events", data=event, headers=headers).status_code == 403
    assert client.post("/api/v1/events", data=event, headers=headers | {"Origin": FRIEND}).status_code == 202


@pytest.mark.promise("S14")
def test_a_search_key_never_writes(client):
    for method, address in (
        ("put", "/api/v1/products/red"),
        ("delete", "/api/v1/products/red"),
        ("get", "/api/v1/ops"),
    ):
        answer = getattr(client, method)(address, headers=PUBLIC_KEY | {"Origin": FRIEND})
        assert answer.status_code == 403, address
        assert "'search'" in answer.json["error"]["message"]


def test_a_preflight_is_answered_without_a_key_and_is_not_counted(home, make_app):
    app = make_app(Settings(home=home, cors_origins=FRIEND, reads_per_minute=4, public_read=False))
    holder_of(app).wait(300)
    ask = {"Origin": FRIEND, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for _ in range(5):
        answer = app.test_client().options(SEARCH, headers=ask, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_pictures_need_no_key_as_img_sends_none(client):
    (hit, *_) = search(client).json["hits"]
    assert client.get(f"/pictures/{hit['picture']}/320.jpg").status_code == 200
    assert client.get("/").status_code == 401
    assert search(client, WRITE_KEY[:-1]).status_code == 401
