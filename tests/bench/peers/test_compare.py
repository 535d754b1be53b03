"""The comparison with other libraries runs within limits, goes on where it ended, and says which are missing."""

import runpy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.bench.peers import compare, limits, steps
from tests.bench.peers.contestants import Contestant, FaissFastScan, FaissGraph
from tests.bench.peers.limits import Limits
from tests.bench.peers.tuning import Part, recall_of, side_by_side
from tests.bench.peers.workload import Workload


class NotInstalled(Contestant):
    packages = ("another-library",)

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


KINDS = {"bad": Failing, "another": NotInstalled, "graph": FaissGraph, "exact": Exact, "lists": FaissFastScan}
OPTIONS = compare.Options(peers=tuple(KINDS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    rows = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float16)
    workload = Workload.with_truth(rows, {"picture": rows[:5].astype(np.float32)}, np.ones(8, np.float32))
    workload.save(folder)
    return folder


@pytest.fixture(scope="module")
def report(folder):
    with pytest.MonkeyPatch.context() as patch:
        # To collect all garbage of the session takes a second each time.
        patch.setattr(steps, "own_memory", lambda: 0.0)
        for module in (steps, compare):
            patch.setattr(module, "CONTESTANTS", KINDS)
        return compare.comparing_all(folder, OPTIONS, steps.one_step)


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


def test_the_table_has_a_line_for_each_peer(report):
    lines = report["table"].splitlines()
    for line, name in zip(lines[2:], KINDS, strict=True):
        assert line.startswith(f"| {name} |" if name == "another" else f"| {name} (")
        assert "600 s, 10 GB |" in line
    assert "takes no filter" in report["table"]
    assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_what_is_more_with_ours_is_in_bold():
    costs = {"build_s": 2.0, "memory_mb": 1.0}
    times = {"recall": 1.0, "p50_ms": 0.5, "p99_ms": 3.0}
    peer = {"build_s": 1.0, "memory_mb": 9.0, "versions": {}, "load": [1.0, 2.0], "at": "", "commit": "", "limits": ""}
    few = {"queries": 10, "few": True, "own": times, "peer": times | {"recall": 0.9, "p99_ms": 2.0}}
    text = compare.table({"rows_mb": 1.0, "own": costs, "peer": peer | {"picture": few}}, "own")
    assert "| **2 / 1** | 1 and 1 mapped / 9 | 0.50 / 0.50; **3.00 / 2.00** (peer 0.900, 10 questions) |" in text


def test_what_was_measured_is_not_measured_again(report, folder, monkeypatch):
    measured = []

    def step(kind, name, _, limits):
        measured.append((kind, name))
        return {"skipped": "measured again"}

    for module in (steps, compare):
        monkeypatch.setattr(module, "CONTESTANTS", KINDS)
    before = {path: path.read_text() for path in folder.glob("*.json")}
    again = compare.comparing_all(folder, OPTIONS, step)
    assert (again["table"], measured) == (report["table"], [])
    compare.comparing_all(folder, replace(OPTIONS, limits=Limits(seconds=601)), step)
    assert measured == [("build", "another")]  # what failed may succeed within other limits
    monkeypatch.setattr(compare, "version", lambda package: "2" if package == "another-library" else "1")
    with pytest.raises(RuntimeError, match="nothing to compare with: measured again"):
        compare.comparing_all(folder, OPTIONS, step)
    assert measured[1:] == [("build", compare.OWN)]
    for path, text in before.items():
        path.write_text(text)


def test_a_slow_peer_gets_fewer_questions(monkeypatch):
    class Slow(Exact):
        time = 0.0

        def search(self, query, k, effort, filtered=False):
            Slow.time += 0.02
            return super().search(query, k, effort)

        @staticmethod
        def clock():
            return Slow.time

    rows = np.eye(20, 8, dtype=np.float16)
    peer, own = Slow(), Exact()
    for contestant in (peer, own):
        contestant.build(rows, None, None)
    queries = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
    part = Part(rows, queries, np.full(40, -9, np.float32))
    figures = side_by_side(own, peer, part, seconds=2.0)
    assert (figures["queries"], figures["few"]) == (20, True)  # of five searches each, two while tuning
    assert side_by_side(own, peer, part, seconds=0.1)["queries"] == 10
    assert not side_by_side(own, peer, part, seconds=60)["few"]


def test_a_process_that_fails_is_no_end_of_the_comparison(monkeypatch, tmp_path):
    monkeypatch.setattr(limits.sys, "executable", "/bin/false")
    assert "failed to build: the process ended with 1" in limits.in_own_process("build", "graph", tmp_path)["skipped"]


def printing(text, tmp_path):
    """Return a program that prints a text, whatever its arguments."""
    (tmp_path / "text").write_text(text)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ncat '{tmp_path}/text'\n")
    program.chmod(0o700)
    return str(program)


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
    monkeypatch.setattr(limits.sys, "executable", printing(printed, tmp_path))
    assert limits.in_own_process("search", "graph", tmp_path) == figures


def test_a_step_prints_its_figures_as_they_are_looked_for(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(steps, "one_step", lambda *given: {"given": [*map(str, given[:3])]})
    monkeypatch.setattr(limits, "limit_memory", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["peers", "build", "graph", "folder", "10", "5"])
    print("no end of line", end="")
    runpy.run_module("tests.bench.peers", run_name="__main__")
    printed = printing(capsys.readouterr().out, tmp_path)
    monkeypatch.setattr(limits.sys, "executable", printed)
    assert limits.in_own_process("build", "graph", tmp_path) == {"given": ["build", "graph", "folder"]}


def test_a_step_that_goes_over_its_limits_is_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "WAIT_S", 0.01)
    busy = tmp_path / "busy"
    busy.write_text("#!/bin/sh\nwhile :; do :; done\n")
    busy.chmod(0o700)
    monkeypatch.setattr(limits.sys, "executable", str(busy))
    ended = limits.in_own_process("build", "graph", tmp_path, Limits(seconds=0))
    assert ended["skipped"].startswith("did not finish to build in 0 s")


def test_a_process_gets_no_more_memory_than_its_limit():
    program = "from tests.bench.peers.limits import limit_memory; limit_memory(1); bytearray(2 * 10**9)"
    ended = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, check=False)
    assert "MemoryError" in ended.stderr


def test_rows_that_the_filter_excludes_and_rows_found_twice_do_not_count():
    rows = np.eye(20, 4, dtype=np.float16)
    allowed = np.arange(20) % 2 == 0
    query = np.zeros((1, 4), np.float32)  # all rows score 0
    for found, recall in (([*range(10)], 0.5), ([*range(0, 20, 2)], 1.0), ([0] * 10, 0.1), ([0, 2, -1], 0.2)):
        numbers = np.array(found, np.int64)
        assert recall_of(lambda _, n=numbers: n, rows, query, np.zeros(1, np.float32), allowed) == recall
