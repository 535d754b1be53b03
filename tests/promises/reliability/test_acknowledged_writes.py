"""R1: an acknowledged write is never lost. A writer is killed at random moments; what it acknowledged is there, once.

A killed process leaves the page cache behind, so this shows nothing about a loss of power; that rests on the order of
fsync and rename, which `search/live/picture_store.py` and SQLite keep.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog import images
from catalog.storage.catalogue import Catalogue
from indexer.generations.store import open_current
from search.engine import SearchEngine
from search.query.terms import PictureTerm, Query
from tests.fake_encoder import FakeEncoder
from tests.promises.writer import IDS, operations
from tests.search.shop_fixtures import RED, Item, make_shop, picture

ROOT = Path(__file__).parents[3]
SEED = 20_000
OPS = 200


def kill(child):
    """Kill a child; on a slow machine it may have done all its work and be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


class Writer:
    """The child writer's keeper."""

    def __init__(self, home, module="tests.promises.writer", ops=OPS):
        self._ops = ops
        command = [sys.executable, "-m", module, str(home)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def cycle(self, seed, chance):
        """Let a child write, kill it at some moment, and return how many operations it acknowledged."""
        self._process.stdin.write(f"{seed} {self._ops}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        acknowledged, enough, late = 0, chance.randrange(self._ops), chance.random() * 0.004
        if enough == 0:  # while it opens the shop, or soon after
            time.sleep(chance.random() * 0.05)
            kill(child)
        while (line := self._process.stdout.readline().strip()) != "ended":
            acknowledged = int(line)
            if acknowledged == enough:
                time.sleep(late)
                kill(child)
        return acknowledged

    def close(self):
        self._process.communicate("")


def after(model, done):
    """The model once these operations are done: id -> (title, price, number of pictures)."""
    state = dict(model)
    for operation in done:
        state.pop(operation.product_id, None)
        if operation.title:
            state[operation.product_id] = (operation.title, operation.price, len(operation.colours))
    return state


def written(home):
    """What the catalogue holds, every picture's file whole; and that a search finds just that, each product once."""
    with SearchEngine(home, open_current(home), Catalogue.open(home / "catalog.sqlite"), FakeEncoder()) as engine:
        engine.follow()
        found = [hit.product.id for hit in engine.search(Query((PictureTerm(picture(RED)),), k=200)).hits]
        products = [product for _, product in engine._catalogue.iterate()]
        prices = engine._catalogue.price_history
        assert [*prices.faults(), *prices.deep_faults()] == []
    assert len(set(found)) == len(found), f"doubled: {found}"
    assert sorted(found) == sorted(product.id for product in products)
    for product in products:
        for each in product.pictures:
            assert images.content_hash(Path(each.path).read_bytes()) == each.sha256, f"torn: {product.id}"
    return {product.id: (product.title, str(product.price), len(product.pictures)) for product in products}


def killed_and_reopened(home, cycles, seed):
    make_shop(home, [Item("kept", "kept")]).close()
    model = {"kept": ("kept", "None", 1)}
    writer, chance, total = Writer(home), random.Random(seed), 0
    try:
        for cycle in range(cycles):
            acknowledged = writer.cycle(seed + cycle, chance)
            done, found = operations(seed + cycle, OPS), written(home)
            lasting = [after(model, done[:acknowledged]), after(model, done[: acknowledged + 1])]
            assert found in lasting, f"seed {seed}, cycle {cycle}, {acknowledged} acknowledged"
            model, total = found, total + acknowledged
    finally:
        writer.close()
    assert total > cycles * OPS / 4 and set(model) <= {"kept", *IDS}
    return total


@pytest.mark.timeout(1200)
@pytest.mark.promise("R1")
def test_what_was_acknowledged_is_there_after_a_kill(tmp_path):
    killed_and_reopened(tmp_path, 50, SEED)


@pytest.mark.torture
@pytest.mark.timeout(6000)
@pytest.mark.promise("R1")
def test_what_was_acknowledged_is_there_after_five_hundred_kills(tmp_path):
    killed_and_reopened(tmp_path, 500, SEED + 1_000)
