"""The operator's models of recommendations over HTTP: what is served and why, followed, and rolled back."""

import time

import pytest

from search.recommend.learning import fitted_models
from search.recommend.learning.fit import fit
from search.recommend.learning.model_store import fit_lock, model_versions
from tests.fake_encoder import FakeEncoder
from tests.search.recommend.learning.fitted import publish_one, recommended, store_one_product
from tests.search.recommend.learning.logged_shop import WEEKS, Dislikes, Habits, make_catalogue, options, record
from tests.web.shop_fixtures import ADMIN_KEY, make_shop
from web.engine import holder_of
from web.settings import Settings

OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}
STATUS, FIT, ROLLBACK = (f"/api/v1/ops/recommender{part}" for part in ("", "/fit", "/rollback"))


@pytest.fixture
def shop(tmp_path, make_app):
    """A served shop without events; returns its home, and what asks as its operator."""
    home = tmp_path / "home"
    make_shop(home, FakeEncoder())
    app = make_app(Settings(home=home, timeout_ms=20_000, follow_seconds=0.05))
    holder_of(app).wait(300)

    def ask(method, path, status=200, **values):
        answer = getattr(app.test_client(), method)(path, headers=OPERATOR, **values)
        assert answer.status_code == status, answer.text
        return answer.json

    return home, ask, app


def served(app, version):
    """The engine's models, once they are those of a version."""
    until = time.monotonic() + 120
    while (models := holder_of(app).engine().recommender.models) is None or models.version != version:
        assert time.monotonic() < until
        time.sleep(0.02)
    return models


def test_a_shop_without_models_says_so_and_what_is_missing(shop):
    _, ask, _ = shop
    status = ask("get", STATUS)
    assert (status["current"], status["versions"], status["last"], status["models"]) == (None, [], None, [])
    assert (status["state"], status["installed"], status["killed"]) == ("idle", True, False)
    assert status["interrupted"] is None
    refused = ask("post", FIT, 422)["error"]
    assert "too few events" in refused["message"] and "500 purchases" in refused["message"]


def test_a_running_server_follows_versions_and_rolls_back(shop, monkeypatch):
    store_one_product(monkeypatch)
    home, ask, app = shop
    for product in (1, 2):
        publish_one(home, product)
    assert recommended(served(app, 2)) == 2
    status = ask("get", STATUS)
    assert [(each["version"], each["current"]) for each in status["versions"]] == [(2, True), (1, False)]
    assert (status["current"], status["back_to"], status["versions"][0]["events"]) == (2, 1, 50)
    done = ask("post", ROLLBACK, json={"version": 1})
    assert (done["left"], done["current"]) == (2, 1)
    assert recommended(served(app, 1)) == 1
    again = ask("post", ROLLBACK, 422, json={"version": 1})["error"]
    assert "current one already" in again["message"]
    assert ask("post", ROLLBACK, 422, json={"version": "1"})["error"]["code"] == "bad_query"


def test_damaged_models_are_degraded_and_are_not_rolled_back_to(shop, monkeypatch):
    store_one_product(monkeypatch)
    home, ask, app = shop
    publish_one(home, 1)
    publish_one(home, 2)
    served(app, 2)
    (model_versions(home).path(1) / "two_stage" / "scored.npy").unlink()
    error = ask("post", ROLLBACK, 422, json={"version": 1})["error"]
    assert "damaged" in error["message"] and str(home) not in str(error)
    (model_versions(home).path(2) / "manifest.json").write_text("{")
    publish_one(home, 3)
    served(app, 3)
    (model_versions(home).path(3) / "manifest.json").write_text("{")
    (home / "recommend" / "current").write_text("000003\n")
    until = time.monotonic() + 120
    while not (degraded := app.test_client().get("/readyz").json["degraded"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert degraded == ["version 3 of the recommender models is damaged, and there is no other"]
    assert [each["damaged"] for each in ask("get", STATUS)["versions"]] == [True, True, True]


def test_what_the_last_fit_measured_and_why_it_was_not_taken(shop, monkeypatch):
    monkeypatch.setitem(fitted_models.STORED_MODELS, "two_stage", Habits)
    monkeypatch.setattr("search.recommend.evaluation.metrics.BOOTSTRAPS", 50)
    home, ask, app = shop
    make_catalogue(home)
    record(home, (0, WEEKS - 2))
    assert fit(home, options()).version == 1
    assert len(served(app, 1).table) > 60
    record(home, (WEEKS - 2, WEEKS))
    fit(home, options(Dislikes))
    status = ask("get", STATUS)
    last = status["last"]
    assert (last["outcome"], last["reason"], last["served"]) == ("not_taken", "worse_than_rule", 1)
    assert last["decisive"]["figure"] == "everything" and last["decisive"]["outcome"] == "worse"
    assert "figures" not in last and str(home) not in str(status)
    names = [each["name"] for each in status["models"]]
    assert set(names) == {"two_stage", "own_history", "popularity", "served"} and names[-1] == "two_stage"
    for each in status["models"]:
        assert each["new"]["low"] <= each["new"]["recall"] <= each["new"]["high"]


def test_a_fit_that_somebody_started_is_shown_and_not_started_twice(shop):
    home, ask, _ = shop
    make_catalogue(home)
    record(home, (0, 2))
    with fit_lock(home):
        assert ask("get", STATUS)["state"] == "running"
        assert ask("post", FIT, 202)["state"] == "running"
    assert ask("get", STATUS)["state"] == "idle"
