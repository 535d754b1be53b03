"""The engine of an app: opened once, beside the running server, and honest while it is not there."""

import shutil
import threading
import time

import pytest

from catalog.errors import EncoderUnavailable, NoGeneration, StoreError
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from search.engine import SearchEngine
from tests.fake_encoder import FakeEncoder
from tests.timing import wait_for
from tests.web.shop_fixtures import make_shop
from web.engine import EngineHolder, holder_of
from web.errors import NotReady
from web.settings import Settings


def test_the_server_answers_before_the_engine_is_warm(home, make_app, monkeypatch):
    may_warm, warm_up = threading.Event(), SearchEngine.warm_up
    monkeypatch.setattr(SearchEngine, "warm_up", lambda self: may_warm.wait(300) and warm_up(self))
    app = make_app(Settings(home=home))
    client = app.test_client()

    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["ready"], ready.json["error"]["code"]) == (503, False, "not_ready")
    assert ready.headers["Retry-After"] == "2"
    search = client.post("/api/v1/search", json={"text": "red"})
    assert (search.status_code, search.json["error"]["code"]) == (503, "not_ready")
    assert search.headers["Retry-After"] == "2"
    page = client.get("/")
    assert page.status_code == 503
    assert '<meta http-equiv="refresh" content="2">' in page.text

    may_warm.set()
    holder_of(app).wait(300)
    facts = {"generation": 1, "products": 18, "pictures": 24, "live": 0, "degraded": []}
    assert client.get("/readyz").json == {"ready": True, **facts}
    assert client.post("/api/v1/search", json={"text": "red"}).status_code == 200


def test_a_shop_without_an_index_says_so_and_is_served_once_it_has_one(tmp_path, make_app, caplog):
    app = make_app(Settings(home=tmp_path / "shop", reopen_seconds=0.05))
    with pytest.raises(NoGeneration):
        holder_of(app).wait(300)
    client = app.test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "no_generation")
    assert str(tmp_path) not in answer.text
    assert str(tmp_path) in caplog.text
    assert client.get("/").status_code == 503

    make_shop(tmp_path / "shop", FakeEncoder())
    wait_for(lambda: client.get("/readyz").status_code == 200)


def test_a_catalogue_that_was_locked_is_tried_again(home, make_app, monkeypatch):
    opened, locked = SearchEngine.open, [StoreError("The catalogue is locked.")]

    def open_later(*given, **named):
        if locked:
            raise locked.pop()
        return opened(*given, **named)

    monkeypatch.setattr(SearchEngine, "open", open_later)
    client = make_app(Settings(home=home, reopen_seconds=0.05)).test_client()
    wait_for(lambda: client.get("/readyz").status_code == 200)
    assert not locked


def test_an_encoder_that_cannot_be_had_is_not_asked_for_again(home, make_app, monkeypatch, caplog, tmp_path):
    home = shutil.copytree(home, tmp_path / "own")  # servers of other tests may still be trying to open theirs
    tries = []

    def unavailable(where, **__):
        tries.append(where)
        raise EncoderUnavailable("/secret/model.onnx cannot be read.")

    monkeypatch.setattr(SearchEngine, "open", unavailable)
    app = make_app(Settings(home=home, reopen_seconds=0.01))
    with pytest.raises(EncoderUnavailable):
        holder_of(app).wait(300)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "encoder_unavailable")
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    time.sleep(0.1)
    assert tries.count(home) == 1


def test_a_bug_while_opening_is_logged_and_not_shown(home, make_app, monkeypatch, caplog):
    def broken(*_, **__):
        raise KeyError("secret")

    monkeypatch.setattr(SearchEngine, "open", broken)
    app = make_app(Settings(home=home))
    with pytest.raises(NotReady):
        holder_of(app).wait(300)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "not_ready")
    assert "secret" not in answer.text
    assert "KeyError" in caplog.text


def test_two_apps_have_two_engines(app, home, make_app):
    other = make_app(Settings(home=home))
    assert holder_of(other).wait(300) is not holder_of(app).engine()


@pytest.mark.usefixtures("make_app")  # its fake encoder
def test_the_shop_follows_changes_although_what_comes_after_a_generation_fails(tmp_path, caplog):
    make_shop(tmp_path / "shop", FakeEncoder())

    def fail(_):
        raise RuntimeError("no thread can be started")

    holder = EngineHolder(Settings(home=tmp_path / "shop", follow_seconds=0.01), fail)
    holder.start()
    try:
        engine = holder.wait(300)
        before = engine.status().products
        catalogue = Catalogue.open(ShopHome(tmp_path / "shop").catalogue)
        catalogue.remove([next(product_id for _, product_id in catalogue.ids())])
        catalogue.close()
        wait_for(lambda: engine.status().products == before - 1)
    finally:
        holder.close()
    assert "no thread can be started" in caplog.text
