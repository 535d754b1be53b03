"""The comparison with other libraries runs, and says which are missing."""

import runpy
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench.peers import compare
from tests.bench.peers.contestants import Contestant, FaissFastScan, FaissGraph
from tests.bench.peers.tuning import recall_of


class NotInstalled(Contestant):
    def build(self, rows, emphasis, folder):
        raise ModuleNotFoundError("No module named 'another'", name="another")

    def open(self, folder, rows, mask):
        raise AssertionError

    def search(self, query, k, effort, filtered=False):
        raise AssertionError


class Failing(FaissGraph):
    def search(self, query, k, effort, filtered=False):
        raise RuntimeError("no answer")


class Exact(FaissGraph):
    in_memory, filters, widths, refines = True, False, (1,), (1, 2)

    def build(self, rows, emphasis, folder):
        self.stored = rows.astype(np.float32)

    def open(self, folder, rows, mask):
        """Nothing."""

    def search(self, query, k, effort, filtered=False):
        return np.argsort(-(self.stored @ query))[:k]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    kinds = {
        "bad": Failing,
        "another": NotInstalled,
        "graph": FaissGraph,
        "exact": Exact,
        "lists": FaissFastScan,
    }
    rows = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float16)
    workload = compare.Workload.with_truth(rows, {"picture": rows[:5].astype(np.float32)}, np.ones(8, np.float32))
    workload.save(folder)
    with pytest.MonkeyPatch.context() as patch:
        # To collect all garbage of the session takes a second each time.
        patch.setattr(compare, "own_memory", lambda: 0.0)
        patch.setattr(compare, "CONTESTANTS", kinds)
        return compare.comparing_all(folder, step=compare.one_step)


def test_peers_are_compared_at_the_recall(report):
    for name, parts in (("graph", 2), ("lists", 2), ("exact", 1)):
        for part in ("picture", "picture, 5 %")[:parts]:
            assert report[name][part]["own"]["recall"] == 1.0
            assert report[name][part]["peer"]["recall"] >= 0.995
            assert report[name][part]["queries"] == 5
    assert report["exact"]["picture, 5 %"] == {"skipped": "takes no filter"}


def test_a_missing_library_is_named_and_a_failure_told(report):
    assert "another is not installed" in report["another"]["skipped"]
    assert "no answer" in report["bad"]["picture"]["skipped"]


def test_tables_have_a_line_for_each_peer(report):
    lines = report["tables"].splitlines()
    for name in ("bad", "another", "graph", "exact", "lists"):
        assert sum(line.startswith(f"| {name} |") for line in lines) == 2
    assert "takes no filter" in report["tables"]
    assert {line.count("|") for line in lines[:7]} == {lines[0].count("|")}


def test_a_process_that_fails_is_no_end_of_the_comparison(monkeypatch, tmp_path):
    monkeypatch.setattr(compare.sys, "executable", "/bin/false")
    assert "failed to build: the process ended with 1" in compare.in_own_process("build", "graph", tmp_path)["skipped"]


@pytest.mark.parametrize(
    ("printed", "figures"),
    [
        ('warning\n\nfigures: {"recall": 1.0}\nbye\n\n', {"recall": 1.0}),
        ('figures: {"recall": 0.9}', {"recall": 0.9}),
        ('{"recall": 1.0}\nbye\n', {"skipped": "failed to search: the process gave no figures"}),
        ("", {"skipped": "failed to search: the process gave no figures"}),
    ],
)
def test_figures_are_found_among_what_a_library_prints(printed, figures, monkeypatch, tmp_path):
    done = SimpleNamespace(returncode=0, stdout=printed)
    monkeypatch.setattr(compare.subprocess, "run", lambda *_, **__: done)
    assert compare.in_own_process("search", "graph", tmp_path) == figures


def test_a_step_prints_its_figures_as_they_are_looked_for(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(compare, "one_step", lambda *given: {"given": [*map(str, given)]})
    monkeypatch.setattr(compare.sys, "argv", ["peers", "build", "graph", "folder"])
    print("no end of line", end="")
    runpy.run_module("tests.bench.peers", run_name="__main__")
    done = SimpleNamespace(returncode=0, stdout=capsys.readouterr().out)
    monkeypatch.setattr(compare.subprocess, "run", lambda *_, **__: done)
    assert compare.in_own_process("build", "graph", tmp_path) == {"given": ["build", "graph", "folder"]}


def test_rows_that_the_filter_excludes_and_rows_found_twice_do_not_count():
    rows = np.eye(20, 4, dtype=np.float16)
    allowed = np.arange(20) % 2 == 0
    query = np.zeros((1, 4), np.float32)  # all rows score 0
    for found, recall in (([*range(10)], 0.5), ([*range(0, 20, 2)], 1.0), ([0] * 10, 0.1), ([0, 2, -1], 0.2)):
        numbers = np.array(found, np.int64)
        assert recall_of(lambda _, n=numbers: n, rows, query, np.zeros(1, np.float32), allowed) == recall
