"""What an owner sees of a visitor's next purchases: nothing of a stranger, nothing without a key of the owner."""

import time
from dataclasses import replace

import pytest

from search.recommend.events.event_log import Event
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import fit_lock, publish
from search.recommend.outlook.outlook import Outlook
from tests.fake_encoder import FakeEncoder
from tests.search.recommend.outlook.drawn_outlook import DURABLE, PRODUCTS, WEEKLY, WEEKS, draw
from tests.search.recommend.purchases import DAY_S
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, SEARCH_KEY, WRITE_KEY, make_shop
from web.engine import get_engine, holder_of
from web.settings import Settings

pytest.importorskip("sklearn")
OWNER = {"Authorization": f"Bearer {ADMIN_KEY}"}
ANNA, BERT = "v-0123456789abcdef01234567", "v-fedcba9876543210fedcba98"


def address(visitor):
    return f"/api/v1/visitors/{visitor}/outlook"


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_app):
    """A shop without models, whose visitor buys red every week, blue once, and something that the shop had once."""
    home = tmp_path_factory.mktemp("outlook")
    make_shop(home, FakeEncoder())
    app = make_app(Settings(home=home, timeout_ms=20_000))
    holder_of(app).wait(300)
    with app.app_context():
        log = get_engine().recommender.events
    now = time.time()
    for week in range(12, 0, -1):
        log.add([Event("purchase", "red", ANNA), Event("purchase", "p0", ANNA)], now - 7 * week * DAY_S)
    log.add([Event("purchase", "blue", ANNA)], now - 5 * DAY_S)
    return app.test_client()


@pytest.fixture(scope="module")
def fitted(shop):
    table, events, _ = draw()
    ids = [*table.ids]
    ids[WEEKLY], ids[DURABLE] = "red", "blue"
    table = replace(table, ids=tuple(ids))
    outlook = Outlook.fit(events, table, 7 * WEEKS * DAY_S)
    manifest = ModelManifest(0, 1_000, 10, 900, 50, 5, PRODUCTS, ("outlook",), {}, {})
    with shop.application.app_context():
        engine = get_engine()
        with fit_lock(engine.home):
            version = publish(engine.home, FittedModels(table, {"outlook": outlook}, manifest)).version
        engine.recommender.follow()
    return version


def test_nothing_is_predicted_before_models_are_fitted(shop):
    answer = shop.get(address(ANNA), headers=OWNER)
    assert answer.status_code == 200
    assert answer.json["personalised"] is False
    assert answer.json["model"] is answer.json["days"] is None


def test_the_owner_sees_what_a_visitor_buys_next(shop, fitted):
    answer = shop.get(address(ANNA), headers=OWNER)
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert (found["personalised"], found["model"], found["days"]) == (True, fitted, 14)
    assert [each["product_id"] for each in found["due"]] == ["red"]
    due = found["due"][0]
    assert (due["times"], due["gap_days"], due["since_days"]) == (12, 7, 7)
    assert due["probability"] > 0.5
    assert {each["product_id"] for each in found["products"]} == {"red", "blue"}  # the shop has no p0
    assert found["categories"]
    assert len(shop.get(f"{address(ANNA)}?k=1", headers=OWNER).json["products"]) == 1


def test_an_unknown_visitor_has_an_answer_without_predictions(shop, fitted):
    answer = shop.get(address(BERT), headers=OWNER)
    assert answer.status_code == 200
    assert answer.json["personalised"] is False
    assert answer.json["model"] == fitted
    assert answer.json["categories"] == answer.json["products"] == answer.json["due"] == []


@pytest.mark.parametrize(("key", "status"), [(None, 401), (SEARCH_KEY, 403), (READ_KEY, 403), (WRITE_KEY, 403)])
def test_an_outlook_is_for_the_owner_alone(shop, key, status):
    answer = shop.get(address(ANNA), headers={"Authorization": f"Bearer {key}"} if key else {})
    assert answer.status_code == status
    assert "red" not in answer.text


@pytest.mark.parametrize("query", ["k=0", "k=many", "days=7"])
def test_a_parameter_that_is_not_understood_is_named(shop, query):
    answer = shop.get(f"{address(ANNA)}?{query}", headers=OWNER)
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json["error"]["message"]


def test_an_unexpected_exception_leaks_nothing(shop, monkeypatch):
    def raises(*_):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    monkeypatch.setattr("search.recommend.recommender.Recommender.outlook", raises)
    answer = shop.get(address(ANNA), headers=OWNER)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert ANNA not in answer.text


def test_a_visitor_who_was_forgotten_has_no_outlook(shop, fitted):
    assert shop.get(address(ANNA), headers=OWNER).json["personalised"]
    shop.delete(f"/api/v1/visitors/{ANNA}")
    assert not shop.get(address(ANNA), headers=OWNER).json["personalised"]
