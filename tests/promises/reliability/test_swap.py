"""R3: a re-index swaps atomically and without downtime, under queries through the app; a rollback is as quick."""

import threading
import time
from pathlib import Path

import pytest

from indexer.build.build import build_index
from indexer.generations import store
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import save_picture
from tests.timing import Lateness, wait_for
from web import create_app
from web.engine import holder_of
from web.settings import Settings

ROUNDS = 20
QUERIES = [{"text": "red thing", "k": 50}, {"text": "blue", "k": 7}, {"product_id": "always", "k": 50}]


def feed_of(folder, number):
    """Twelve products of that round alone, and one of all rounds."""
    shown = [save_picture(folder, (255, 9 * each, number)) for each in range(12)]
    rows = [f"{number}-{each},thing {number},{Path(picture.path).name}" for each, picture in enumerate(shown)]
    path = folder / f"feed-{number}.csv"
    path.write_text("\n".join(["id,title,image", f"always,red thing,{Path(shown[0].path).name}", *rows]) + "\n")
    return path


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setattr("search.engine.open_encoder", lambda name, **_: FakeEncoder())
    build_index(tmp_path / "shop", feed_of(tmp_path / "feed", 1), FakeEncoder())
    app = create_app(Settings(home=tmp_path / "shop", follow_seconds=0.05, timeout_ms=60_000))
    holder_of(app).wait(300)
    yield app
    holder_of(app).close()


PAUSE = 0.05  # seconds between a shopper's questions


class Shopper(threading.Thread):
    """Asks until told to stop; keeps every answer's status, generation and ids."""

    def __init__(self, app, stop):
        super().__init__()
        self._client, self._stop_it, self.answers = app.test_client(), stop, []

    def run(self):
        while not self._stop_it.wait(PAUSE):
            for asked in QUERIES:
                answer = self._client.post("/api/v1/search", json=asked)
                ids = [hit["id"] for hit in answer.json.get("hits", [])]
                self.answers.append((answer.status_code, answer.json.get("generation"), ids))

    def has_seen(self, number):
        """Whether the newest answers to all questions are of that generation."""
        return {generation for _, generation, _ in self.answers[-len(QUERIES) :]} == {number}


def wait_until_served(app, number, limit=2.0):
    """Wait until that generation is served; return the seconds, less how late this machine was."""
    client = app.test_client()
    with Lateness() as wait:
        while client.get("/readyz").json["generation"] != number:
            assert wait.within(limit), f"generation {number} is not served yet"
            time.sleep(0.005)
    return wait.seconds - wait.late


@pytest.mark.promise("R3")
def test_twenty_swaps_under_queries(app, tmp_path):
    stop = threading.Event()
    shoppers = [Shopper(app, stop) for _ in range(2)]
    for shopper in shoppers:
        shopper.start()
    try:
        for number in range(2, ROUNDS + 2):
            build_index(tmp_path / "shop", feed_of(tmp_path / "feed", number), FakeEncoder())
            wait_until_served(app, number)
            wait_for(lambda seen=number: all(shopper.has_seen(seen) for shopper in shoppers))
        store.make_current(tmp_path / "shop", ROUNDS)
        rolled_back = wait_until_served(app, ROUNDS, limit=1.0)
        wait_for(lambda: all(shopper.has_seen(ROUNDS) for shopper in shoppers))
    finally:
        stop.set()
        for shopper in shoppers:
            shopper.join()

    answers = [answer for shopper in shoppers for answer in shopper.answers]
    assert {status for status, _, _ in answers} == {200}
    assert {generation for _, generation, _ in answers} == set(range(1, ROUNDS + 2))
    assert rolled_back < 1.0
    for _, generation, ids in answers:
        rounds = {int(each.partition("-")[0]) for each in ids if each != "always"}
        # The catalogue changes a moment before the pointer moves: the next round's products are then live.
        assert rounds <= {generation, generation + 1}, f"generation {generation} gave products of {rounds}"
        assert len(set(ids)) == len(ids)
    assert app.test_client().post("/api/v1/search", json=QUERIES[0]).json["hits"]
