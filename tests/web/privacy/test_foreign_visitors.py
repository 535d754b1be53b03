"""No route shows one visitor's history to another: every route, with every kind of key and every header of consent.

Anna's events carry a query id that stands nowhere else, so a route that shows her history in any form shows it too.
"""

import pytest

from search.recommend.experiments.experiment import Arm, Experiment
from search.recommend.experiments.experiment_store import ExperimentStore
from search.recommend.feed.feed_page import SURFACES
from tests.fake_encoder import FakeEncoder
from tests.web.middleware.test_auth import CALLS
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, SEARCH_KEY, WRITE_KEY, make_shop
from web.engine import get_engine, holder_of
from web.middleware.policies import POLICIES
from web.settings import Settings

ANNA, BERT = "v-0123456789abcdef01234567", "v-fedcba9876543210fedcba98"
MARK = "annas-own-query"
KEYS = {"none": "", "search": SEARCH_KEY, "read": READ_KEY, "write": WRITE_KEY, "admin": ADMIN_KEY}
FEED = "/api/v1/feed"
PERSONAL = ("bought_before", "due_again", "like_viewed", "like_bought", "bought_with", "viewed_with")


@pytest.fixture(scope="module")
def client(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("foreign")
    make_shop(home, FakeEncoder())
    limits = {"reads_per_minute": 0, "writes_per_minute": 0, "uploads_per_minute": 0}
    app = make_app(Settings(home=home, timeout_ms=20_000, **limits))
    holder_of(app).wait(300)
    client = app.test_client()
    for visitor, product, query in ((ANNA, "green", MARK), (BERT, "red", "berts-own-query")):
        events = [{"type": kind, "product_id": product, "query_id": query} for kind in ("view", "click", "purchase")]
        assert client.post("/api/v1/events", json={"visitor": visitor, "events": events}).json["kept"] == 3
    refresh(client)
    return client


def refresh(client):
    """Compute the statistics now, so that two answers are of the same."""
    with client.application.app_context():
        get_engine().recommender.refresh()


def owner_of(name):
    return {"Authorization": f"Bearer {KEYS[name]}"} if KEYS[name] else {}


@pytest.mark.promise("P3", "every route with every kind of key")
@pytest.mark.parametrize("endpoint", POLICIES)
def test_no_route_shows_a_foreign_history(client, endpoint):
    method, path = CALLS[endpoint]
    with client.application.app_context():
        hashed = get_engine().recommender.events.key_of(ANNA)
    for name in KEYS:
        for query in ({}, {"visitor": BERT}, {"visitor": BERT, "surface": "buy_again"}):
            path_of = path.replace("v-0123456789abcdef01234567", BERT)  # who asks is Bert
            with client.open(path_of, method=method.upper(), query_string=query, headers=owner_of(name)) as answer:
                shown = answer.data
            assert MARK.encode() not in shown and ANNA.encode() not in shown, name
            assert hashed not in shown and hashed.hex().encode() not in shown, name


def test_the_mark_is_seen_by_the_owner_alone(client):
    for name in KEYS:
        answer = client.get(f"/api/v1/visitors/{ANNA}", headers=owner_of(name))
        assert (MARK in answer.text) == (name == "admin")


def feed(client, visitor="", surface="for_you", headers=None, **parameters):
    parameters |= {"surface": surface, "product": "red"} if surface == "bought_together" else {"surface": surface}
    query = parameters | ({"visitor": visitor} if visitor else {})
    answer = client.get(FEED, query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def items(page):
    return [item for shelf in page.get("shelves", [page]) for item in shelf["items"]]


@pytest.mark.promise("P3", "every surface with every kind of key")
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("key", KEYS)
def test_nobody_and_a_new_visitor_get_the_same_feed(client, surface, key):
    """So the feed of those without a history cannot be made of anybody's."""
    pages = [feed(client, who, surface, owner_of(key)).json for who in ("", "v-89abcdef0123456701234567")]
    assert items(pages[0]) == items(pages[1])
    for page in pages:
        assert page["personalised"] is False
        own = [item for item in items(page) if item["reason"]["code"] in PERSONAL]
        assert not own or surface == "bought_together"  # which is about a product that the request names


def test_a_history_shapes_its_own_visitors_feed_alone(client):
    assert "green" not in [item["id"] for item in items(feed(client, ANNA).json)]  # she bought it a moment ago
    assert "green" in [item["id"] for item in items(feed(client, BERT).json)]


@pytest.mark.promise("P1", "every surface")
@pytest.mark.parametrize(
    ("headers", "parameters", "refused_by"),
    [
        ({"DNT": "1"}, {}, "DNT"),
        ({"Sec-GPC": "1"}, {}, "Sec-GPC"),
        ({}, {"personalise": "false"}, "personalise"),
        ({"DNT": "1"}, {"viewed": "red"}, "DNT"),
    ],
)
@pytest.mark.parametrize("surface", SURFACES)
def test_the_feed_of_a_visitor_who_refuses_is_nobodys(client, headers, parameters, refused_by, surface):
    answer = feed(client, ANNA, surface, headers, **parameters)
    assert (answer.json["personalised"], answer.json["arm"], answer.json["refused_by"]) == (False, None, refused_by)
    assert items(answer.json) == items(feed(client, "", surface).json)
    assert {"DNT", "Sec-GPC"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


@pytest.mark.promise("P3")
@pytest.mark.parametrize("visitor", ["1234567890123456", "anna", "anna.maria@mail.example", "customer"])
def test_a_history_under_an_id_that_can_be_guessed_needs_a_key(client, visitor):
    for name in ("none", "search"):
        answer = client.get(FEED, query_string={"visitor": visitor}, headers=owner_of(name))
        assert answer.status_code == 422 and "can be guessed" in answer.json["error"]["message"]
    assert feed(client, visitor, headers=owner_of("read")).status_code == 200
    refused = client.get(FEED, query_string={"visitor": visitor}, headers={"DNT": "1"})
    assert refused.status_code == 200 and refused.json["personalised"] is False


@pytest.mark.promise("P1")
def test_a_visitor_who_refuses_is_in_no_arm(client):
    with client.application.app_context():
        store = get_engine().recommender.experiments.store
        keys = [get_engine().recommender.events.key_of(visitor) for visitor in (ANNA, BERT)]
    arms = {"arms": [{"name": "control"}, {"name": "new", "settings": {"shelves": ["trending"]}}]}
    assert client.put("/api/v1/experiments/shelves", json=arms, headers=owner_of("admin")).status_code == 200
    started = client.post("/api/v1/experiments/shelves/state", json={"state": "running"}, headers=owner_of("admin"))
    assert started.status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.recommend.experiments.assignment.REREAD_SECONDS", 0.0)
        for headers in ({"DNT": "1"}, {"Sec-GPC": "1"}):
            assert feed(client, ANNA, "home", headers).json["arm"] is None
        page = feed(client, BERT, "home").json
    assert store.of_visitor(keys[0]) == []
    (seen,) = store.of_visitor(keys[1])
    assert page["arm"] == seen.arm
    shown = [shelf["surface"] for shelf in page["shelves"]]
    assert (shown == ["trending"]) == (seen.arm == "new") and shown
    assert client.delete("/api/v1/experiments/shelves", headers=owner_of("admin")).status_code == 204


def test_a_shop_that_records_nobody_runs_no_experiment(tmp_path, make_app):
    make_shop(tmp_path, FakeEncoder())
    store = ExperimentStore(tmp_path)
    store.save(Experiment("shelves", (Arm("control"), Arm("new"))))
    store.start("shelves")
    for record, seen in ((False, 0), (True, 1)):
        app = make_app(Settings(home=tmp_path, timeout_ms=20_000, record_events=record))
        holder_of(app).wait(300)
        assert (feed(app.test_client(), ANNA).json["arm"] is not None) == bool(seen)
        assert len(store.exposures("shelves")) == seen


def test_a_shop_that_personalises_nobody(tmp_path, make_app):
    make_shop(tmp_path, FakeEncoder())
    app = make_app(Settings(home=tmp_path, timeout_ms=20_000, personalise=False))
    holder_of(app).wait(300)
    client = app.test_client()
    events = [{"type": "view", "product_id": "red"}]
    assert client.post("/api/v1/events", json={"visitor": ANNA, "events": events}).json["kept"] == 1
    refresh(client)
    page = feed(client, ANNA).json
    assert {item["reason"]["product_id"] for item in items(page)} == {None}  # nothing was the cause
    assert (page["personalised"], page["refused_by"]) == (False, "shop")
    assert items(page) == items(feed(client).json)
