"""Files of events: imported once, in any order and after a kill; bad rows are named and stop nothing."""

import csv
import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import BadFeed
from search.recommend.events import event_import
from search.recommend.events.event_import import EventImport
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import DAY_S, EventLimits

ROOT = Path(__file__).parents[4]
NOW = 1_700_000_000
HEADER = "visitor,time,type,product_id,quantity,price\n"

# Imports a file in small batches, and dies before the nth statement that begins with some word.
IMPORTER = """
import os
import sys
from pathlib import Path
from search.recommend.events import event_import
from search.recommend.events.event_log import EventLog
event_import.BATCH_ROWS = 50
log = EventLog.open(Path(sys.argv[1]))
left = int(sys.argv[4])

def die(statement):
    global left
    left -= statement.startswith(sys.argv[3])
    if not left:
        os._exit(137)

log.file.db.set_trace_callback(die)
event_import.EventImport(log, set(), Path(sys.argv[1]) / "bad.csv").run(Path(sys.argv[2]))
"""


@pytest.fixture
def log(tmp_path):
    log = EventLog.open(tmp_path)
    yield log
    log.close()


def write(path, rows, header=HEADER):
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def lines(count, first=0):
    """Rows of baskets of three, in which every tenth row is there twice, as a till may write it."""
    rows = []
    for number in range(first, first + count):
        time = f"2023-{number // 90 % 12 + 1:02}-01T{number // 3 % 24:02}:00:00"
        row = f"v{number // 3 % 11},{time},purchase,p{number},2,1.50\n"
        rows += [row] * (2 if number % 10 == 0 else 1)
    return rows


def run(log, path, tmp_path, known=(), now=NOW):
    return EventImport(log, set(known), tmp_path / "bad.csv").run(path, now)


def test_a_file_is_imported(log, tmp_path):
    path = tmp_path / "log.csv.gz"
    text = "product_id,type,time,visitor,price,rank\np2,click,2023-01-02T10:00:00+02:00,w,,3\n"
    text += "p1,purchase,2023-01-01,v,0,\n"
    path.write_bytes(gzip.compress(text.encode()))
    report = run(log, path, tmp_path, {"p1"})
    assert (report.rows, report.added, report.on_unknown_products, report.unknown_products) == (2, 2, 1, {"p2"})
    first, second = log.iterate()
    assert (first.visitor, first.product_id, first.kind, first.price) == (log.key_of("v"), "p1", "purchase", 0.0)
    assert (second.visitor, second.rank, second.quantity) == (log.key_of("w"), 3, None)
    assert second.at - first.at == DAY_S + 8 * 3600


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_what_is_stored_is_not_added_again(log, tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(event_import, "BATCH_ROWS", at_once)
    rows = lines(200)
    assert run(log, write(tmp_path / "a.csv", rows[:150]), tmp_path).added == 150
    again = run(log, tmp_path / "a.csv", tmp_path)
    assert (again.added, again.already_stored) == (0, 150)
    longer = run(log, write(tmp_path / "b.csv", rows), tmp_path)  # a later export, which begins with the earlier one
    assert (longer.added, longer.already_stored) == (len(rows) - 150, 150)
    assert log.count() == len(rows) == len(list(log.iterate()))


@pytest.mark.parametrize("at_once", [1, 2, 3, 10_000])
def test_equal_rows_far_apart_are_as_many_events(log, tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(event_import, "BATCH_ROWS", at_once)
    one, *others = (f"v,2023-01-0{day},purchase,p,1,1\n" for day in range(1, 6))
    log.add([Event("view", "p", "v")], NOW)  # numbers do not begin with the import
    rows = [one, others[0], one, *others[1:], one]
    assert run(log, write(tmp_path / "a.csv", rows), tmp_path).added == 7
    again = run(log, tmp_path / "a.csv", tmp_path)
    assert (again.added, again.already_stored) == (0, 7)
    longer = run(log, write(tmp_path / "b.csv", [one, *rows, one]), tmp_path)
    assert (longer.added, longer.already_stored) == (2, 7)
    assert log.count() == 10 == len(list(log.iterate()))


@pytest.mark.parametrize(
    ("statement", "times"), [("INSERT INTO incoming", 170), ("INSERT INTO events", 3), ("COMMIT", 3)]
)
def test_an_import_that_was_killed_is_run_again(tmp_path, statement, times):
    path = write(tmp_path / "log.csv", lines(300))
    killed = subprocess.run(
        [sys.executable, "-c", IMPORTER, str(tmp_path), str(path), statement, str(times)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode == 137, killed.stderr
    log = EventLog.open(tmp_path)
    before = log.count()
    assert 100 <= before < 200
    report = run(log, path, tmp_path)
    assert (report.already_stored, report.added) == (before, 330 - before) and log.count() == 330
    log.close()


@pytest.mark.promise("R21", "100 bad rows of 1,000")
def test_a_hundred_bad_rows_of_a_thousand_events(log, tmp_path):
    bad = [
        "v,2023-01-01,steal,p,1,1\n",
        "v,yesterday,view,p,1,1\n",
        "v,2023-01-01,view,,1,1\n",
        ",2023-01-01,view,p,1,1\n",
        "v,2023-01-01,view,p,0,1\n",
        "v,2023-01-01,view,p,1,free\n",
        "v,2023-01-01,view,p,1,nan\n",
        "v,2099-01-01,view,p,1,1\n",
        "v,2023-01-01,view,p\n",
        'v,2023-01-01,view,"p,1,1\n',
        "v,1969-01-01,view,p,1,1\n",
        "v\udcff,2023-01-01,view,p,1,1\n",
        f"v,2023-01-01,view,{'p' * 70_000},1,1\n",
        "v\x00,2023-01-01,view,p,1,1\n",
        "v,2023-01-01,view,p,-1,1\n",
    ]
    rows = lines(820)[:900]
    for number in range(100):
        rows.insert(number * 9, bad[number % len(bad)])
    path = tmp_path / "log.csv"
    path.write_bytes((HEADER + "".join(rows)).encode("utf-8", "surrogateescape"))
    report = run(log, path, tmp_path)
    assert (report.rows, report.rejected, report.added, log.count()) == (1_000, 100, 900, 900)
    with (tmp_path / "bad.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [int(row["line"]) for row in listed] == [number * 9 + 2 for number in range(100)]
    assert all(row["reason"] for row in listed) and "the type is none of" in listed[0]["reason"]
    run(log, write(tmp_path / "good.csv", lines(3)), tmp_path)
    assert not (tmp_path / "bad.csv").exists()


def test_a_file_that_was_cut_off_gives_what_can_be_read(log, tmp_path):
    packed = gzip.compress((HEADER + "".join(lines(2_000))).encode())
    (tmp_path / "log.csv.gz").write_bytes(packed[: len(packed) // 2])
    report = run(log, tmp_path / "log.csv.gz", tmp_path)
    assert report.rejected in (1, 2) and 100 < report.added == log.count()  # the last row may be half a row
    assert "cannot be read further" in (tmp_path / "bad.csv").read_text()


@pytest.mark.parametrize("text", ["", "visitor,time,type\n", "\x00\x01", '"visitor\n'])
def test_a_file_without_the_columns_is_refused(log, tmp_path, text):
    with pytest.raises(BadFeed, match="there is no column"):
        run(log, write(tmp_path / "log.csv", [], text), tmp_path)
    (tmp_path / "log.csv.gz").write_bytes(b"not packed")
    with pytest.raises(BadFeed, match="cannot be read"):
        run(log, tmp_path / "log.csv.gz", tmp_path)


def test_imported_history_is_stored_as_long_as_events_are_from_the_import(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=30))
    run(log, write(tmp_path / "log.csv", lines(9)), tmp_path)
    log.add([Event("view", "p", "v")], NOW + 29 * DAY_S)
    assert log.count() == 11
    log.add([Event("view", "p", "v")], NOW + 31 * DAY_S)
    assert log.count() == 2
    log.close()


def test_a_visitor_s_id_is_in_no_file_after_an_import(log, tmp_path):
    path = write(
        tmp_path / "log.csv", ["visitor-of-old,2023-01-01,view,p,1,1\n", "visitor-of-old,2023-01-01,steal,p,1,1\n",
         "x,visitor-of-old,view,p,1,1\n", "x,2023-01-01,visitor-of-old,p,1,1\n",
         "x,2023-01-01,view,p,visitor-of-old,1\n", "x,2023-01-01,view,p,1,visitor-of-old\n"],
    )  # fmt: skip
    assert run(log, path, tmp_path).rejected == 5
    path.unlink()
    for other in tmp_path.iterdir():
        assert b"visitor-of-old" not in other.read_bytes(), other


def test_an_imported_week_protects_no_other_visitor(tmp_path):
    """The hash of a visitor ends with the visitor's own events, though an older imported week is stored longer."""
    log = EventLog.open(tmp_path, EventLimits(days=30))
    log.add([Event("view", "p", "gone")], NOW)
    run(log, write(tmp_path / "log.csv", ["old,2023-01-01,view,p,1,1\n"]), tmp_path, now=NOW + 25 * DAY_S)
    assert log.prune(NOW + 40 * DAY_S) == 1
    assert (log.overview().events, log.overview().visitors) == (1, 1)
    assert log.prune(NOW + 60 * DAY_S) == 1
    assert (log.overview().events, log.overview().visitors) == (0, 0)
    log.close()
