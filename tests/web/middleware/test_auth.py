"""Keys and policies: every route has one, every kind of key is let in where it may and nowhere else."""

import hashlib
import json
import stat

import pytest
from click.testing import CliRunner

from catalog.errors import BadInput, StoreError
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, SEARCH_KEY, WRITE_KEY, make_shop
from web.__main__ import main
from web.engine import holder_of
from web.middleware.auth import Keys
from web.middleware.policies import ADMIN, ALWAYS, OPERATOR, POLICIES, PUBLIC, SCOPES, SEARCH, SIGNED, WRITE
from web.settings import Settings

CALLS = {
    "static": ("get", "/static/shop.css"),
    "pages.home": ("get", "/"),
    "pages.search_with_photo": ("post", "/"),
    "pages.product": ("get", "/products/red"),
    "personal.for_you": ("get", "/for-you"),
    "personal.personal_list": ("post", "/for-you"),
    "personal.front_shelves": ("post", "/shelves"),
    "saved.favourites": ("get", "/favourites"),
    "saved.compare": ("get", "/compare"),
    "pages.try_photo": ("get", "/try/none.jpg"),
    "pages.picture": ("get", "/pictures/" + "0" * 64 + "/320.jpg"),
    "site_files.robots": ("get", "/robots.txt"),
    "site_files.manifest": ("get", "/manifest.webmanifest"),
    "sitemap.index": ("get", "/sitemap.xml"),
    "sitemap.pages": ("get", "/sitemaps/pages.xml"),
    "sitemap.part": ("get", "/sitemaps/0.xml"),
    "embed.script": ("get", "/embed.js"),
    "embed.versioned_script": ("get", "/embed/0/embed.js"),
    "embed.assistant": ("get", "/embed/assistant.js"),
    "embed.versioned_assistant": ("get", "/embed/0/assistant.js"),
    "embed.adapter": ("get", "/embed/instantsearch.js"),
    "embed.worklet": ("get", "/embed/recorder_worklet.js"),
    "api.search": ("post", "/api/v1/search"),
    "suggestions.suggest": ("get", "/api/v1/suggest"),
    "speech.voice": ("get", "/api/v1/speech"),
    "speech.recognise": ("post", "/api/v1/speech"),
    "assistant.answer": ("post", "/api/v1/assistant"),
    "assistant_page.page": ("get", "/assistant"),
    "assistant_page.send": ("post", "/assistant"),
    "review_api.of_product": ("get", "/api/v1/products/red/reviews"),
    "review_api.send": ("post", "/api/v1/products/red/reviews"),
    "review_api.vote": ("post", "/api/v1/reviews/1/votes"),
    "review_api.similar_photos": ("get", "/api/v1/reviews/photos"),
    "review_api.photo": ("get", "/reviews/photos/" + "0" * 64 + "/320.jpg"),
    "merchant_reviews.queue": ("get", "/api/v1/reviews"),
    "merchant_reviews.put_batch": ("put", "/api/v1/reviews"),
    "merchant_reviews.decide": ("post", "/api/v1/reviews/decisions"),
    "merchant_reviews.reply": ("put", "/api/v1/reviews/1/reply"),
    "merchant_reviews.remove": ("delete", "/api/v1/reviews/1"),
    "merchant_reviews.photo": ("get", "/api/v1/reviews/photos/" + "0" * 64 + ".jpg"),
    "api.product": ("get", "/api/v1/products/red"),
    "api.similar": ("get", "/api/v1/products/red/similar"),
    "product_questions.ask": ("get", "/api/v1/products/red/questions"),
    "product_questions.send": ("post", "/api/v1/products/red/questions"),
    "product_questions.questions": ("get", "/api/v1/questions"),
    "product_questions.answer": ("put", "/api/v1/questions/1/answer"),
    "product_questions.remove": ("delete", "/api/v1/questions/1"),
    "question_pages.send": ("post", "/products/red/questions"),
    "prices.of_product": ("get", "/api/v1/products/red/prices"),
    "price_alerts.create": ("post", "/api/v1/products/red/price-alerts"),
    "price_alerts.of_visitor": ("get", "/api/v1/price-alerts"),
    "price_alerts.remove": ("delete", "/api/v1/price-alerts/1"),
    "price_alert_pages.create": ("post", "/products/red/price-alerts"),
    "price_alert_pages.page": ("get", "/price-alerts"),
    "price_alert_pages.open_page": ("post", "/price-alerts"),
    "price_alert_pages.remove": ("post", "/price-alerts/1/remove"),
    "price_alert_pages.feed": ("get", "/price-alerts.atom"),
    "question_pages.desk": ("get", "/merchant/questions"),
    "api.why": ("post", "/api/v1/products/red/why"),
    "api.substitutes": ("get", "/api/v1/products/red/substitutes"),
    "api.goes_with": ("get", "/api/v1/products/red/goes-with"),
    "api.recommend": ("post", "/api/v1/recommend"),
    "api.events": ("post", "/api/v1/events"),
    "visitors.forget": ("delete", "/api/v1/visitors/v-0123456789abcdef01234567"),
    "visitors.stored": ("get", "/api/v1/visitors/v-0123456789abcdef01234567"),
    "visitors.outlook": ("get", "/api/v1/visitors/v-0123456789abcdef01234567/outlook"),
    "feed.feed": ("get", "/api/v1/feed"),
    "api.healthz": ("get", "/healthz"),
    "api.readyz": ("get", "/readyz"),
    "metrics.metrics": ("get", "/metrics"),
    "reference.openapi": ("get", "/openapi.json"),
    "reference.docs": ("get", "/docs"),
    "catalogue.put": ("put", "/api/v1/products/none"),
    "catalogue.put_batch": ("put", "/api/v1/products"),
    "catalogue.remove": ("delete", "/api/v1/products/none"),
    "connect.shopify": ("post", "/connect/shopify/webhooks"),
    "connect.woocommerce": ("post", "/connect/woocommerce/webhooks"),
    "merchant_page.page": ("get", "/merchant"),
    "merchant_prices.page": ("get", "/merchant/prices"),
    "merchant_prices.prices": ("get", "/api/v1/prices"),
    "merchant_prices.product_advice": ("get", "/api/v1/products/red/price-advice"),
    "merchant_prices.advice_table": ("get", "/api/v1/price-advice.csv"),
    "merchant_prices.overview": ("get", "/api/v1/ops/prices"),
    "merchant_prices.chart": ("get", "/merchant/prices/chart"),
    "merchant.suggest": ("post", "/api/v1/listings/suggest"),
    "merchant.choices": ("get", "/api/v1/listings/choices"),
    "merchant.jobs": ("get", "/api/v1/jobs"),
    "merchant.create": ("post", "/api/v1/jobs"),
    "merchant.job": ("get", "/api/v1/jobs/none"),
    "merchant.remove": ("delete", "/api/v1/jobs/none"),
    "merchant.receive": ("put", "/api/v1/jobs/none/file"),
    "merchant.state": ("post", "/api/v1/jobs/none/state"),
    "merchant.rows": ("get", "/api/v1/jobs/none/rows"),
    "merchant.decide": ("post", "/api/v1/jobs/none/decisions"),
    "merchant.publish": ("post", "/api/v1/jobs/none/publish"),
    "merchant.unpublish": ("post", "/api/v1/jobs/none/unpublish"),
    "merchant.picture": ("get", "/api/v1/jobs/none/rows/1/pictures/0"),
    "merchant.corrected": ("get", "/api/v1/jobs/none/corrected.csv"),
    "merchant.listings": ("get", "/api/v1/jobs/none/listings.csv"),
    "conversations_page.page": ("get", "/merchant/conversations"),
    "threads.threads": ("get", "/api/v1/threads"),
    "threads.thread": ("get", "/api/v1/threads/none"),
    "threads.answer": ("post", "/api/v1/threads/none/messages"),
    "threads.change_state": ("post", "/api/v1/threads/none/state"),
    "threads.correct": ("post", "/api/v1/threads/none/corrections"),
    "threads.hand_over": ("post", "/api/v1/threads/none/handover"),
    "threads.erase": ("delete", "/api/v1/threads/none"),
    "threads.export_thread": ("get", "/api/v1/threads/none/export"),
    "threads.export": ("get", "/api/v1/threads/export"),
    "threads.erase_all": ("delete", "/api/v1/threads"),
    "operator_page.page": ("get", "/ops"),
    "review_desk.page": ("get", "/merchant/reviews"),
    "reviews.of_product": ("get", "/products/red/reviews"),
    "reviews.form": ("get", "/products/red/reviews/new"),
    "reviews.send": ("post", "/products/red/reviews"),
    "reviews.vote": ("post", "/reviews/999/votes"),
    "ops.overview": ("get", "/api/v1/ops"),
    "ops.catalogue_map": ("get", "/api/v1/ops/map"),
    "ops.rejected": ("get", "/api/v1/ops/rejected.csv"),
    "ops.preview": ("get", "/api/v1/ops/rollback"),
    "ops.rollback": ("post", "/api/v1/ops/rollback"),
    "generations.current": ("get", "/api/v1/ops/generations/current"),
    "generations.file": ("get", "/api/v1/ops/generations/1/rows.npy"),
    "ops.recommender": ("get", "/api/v1/ops/recommender"),
    "ops.fit_models": ("post", "/api/v1/ops/recommender/fit"),
    "ops.roll_back_models": ("post", "/api/v1/ops/recommender/rollback"),
    "insights.insights": ("get", "/api/v1/ops/insights"),
    "insights.table": ("get", "/api/v1/ops/insights/questions.csv"),
    "insights.reviews": ("get", "/api/v1/ops/reviews"),
    "rules.rules": ("get", "/api/v1/rules"),
    "rules.save": ("post", "/api/v1/rules"),
    "rules.try_rule": ("post", "/api/v1/rules/preview"),
    "rules.remove": ("delete", "/api/v1/rules/999"),
    "rules.export": ("get", "/api/v1/rules.csv"),
    "rules.import_table": ("post", "/api/v1/rules.csv"),
    "rules.changes": ("get", "/api/v1/rules/changes"),
    "experiments.experiments": ("get", "/api/v1/experiments"),
    "experiments.save": ("put", "/api/v1/experiments/none"),
    "experiments.change_state": ("post", "/api/v1/experiments/none/state"),
    "experiments.remove": ("delete", "/api/v1/experiments/none"),
    "experiments.report": ("get", "/api/v1/experiments/none/report"),
}
HEADERS = {
    "none": {},
    "bad": {"Authorization": "Bearer wsk_wrong"},
    "empty": {"Authorization": "Bearer "},
    "other kind": {"Authorization": "Basic d3NrOndzaw=="},
    "odd": {"Authorization": "Bearer \xe9\xff,,==;"},
    "hash": {"Authorization": f"Bearer {hashlib.sha256(WRITE_KEY.encode()).hexdigest()}"},
    "revoked": {"Authorization": "Bearer wsk_gone"},
    "search": {"Authorization": f"Bearer {SEARCH_KEY}"},
    "read": {"Authorization": f"Bearer {READ_KEY}"},
    "write": {"Authorization": f"Bearer {WRITE_KEY}"},
    "admin": {"Authorization": f"Bearer {ADMIN_KEY}"},
}
FORWARDED = ("FORWARDED", "X_FORWARDED_FOR", "X_REAL_IP", "VIA")
ELSEWHERE = {"X-Forwarded-For": "198.51.100.7"}  # so that nobody asks as a program of this machine


def refusal(policy, key, public_read=True):
    """The status by which a key is refused; None where it is let in."""
    if policy == SIGNED:
        return 403  # whatever the key: this shop shares no secret with a platform
    needed = {ALWAYS: None, PUBLIC: None if public_read else SEARCH, OPERATOR: ADMIN}.get(policy, policy)
    if needed is None or (key in SCOPES and SCOPES.index(key) >= SCOPES.index(needed)):
        return None
    return 403 if key in SCOPES else 401


@pytest.mark.promise("S14")
def test_every_route_has_a_policy_and_every_policy_a_route(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(POLICIES) == set(CALLS)
    adapter = app.url_map.bind("localhost")
    assert all(adapter.match(address, method.upper())[0] == name for name, (method, address) in CALLS.items())


@pytest.fixture(scope="module")
def closed(home, make_app):
    app = make_app(Settings(home=home, public_read=False, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app.test_client()


@pytest.mark.promise("S14", "every route with every kind of key, open and closed to the public")
@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("public_read", [True, False])
def test_every_route_with_every_kind_of_key(client, closed, caplog, endpoint, public_read):
    method, address = CALLS[endpoint]
    send = getattr(client if public_read else closed, method)
    for key, headers in HEADERS.items():
        with send(address, headers=headers | ELSEWHERE) as answer:
            expected = refusal(POLICIES[endpoint], key, public_read)
            assert (answer.status_code in (401, 403)) == (expected is not None), key
            assert expected is None or answer.status_code == expected, key
            assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401), key
        if answer.status_code in (401, 403) and answer.is_json:
            assert answer.json["error"]["code"] == ("no_key" if expected == 401 else "not_allowed"), key
    for secret in (WRITE_KEY, READ_KEY, ADMIN_KEY, SEARCH_KEY, "wsk_wrong"):
        assert secret not in caplog.text


@pytest.mark.promise("S14")
def test_a_shop_closed_to_the_public_says_so_to_people_too(closed):
    page = closed.get("/")
    assert (page.status_code, page.mimetype) == (401, "text/html")
    assert "requires a key" in page.text and page.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.promise("S14")
def test_metrics_are_for_this_machine_and_the_operator(client):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    for elsewhere in ({"REMOTE_ADDR": "192.0.2.1"}, *({f"HTTP_{name}": "127.0.0.1"} for name in FORWARDED)):
        assert client.get("/metrics", environ_overrides=elsewhere).status_code == 401
        assert client.get("/metrics", environ_overrides=elsewhere, headers=HEADERS["admin"]).status_code == 200


@pytest.mark.promise("S14")
def test_a_route_without_a_policy_is_closed(make_app, home):
    app = make_app(Settings(home=home))
    app.add_url_rule("/api/new", "new", lambda: "secret")
    answer = app.test_client().get("/api/new", headers=HEADERS["write"])
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "not_allowed")


def test_asking_what_an_address_takes_needs_no_key(client):
    assert client.options("/api/v1/products/red").status_code == 200


def test_a_shop_without_keys_says_how_to_make_one(tmp_path, make_app):
    make_shop(tmp_path, FakeEncoder())
    (tmp_path / "keys.json").unlink()
    app = make_app(Settings(home=tmp_path))
    holder_of(app).wait(300)
    answer = app.test_client().delete("/api/v1/products/red", headers=HEADERS["write"])
    assert answer.status_code == 403
    assert "windowshop key create --home HOME --scope write" in answer.json["error"]["hint"]
    assert str(tmp_path) not in answer.text

    created = CliRunner().invoke(main, ["key", "create", "--home", str(tmp_path), "--scope", "write", "--name", "till"])
    key = {"Authorization": f"Bearer {created.stdout.strip()}"}
    assert app.test_client().delete("/api/v1/products/red", headers=key).status_code == 204
    assert CliRunner().invoke(main, ["key", "revoke", "--home", str(tmp_path), "till"]).exit_code == 0
    CliRunner().invoke(main, ["key", "create"], env={"WINDOWSHOP_HOME": str(tmp_path)})  # as the server is told
    assert app.test_client().delete("/api/v1/products/green", headers=key).status_code == 401


def test_keys_by_command(tmp_path):
    run = CliRunner().invoke
    home = ["--home", str(tmp_path / "shop")]
    created = [run(main, ["key", "create", *home, *more]) for more in ([], [], ["--scope", "read"], ["--name", "till"])]
    secrets = [result.stdout.strip() for result in created]
    assert len(set(secrets)) == 4 and all(secret.startswith("wsk_") and len(secret) > 40 for secret in secrets)
    assert "cannot be shown again" in created[0].stderr and secrets[0] not in created[0].stderr
    listed = run(main, ["key", "list", *home]).stdout
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [
        ["write-1", "write"],
        ["write-2", "write"],
        ["read-1", "read"],
        ["till", "write"],
    ]
    file = tmp_path / "shop" / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(secret in file.read_text() + listed for secret in secrets)
    again = run(main, ["key", "create", *home, "--name", "till"])
    assert again.exit_code == 1 and "already" in again.stderr
    gone = run(main, ["key", "revoke", *home, "nobody"])
    assert gone.exit_code == 1 and "write-1, write-2, read-1, till" in gone.stderr
    assert run(main, ["key", "create", *home, "--scope", "all"]).exit_code == 2


def test_a_key_is_found_by_itself_alone(tmp_path):
    keys = Keys(tmp_path / "keys.json")
    assert keys.all() == () and keys.find("") is None
    created, secret = keys.create(WRITE)
    assert keys.find(secret) == created
    assert keys.find(created.sha256) is keys.find(secret + " ") is keys.find("") is keys.find("\ud800") is None
    keys.revoke(created.name)
    assert keys.find(secret) is None
    with pytest.raises(BadInput):
        keys.revoke(created.name)


@pytest.mark.parametrize("content", ["", "{", '["a"]', '[{"name": "a"}]', "[1]"])
def test_a_file_of_keys_that_is_none_opens_nothing(tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(StoreError, match=r"keys\.json"):
        Keys(tmp_path / "keys.json").find("wsk_x")


def test_hashes_are_compared_in_constant_time(tmp_path, monkeypatch):
    keys = Keys(tmp_path / "keys.json")
    secrets = [keys.create(WRITE)[1] for _ in range(3)]
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append(one) or one == other)
    assert keys.find(secrets[0])
    assert compared == [row["sha256"] for row in json.loads((tmp_path / "keys.json").read_text())]
