"""Experiments over HTTP, by the owner."""

import pytest

from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, make_shop
from web.engine import get_engine, holder_of
from web.settings import Settings

OWNER = {"Authorization": f"Bearer {ADMIN_KEY}"}
BASE = "/api/v1/experiments"
ARMS = [{"name": "control"}, {"name": "new", "settings": {"repeat_share": 0.2, "shelves": ["trending", "for_you"]}}]


@pytest.fixture(scope="module")
def client(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("experiments")
    make_shop(home, FakeEncoder())
    app = make_app(Settings(home=home, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app.test_client()


def call(client, method, path="", status=200, **body):
    answer = client.open(f"{BASE}{path}", method=method, headers=OWNER, **({"json": body} if body else {}))
    assert answer.status_code == status, answer.text
    return answer.json


def test_an_experiment_runs_is_reported_and_forgets(client):
    saved = call(client, "PUT", "/repeats", arms=ARMS, days=7, goal="click")["experiment"]
    assert (saved["state"], saved["arms"][1]["settings"]["shelves"]) == ("draft", ["trending", "for_you"])
    assert call(client, "POST", "/repeats/state", state="running")["experiment"]["state"] == "running"
    with client.application.app_context():
        recommender = get_engine().recommender
    arms = {}
    for number in range(40):
        visitor = f"v-{number:024x}-a8f3c2e1"
        arms[visitor] = recommender.experiments.assign(recommender.events.key_of(visitor), "for_you").name
        event = {"visitor": visitor, "events": [{"type": "click", "product_id": "red"}]}
        assert client.post("/api/v1/events", json=event).status_code == 202
    report = call(client, "GET", "/repeats/report")
    assert {arm["name"]: arm["visitors"] for arm in report["arms"]} == {
        name: list(arms.values()).count(name) for name in ("control", "new")
    }
    assert report["arms"][1]["conclusion"] == "too_early" and report["all_events"]
    first = next(iter(arms))
    stored = client.get(f"/api/v1/visitors/{first}", headers=OWNER).json
    assert [(one["experiment"], one["arm"]) for one in stored["experiments"]] == [("repeats", arms[first])]
    assert client.delete(f"/api/v1/visitors/{first}").status_code == 204
    assert client.get(f"/api/v1/visitors/{first}", headers=OWNER).json["experiments"] == []
    assert sum(arm["visitors"] for arm in call(client, "GET", "/repeats/report")["arms"]) == 39
    assert call(client, "POST", "/repeats/state", state="stopped")["experiment"]["stopped"]
    assert [one["name"] for one in call(client, "GET")["experiments"]] == ["repeats"]
    call(client, "DELETE", "/repeats", 204)
    assert call(client, "GET")["experiments"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/a", {"arms": ARMS[:1]}, 422),
        ("/a", {"arms": [{"name": "x"}, {"name": "x"}]}, 422),
        ("/a", {"arms": ARMS, "colour": "red"}, 422),
        ("/a", {"arms": [ARMS[0], {"name": "b", "settings": {"shelfs": []}}]}, 422),
        ("/a", {"arms": [ARMS[0], {"name": "b", "settings": {"shelves": ["trending", "trending"]}}]}, 422),
        ("/Big", {"arms": ARMS}, 422),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(client, path, body, status):
    assert call(client, "PUT", path, status, **body)["error"]["message"]
    assert call(client, "GET")["experiments"] == []


def test_one_that_is_not_there_is_not_found(client):
    call(client, "GET", "/none/report", 404)
    call(client, "DELETE", "/none", 404)
    call(client, "POST", "/none/state", 404, state="running")


def test_an_unexpected_exception_leaks_nothing(client, monkeypatch):
    def raises(*_):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    for name in ("all", "save", "start", "remove", "get"):
        monkeypatch.setattr(f"search.recommend.experiments.experiment_store.ExperimentStore.{name}", raises)
    bodies = {"PUT": {"arms": ARMS}, "POST": {"state": "running"}}
    for method, path in (("GET", ""), ("PUT", "/a"), ("POST", "/a/state"), ("DELETE", "/a"), ("GET", "/a/report")):
        assert "SELECT" not in str(call(client, method, path, 500, **bodies.get(method, {})))
