"""Requests beyond the threads wait, those beyond the queue get 503, and what a page or a probe needs never waits."""

import threading
from contextlib import contextmanager

import pytest
from flask import g

from search.engine import SearchEngine
from tests.timing import wait_for
from tests.web.middleware.test_metrics import read
from tests.web.shop_fixtures import picture_bytes
from web.admission import EXTENSION, _leave
from web.engine import holder_of
from web.settings import Settings

SEARCH = "/api/v1/search"


@pytest.fixture
def app(make_app, home):
    app = make_app(Settings(home=home, threads=1, queue=1, timeout_ms=60_000))
    holder_of(app).wait(300)
    return app


@pytest.fixture
def busy(app, monkeypatch):
    """Occupy the only slot by a search; gives the search's answer once the block is over."""

    @contextmanager
    def busy():
        entered, over, answers = threading.Event(), threading.Event(), []
        whole = SearchEngine.search

        def hanging(engine, query):
            entered.set()
            assert over.wait(300)
            return whole(engine, query)

        with monkeypatch.context() as patch:
            patch.setattr(SearchEngine, "search", hanging)
            thread = threading.Thread(target=lambda: answers.append(ask(app)))
            thread.start()
            assert entered.wait(300)
            patch.undo()
            try:
                yield answers
            finally:
                over.set()
                thread.join(300)

    return busy


def ask(app, **options):
    return app.test_client().post(SEARCH, json={"text": "red"} | options)


def waiting(app):
    return app.extensions[EXTENSION].counts().pending


def test_one_waits_and_the_next_is_told_when_to_come_back(app, busy):
    with busy() as answers:
        waited = []
        thread = threading.Thread(target=lambda: waited.append(ask(app)))
        thread.start()
        wait_for(lambda: waiting(app) == 1)
        refused = ask(app)
        assert (refused.status_code, refused.json["error"]["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1 and refused.json["request_id"]
        assert read(app.test_client())["windowshop_queue_length", "requests"] == 1
    thread.join(300)
    assert [answer.status_code for answer in (*answers, *waited)] == [200, 200]
    told = read(app.test_client())
    assert told["windowshop_queue_length", "requests"] == 0
    assert told["windowshop_queue_dropped_total", "full", "requests"] == 1
    assert told["windowshop_queue_wait_seconds_count", "requests"] >= 2
    assert told["windowshop_batch_rows_count", "encoder of texts"] >= 2
    assert told["windowshop_batch_rows_sum", "encoder of texts"] >= 2
    assert told["windowshop_step_seconds_count", "queue"] == 1


def test_a_page_says_that_the_shop_is_busy(app, busy):
    with busy():
        thread = threading.Thread(target=lambda: ask(app))
        thread.start()
        wait_for(lambda: waiting(app) == 1)
        page = app.test_client().get("/?q=red")
        assert page.status_code == 503 and b"very busy" in page.data and page.headers["Retry-After"]
    thread.join(300)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/static/shop.css", "/nowhere"])
def test_what_takes_no_slot_never_waits(app, busy, path):
    with busy():
        assert app.test_client().get(path).status_code == (404 if path == "/nowhere" else 200)


def test_a_time_that_has_gone_by_in_the_queue_is_refused_before_any_work(app, busy, monkeypatch):
    """The request allows less time than it waited, which is known only once its body is read."""
    with busy():
        late = []
        thread = threading.Thread(target=lambda: late.append(ask(app, timeout_ms=1, image="not looked at")))
        thread.start()
        wait_for(lambda: waiting(app) == 1)
        threading.Event().wait(0.005)
    thread.join(300)
    assert (late[0].status_code, late[0].json["error"]["code"]) == (503, "overloaded")


def test_slots_are_free_again_whatever_became_of_their_requests(app, monkeypatch):
    def broken(engine, query):
        raise ZeroDivisionError

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(SearchEngine, "search", broken)
            assert ask(app).status_code == 500
        assert app.test_client().post(SEARCH, data=b"{", content_type="application/json").status_code == 400
        assert app.test_client().post(SEARCH, data={"image": (picture_bytes(), "a.png")}).status_code in (200, 422)
    assert ask(app).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "counts"), [("POST", SEARCH, True), ("GET", "/", True), ("PUT", "/api/v1/products/a", False)]
)
def test_only_shoppers_requests_say_how_long_requests_take(app, monkeypatch, method, path, counts):
    held = []
    monkeypatch.setattr(app.extensions[EXTENSION], "leave", held.append)
    with app.test_request_context(path, method=method):
        g.admitted_at = 0.0
        _leave(None)
    assert held == [60.0 if counts else None]
