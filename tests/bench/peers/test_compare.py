"""The comparison with other libraries runs, and says which are missing."""

import numpy as np

from tests.bench.peers import compare
from tests.bench.peers.contestants import Contestant, FaissGraph


class NotInstalled(Contestant):
    def build(self, rows, emphasis):
        raise ModuleNotFoundError("No module named 'another'", name="another")

    def search(self, query, k, effort, allowed=None):
        raise AssertionError


class Failing(FaissGraph):
    def search(self, query, k, effort, allowed=None):
        raise RuntimeError("no answer")


def test_a_graph_is_compared_and_a_missing_library_named(monkeypatch):
    monkeypatch.setattr(
        compare, "own_memory", lambda: 0.0
    )  # to collect all garbage of the session takes a second each time
    monkeypatch.setattr(compare, "CONTESTANTS", {"bad": Failing, "another": NotInstalled, "graph": FaissGraph})
    rows = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float16)
    report = compare.comparing_rows(rows, {"picture": rows[:5].astype(np.float32)}, np.ones(8, np.float32))
    assert "another is not installed" in report["another"]["skipped"]
    assert "no answer" in report["bad"]["skipped"]
    for part in ("picture", "picture, 5 %"):
        assert report["graph"][part]["own"]["recall"] == 1.0
        assert report["graph"][part]["peer"]["recall"] >= 0.995


def test_rows_that_the_filter_excludes_and_rows_found_twice_do_not_count():
    rows = np.eye(20, 4, dtype=np.float16)
    allowed = np.arange(20) % 2 == 0
    query = np.zeros((1, 4), np.float32)  # all rows score 0
    for found, recall in (([*range(10)], 0.5), ([*range(0, 20, 2)], 1.0), ([0] * 10, 0.1), ([0, 2, -1], 0.2)):
        numbers = np.array(found, np.int64)
        assert compare.recall_of(lambda _, n=numbers: n, rows, query, np.zeros(1, np.float32), allowed) == recall
