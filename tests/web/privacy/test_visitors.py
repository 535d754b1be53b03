"""A visitor's own data: nothing is stored of those who refuse, it goes when they ask, and others never see it."""

import logging

import pytest

from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, SEARCH_KEY, WRITE_KEY, make_shop, stored_bytes
from web.engine import get_engine, holder_of
from web.settings import Settings

OWNER = {"Authorization": f"Bearer {ADMIN_KEY}"}
ANNA, BERT = "v-0123456789abcdef01234567", "v-fedcba9876543210fedcba98"
EVENTS = "/api/v1/events"


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("visitors")
    make_shop(home, FakeEncoder())

    def make(**settings):
        app = make_app(Settings(home=home, timeout_ms=20_000, **settings))
        holder_of(app).wait(300)
        return app.test_client()

    return make


@pytest.fixture(scope="module")
def shop(made):
    return made()


def sent(client, visitor=ANNA, product="red", address=EVENTS, **headers):
    body = {"visitor": visitor, "events": [{"type": "view", "product_id": product, "rank": 2, "query_id": "q"}]}
    answer = client.post(address, json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer


def stored(client, visitor=ANNA):
    answer = client.get(f"/api/v1/visitors/{visitor}", headers=OWNER)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    return answer.json["events"]


@pytest.mark.promise("P1", "each header and parameter")
@pytest.mark.parametrize(
    ("headers", "address", "refused_by"),
    [
        ({"DNT": "1"}, EVENTS, "DNT"),
        ({"Sec-GPC": "1"}, EVENTS, "Sec-GPC"),
        ({"DNT": "0", "Sec-GPC": "1"}, EVENTS, "Sec-GPC"),
        ({}, f"{EVENTS}?personalise=false", "personalise"),
        ({}, f"{EVENTS}?personalise=0", "personalise"),
        ({"DNT": "1"}, f"{EVENTS}?personalise=true", "DNT"),
    ],
)
def test_nothing_is_stored_of_a_visitor_who_refuses(shop, headers, address, refused_by):
    answer = sent(shop, BERT, address=address, **headers)
    assert (answer.json["kept"], answer.json["refused_by"]) == (0, refused_by)
    assert stored(shop, BERT) == []
    assert {"DNT", "Sec-GPC"} <= {name.strip() for name in answer.headers["Vary"].split(",")}


@pytest.mark.parametrize(("name", "value"), [("DNT", "0"), ("DNT", "null"), ("Sec-GPC", "0"), ("Sec-GPC", "")])
def test_a_header_that_refuses_nothing_changes_nothing(shop, name, value):
    answer = sent(shop, "visitor-of-headers-01", **{name: value})
    assert (answer.json["kept"], answer.json["refused_by"]) == (1, None)


def test_an_unknown_parameter_is_an_error_and_stores_nothing(shop):
    body = {"visitor": BERT, "events": [{"type": "view", "product_id": "red"}]}
    for parameter in ("personalise=perhaps", "personalize=false"):
        assert shop.post(f"{EVENTS}?{parameter}", json=body).status_code == 422
    assert stored(shop, BERT) == []


def test_the_shop_may_record_nobody(made):
    client = made(record_events=False)
    answer = sent(client, BERT)
    assert (answer.json["kept"], answer.json["refused_by"]) == (0, "shop") and stored(client, BERT) == []


@pytest.mark.promise("P2")
def test_a_visitor_is_forgotten_and_others_are_not(shop):
    for visitor in (ANNA, BERT):
        sent(shop, visitor)
    (event,) = stored(shop)
    assert {name: event[name] for name in event if name != "at"} == {
        "type": "view", "product_id": "red", "query_id": "q", "rank": 2, "quantity": None, "price": None
    }  # fmt: skip
    with shop.application.app_context():
        engine = get_engine()
    hashed = engine.recommender.events.key_of(ANNA)

    def files_with_her():
        return [path.name for path, data in stored_bytes(engine.home, "*").items() if hashed in data]

    assert files_with_her()
    first = shop.delete(f"/api/v1/visitors/{ANNA}")
    assert files_with_her() == []  # in no byte of the shop
    assert stored(shop) == [] and len(stored(shop, BERT)) == 1
    second = shop.delete(f"/api/v1/visitors/{ANNA}")  # nothing is there any more, and the answer does not say so
    assert (first.status_code, first.data) == (second.status_code, second.data) == (204, b"")
    assert [name for name, _ in first.headers] == [name for name, _ in second.headers]


@pytest.mark.promise("P2")
def test_statistics_do_not_count_a_visitor_who_was_forgotten(made):
    client = made()
    with client.application.app_context():
        recommender = get_engine().recommender
    sent(client, ANNA, "green")
    assert "green" in recommender._refresher.refresh().popular
    client.delete(f"/api/v1/visitors/{ANNA}")
    assert "green" not in recommender._refresher.refresh().popular


@pytest.mark.parametrize("visitor", ["v", "12345678901234567", "maria.mueller@mail.example", "a" * 40, "short-id"])
def test_an_id_that_can_be_guessed_is_forgotten_only_by_the_shop(shop, visitor):
    sent(shop, visitor)
    for headers in ({}, {"Authorization": f"Bearer {SEARCH_KEY}"}):
        answer = shop.delete(f"/api/v1/visitors/{visitor}", headers=headers)
        assert answer.status_code == 422 and "can be guessed" in answer.json["error"]["message"]
    assert stored(shop, visitor)
    headers = {"Authorization": f"Bearer {WRITE_KEY}"}
    assert shop.delete(f"/api/v1/visitors/{visitor}", headers=headers).status_code == 204
    assert stored(shop, visitor) == []


def test_an_id_with_a_slash_can_be_forgotten_too(shop):
    sent(shop, "customer/7")
    path = "/api/v1/visitors/customer%2F7"
    assert shop.get(path, headers=OWNER).json["events"]
    assert shop.delete(path, headers={"Authorization": f"Bearer {WRITE_KEY}"}).status_code == 204
    assert shop.get(path, headers=OWNER).json["events"] == []


@pytest.mark.parametrize(("key", "status"), [(None, 401), (SEARCH_KEY, 403), (READ_KEY, 403), (WRITE_KEY, 403)])
def test_what_is_stored_is_for_the_owner_alone(shop, key, status):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    assert shop.get(f"/api/v1/visitors/{ANNA}", headers=headers).status_code == status


def test_the_log_of_requests_has_no_visitor(shop, caplog):
    caplog.set_level(logging.INFO)
    shop.delete(f"/api/v1/visitors/{BERT}")
    stored(shop, BERT)
    assert shop.put(f"/api/v1/visitors/{BERT}").status_code == 405
    assert shop.post(f"/api/v1/visitors/{BERT}/outlook").status_code == 405
    assert shop.get(f"/api/v1/visitors/{BERT}/none").status_code in (404, 422, 401, 403)
    lines = [record for record in caplog.records if record.name == "web.requests"]
    assert len(lines) == 5 and BERT not in "".join(str(vars(record)) for record in lines)
    assert lines[0].facts["path"] == "/api/v1/visitors/<id:visitor>"


def test_a_visitor_id_that_cannot_be_stored_is_refused(shop):
    for path in ("/api/v1/visitors/" + "a1b2c3d4" * 20, "/api/v1/visitors/%01"):
        assert shop.get(path, headers=OWNER).status_code == 422


def test_an_unexpected_exception_leaks_nothing(shop, monkeypatch):
    def raises(*_):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    for name in ("forget", "events_of"):
        monkeypatch.setattr(f"search.recommend.recommender.Recommender.{name}", raises)
    for answer in (shop.delete(f"/api/v1/visitors/{ANNA}"), shop.get(f"/api/v1/visitors/{ANNA}", headers=OWNER)):
        assert answer.status_code == 500 and "SELECT" not in answer.text


def test_events_are_stored_as_long_as_the_settings_say(made):
    client = made(event_days=30, event_rows=3)
    with client.application.app_context():
        log = get_engine().recommender.events
    assert (log.limits.days, log.limits.rows) == (30, 3)
    for number in range(5):
        sent(client, f"visitor-of-settings-{number}")
    assert log.count() == 3
