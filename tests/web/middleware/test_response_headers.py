"""S17: pages are inert: a policy on every answer, no other site let in unless it was named, no forged host."""

import pytest

from tests.web.middleware.test_auth import CALLS, ELSEWHERE
from web.engine import holder_of
from web.settings import Settings

FRIEND, STRANGER = "https://shop.example", "https://evil.example"


def opened(make_app, home, **given):
    app = make_app(Settings(home=home, timeout_ms=20_000, **given))
    holder_of(app).wait(300)
    return app.test_client()


@pytest.mark.promise("S17", "every route")
@pytest.mark.parametrize("endpoint", [*CALLS, "nowhere"])
@pytest.mark.parametrize("origin", [None, STRANGER])
def test_every_route_has_the_policy(client, endpoint, origin):
    method, address = CALLS.get(endpoint, ("get", "/nowhere"))
    with getattr(client, method)(address, headers={"Origin": origin} if origin else {}) as answer:
        told = answer.headers
    rules = dict(rule.split(" ", 1) for rule in told["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'self'" and "script-src" not in rules and "style-src" not in rules
    assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
    assert (told["X-Content-Type-Options"], told["X-Frame-Options"]) == ("nosniff", "DENY")
    assert (told["Referrer-Policy"], told["Cross-Origin-Opener-Policy"]) == ("same-origin", "same-origin")
    # The scripts for other sites may be read by every site; they hold nothing of the shop.
    readable = ["Access-Control-Allow-Origin"] if endpoint.startswith("embed.") else []
    assert [name for name, _ in told if name.startswith("Access-Control")] == readable


@pytest.mark.promise("S17")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_other_sites_are_not_let_in_by_a_preflight(client, method):
    preflight = {"Origin": STRANGER, "Access-Control-Request-Method": method}
    answer = client.options("/api/v1/products/red", headers=preflight)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.promise("S17")
def test_sites_that_are_named_may_read_the_api_and_nothing_else(make_app, home):
    client = opened(make_app, home, cors_origins=f" {FRIEND} ,https://other.example")
    preflight = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    allowed = client.options("/api/v1/products/red", headers=preflight)
    assert allowed.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in allowed.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    for address, origin in (
        ("/api/v1/products/red", STRANGER),
        ("/", FRIEND),
        ("/api/v1/products/red", FRIEND + ".evil"),
    ):
        answer = client.get(address, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in client.get("/api/v1/products/red").headers["Vary"]


@pytest.mark.promise("S17")
def test_a_forged_host_is_refused(make_app, home):
    client = opened(make_app, home, trusted_hosts="shop.example,.shops.example")
    for host in ("shop.example", "shop.example:8000", "a.shops.example"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "shop.example.evil", "evil@shop.example", "127.0.0.1", "shop.example\tx"):
        for address in ("/", "/api/v1/products/red", "/nowhere"):
            answer = client.get(address, headers={"Host": host})
            assert answer.status_code == 400, (host, address)
            assert "evil" not in answer.text and answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.promise("S17")
def test_no_route_takes_a_cookie_for_a_key(client):
    client.set_cookie("Authorization", "Bearer wsk_writer")
    client.set_cookie("key", "wsk_writer")
    assert client.delete("/api/v1/products/red", headers=ELSEWHERE).status_code == 401
