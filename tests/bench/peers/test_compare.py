"""The comparison with other libraries runs, and says which are missing."""

import numpy as np

from tests.bench.peers import compare
from tests.bench.peers.contestants import Contestant, FaissGraph


class NotInstalled(Contestant):
    def build(self, rows, emphasis):
        raise ModuleNotFoundError("No module named 'another'", name="another")

    def search(self, query, k, effort, allowed=None):
        raise AssertionError


def test_a_graph_is_compared_and_a_missing_library_named(monkeypatch):
    monkeypatch.setattr(compare, "CONTESTANTS", {"graph": FaissGraph, "another": NotInstalled})
    rows = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float16)
    report = compare.comparing_rows(rows, {"picture": rows[:5].astype(np.float32)}, np.ones(8, np.float32))
    assert "another is not installed" in report["another"]["skipped"]
    for part in ("picture", "picture, 5 %"):
        assert report["graph"][part]["own"]["recall"] == 1.0
        assert report["graph"][part]["peer"]["recall"] >= 0.995
