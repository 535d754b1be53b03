"""R18: readers and one writer agree with a model, while products come, change and go and generations are swapped.

The model is a dict from product id to colour. What a colour scores for a question is measured once, on a shop of its
own; an answer is right when it is the model's answer at some moment between the question and the answer.
"""

import random
import threading
import time

import numpy as np
import pytest

from catalog.storage.catalogue import Catalogue
from indexer.ann.index_plan import IndexPlan
from indexer.generations.store import open_current
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from search.query.terms import PictureTerm, Query
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import RED, WEIGHTS, Item, make_shop, picture, publish_rows
from tests.web.shop_fixtures import picture_bytes

COLOURS = [(red, green, blue) for red in (20, 120, 220) for green in (10, 130, 240) for blue in (0, 110)]
IDS = [f"p{number:02}" for number in range(16)]
QUESTIONS = [Query((PictureTerm(picture(colour)),), k=k, collapse=False) for colour in COLOURS[::3] for k in (4, 50)]


def colour_scores(home):
    """For each question, the score of each colour."""
    with make_shop(home, [Item("first", "thing", (RED,))]) as engine:
        for number, colour in enumerate(COLOURS):
            put(engine, f"c{number}", colour)
        pages = [engine.search(Query(question.terms, k=50, collapse=False)) for question in QUESTIONS]
        return [{hit.product.id: hit.score for hit in page.hits} for page in pages]


def put(engine, product_id, colour):
    engine.put(edit_of(product_id, {"title": "thing"}, [picture_bytes(colour, (16, 16), "PNG")]))


def expected(state, scores, k):
    """What the model answers: (id, score), best first, ties by id."""
    ranked = sorted((-scores[f"c{colour}"], product_id) for product_id, colour in state.items())
    return [(product_id, -score) for score, product_id in ranked[:k]]


class Writer:
    """Puts, removes and re-indexes; `states[v]` is the model after v writes, `done` how many are acknowledged."""

    def __init__(self, engine, home, seed):
        self.states, self.done, self._engine, self._home = [{}], 0, engine, home
        self._chance = random.Random(seed)
        self.swaps = 0

    def write(self):
        product_id, colour = self._chance.choice(IDS), self._chance.randrange(len(COLOURS))
        state = dict(self.states[-1])
        removes = product_id in state and self._chance.random() < 0.4
        if removes:
            del state[product_id]
        else:
            state[product_id] = colour
        self.states.append(state)
        if removes:
            self._engine.remove(product_id)
        else:
            put(self._engine, product_id, COLOURS[colour])
        self.done += 1
        if self.done % 25 == 0 and state:
            self._swap()

    def _swap(self):
        """Fold everything into a new generation, as a re-index does, and let the engine take it over."""
        snapshot = self._engine._live.served.snapshot
        keys = sorted(set(snapshot.found_keys().tolist()))
        rows = [snapshot.rows_of(key) for key in keys]
        owners = [key for key, each in zip(keys, rows, strict=True) for _ in each.hashes]
        hashes = [sha256.encode() for each in rows for sha256 in each.hashes]
        vectors = np.concatenate([each.vectors for each in rows]).astype(np.float32)
        publish_rows(
            self._home, FakeEncoder(), vectors, owners, hashes, IndexPlan("flat"), WEIGHTS, self._engine._catalogue.seq
        )
        self._engine.follow()
        self.swaps += 1


def read(engine, writer, scores, stop, seed, wrong, questions):
    """Ask until `stop`, and note each question, and every answer that the model never gave in that time."""
    chance = random.Random(seed)
    while not stop.is_set():
        number = chance.randrange(len(QUESTIONS))
        before = writer.done
        hits = engine.search(QUESTIONS[number]).hits
        after = writer.done + 1
        answer = [(hit.product.id, hit.score) for hit in hits]
        possible = writer.states[before : after + 1]
        if answer not in [expected(state, scores[number], QUESTIONS[number].k) for state in possible]:
            wrong.append((seed, number, before, after, answer))
        questions.append(number)


def agrees(tmp_path, readers, seconds=0, writes=0, reads=0, seed=7):
    """Check the answers for so many seconds, writes and questions of each reader at least; return the writer."""
    scores = colour_scores(tmp_path / "colours")
    home, wrong, stop = tmp_path / "shop", [], threading.Event()
    make_shop(home, [Item("first", "thing", (RED,))]).close()
    with SearchEngine(home, open_current(home), Catalogue.open(home / "catalog.sqlite"), FakeEncoder()) as engine:
        engine.remove("first")
        writer = Writer(engine, home, seed)
        questions = [[] for _ in range(readers)]
        threads = [
            threading.Thread(target=read, args=(engine, writer, scores, stop, seed + number, wrong, own))
            for number, own in enumerate(questions)
        ]
        for thread in threads:
            thread.start()
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end or writer.done <= writes or min(map(len, questions)) < reads:
                assert all(thread.is_alive() for thread in threads), f"seed {seed}: a reader has ended"
                writer.write()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert not wrong, f"seed {seed}: {len(wrong)} wrong, the first: {wrong[0]}"
    return writer


@pytest.mark.promise("R18")
def test_two_readers_and_a_writer_agree_with_a_model(tmp_path):
    writer = agrees(tmp_path, readers=2, writes=60, reads=60)
    assert writer.swaps > 1


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.promise("R18")
def test_eight_readers_and_a_writer_agree_with_a_model_for_a_minute(tmp_path):
    writer = agrees(tmp_path, readers=8, seconds=60)
    assert writer.swaps > 3
