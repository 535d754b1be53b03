"""The event log: bounded, hashed, whole after a kill, readable while it is written, and closed to hostile input."""

import hashlib
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from catalog.errors import DamagedStore, NewerStore, StoreError
from catalog.home import ShopHome
from search.recommend.events import event_file
from search.recommend.events.event_log import Event, EventLog
from search.recommend.events.retention import DAY_S, EventLimits

ROOT = Path(__file__).parents[4]
NOW = 1_800_000_000

# Adds batches of ten and prints each; may die, as from a kill, before the nth statement that begins with some word.
ADDER = """
import os
import sys
from pathlib import Path
from search.recommend.events.event_log import Event, EventLog
log = EventLog.open(Path(sys.argv[1]))
left = int(sys.argv[4]) if len(sys.argv) > 4 else 0

def die(statement):
    global left
    if statement.startswith(sys.argv[3]):
        left -= 1
        if not left:
            os._exit(137)

if left:
    log.file.db.set_trace_callback(die)
for number in range(int(sys.argv[2])):
    log.add([Event("view", f"{number}-{i}", "v") for i in range(10)], {now})
    print(number, flush=True)
""".replace("{now}", str(NOW))


# Opens a log, and dies before a statement that begins with some word.
OPENER = """
import os
import sqlite3
import sys
from pathlib import Path
from search.recommend.events.event_log import EventLog

class Dying(sqlite3.Connection):
    def execute(self, statement, *rest):
        if statement.strip().startswith(sys.argv[2]):
            os._exit(137)
        return super().execute(statement, *rest)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **named: connect(*args, factory=Dying, **named)
EventLog.open(Path(sys.argv[1]))
"""


@pytest.fixture
def log(tmp_path):
    log = EventLog.open(tmp_path)
    yield log
    log.close()


def views(*ids, visitor="v"):
    return [Event("view", product_id, visitor) for product_id in ids]


def test_added_events_are_read_newest_first(log, tmp_path):
    assert log.add([Event("cart", "a", "v", "q", 3)], NOW) == 1
    log.add([Event("purchase", "b", "w")], NOW + 1)
    found = log.newest(10)
    assert [(event.at, event.kind, event.product_id) for event in found] == [
        (NOW + 1, "purchase", "b"),
        (NOW, "cart", "a"),
    ]
    assert log.newest(1) == found[:1] and log.newest(10, NOW + 1) == found[:1]
    assert (log.count(), log.last()) == (2, 2)
    other = EventLog.open(tmp_path)
    assert other.newest(10) == found
    other.close()


def test_no_visitor_is_stored_nor_can_be_guessed_without_the_shop_s_key(tmp_path):
    shops = [EventLog.open(tmp_path / name) for name in ("one", "two") if not (tmp_path / name).mkdir()]
    for shop in shops:
        shop.add(views("p", visitor="visitor-of-old") + views("q", visitor="visitor-of-old"), NOW)
    hashes = [{event.visitor for event in shop.newest(9)} for shop in shops]
    assert [len(visitors) for visitors in hashes] == [1, 1] and not hashes[0] & hashes[1]
    assert hashlib.blake2b(b"visitor-of-old", digest_size=16).digest() not in hashes[0] | hashes[1]
    for shop in shops:
        shop.close()
    for path in tmp_path.rglob("events*"):
        assert b"visitor-of-old" not in path.read_bytes()


def test_a_visitor_is_forgotten_on_request(log):
    log.add(views("a", "b") + views("c", visitor="w"), NOW)
    assert log.forget("v") == 2 and log.forget("nobody") == 0
    assert [event.product_id for event in log.newest(9)] == ["c"]


FORGETTER = """
import os
import sqlite3
import sys
from pathlib import Path
from search.recommend.events.event_log import EventLog

class Dying(sqlite3.Connection):
    armed = False

    def execute(self, statement, *rest):
        if Dying.armed and statement.startswith(sys.argv[2]):
            os._exit(137)
        return super().execute(statement, *rest)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **named: connect(*args, factory=Dying, **named)
log = EventLog.open(Path(sys.argv[1]))
Dying.armed = True
print(log.forget("visitor-7"), flush=True)
"""


@pytest.mark.parametrize(("statement", "forgotten"), [("COMMIT", False), ("PRAGMA wal_checkpoint", True)])
def test_a_kill_while_a_visitor_is_forgotten_leaves_all_events_or_none(tmp_path, statement, forgotten):
    log = EventLog.open(tmp_path)
    for week in range(5):
        log.add([Event("view", f"p{n}", f"visitor-{n}") for n in range(20)], NOW + week * 7 * DAY_S)
    log.close()
    killed = subprocess.run(
        [sys.executable, "-c", FORGETTER, str(tmp_path), statement], cwd=ROOT, capture_output=True, text=True
    )
    assert killed.returncode == 137 and not killed.stdout, killed.stderr
    log = EventLog.open(tmp_path)
    assert len(log.history("visitor-7")) == (0 if forgotten else 5)
    assert log.count() == (95 if forgotten else 100) == len(log.newest(999))
    assert log.forget("visitor-7") == (0 if forgotten else 5)
    log.close()
    for path in tmp_path.glob("events*"):
        assert log.key_of("visitor-7") not in path.read_bytes()


def test_no_file_has_a_visitor_who_was_forgotten_while_the_log_is_open(log, tmp_path):
    for day in range(300):
        log.add([Event("view", f"p{n}", f"visitor-{n * 7 % 50}") for n in range(day % 40)], NOW + day * DAY_S)
    keys = [log.key_of(f"visitor-{n}") for n in (7, 14, 28)]
    paths = [path for path in tmp_path.glob("events*") if not path.name.endswith("-shm")]
    for name, key in zip(("visitor-7", "visitor-14", "visitor-28"), keys, strict=True):
        assert any(key in path.read_bytes() for path in paths)
        events, last = log.count(), log.last()
        assert log.forget(name) == events - log.count() > 0
        assert log.last() > last
        assert not any(key in path.read_bytes() for path in paths)
    assert {event.visitor for event in log.newest(10**6)}.isdisjoint(keys)


@pytest.mark.parametrize("later", [lambda log: log.add(views("z", visitor="w"), NOW), lambda log: log.prune(NOW)])
def test_a_reader_delays_the_end_of_the_hash_and_stalls_nobody(log, tmp_path, monkeypatch, later):
    """While the removal waits for a reader, others read and write; after that reader the next one empties the log."""
    log.add(views("a", "b") + views("c", visitor="w"), NOW)
    wal, key, counts = tmp_path / f"{ShopHome(tmp_path).events.name}-wal", log.key_of("v"), []

    def read_and_write(seconds):
        if len(counts) < 3:
            counts.append(log.count())
            log.add(views("d", visitor="w"), NOW)

    monkeypatch.setattr(event_file, "sleep", read_and_write)
    with log.file.reading() as db:
        assert db.execute("SELECT count(*) FROM events").fetchone() == (3,)
        assert log.forget("v") == 2
        assert counts == [1, 2, 3]
        assert key in wal.read_bytes()
    later(log)
    assert wal.stat().st_size == 0
    assert key not in ShopHome(tmp_path).events.read_bytes()


def test_forgetting_an_unknown_visitor_does_no_more_than_look(log, tmp_path):
    log.add(views("a"), NOW)
    wal, last = tmp_path / f"{ShopHome(tmp_path).events.name}-wal", log.last()
    assert log.forget("nobody") == 0
    assert (wal.stat().st_size > 0, log.last()) == (True, last)
    log.forget("v")
    assert wal.stat().st_size == 0 and log.last() > last


def test_all_that_is_stored_about_a_visitor_is_exported(log):
    log.add([Event("purchase", "a", "v", quantity=2, price=1.5), Event("view", "b", "w")], NOW)
    log.add([Event("click", "c", "v", "q", 3)], NOW + 60)
    assert log.export("v") == {
        "visitor": log.key_of("v").hex(),
        "events": [
            {"time": "2027-01-15T08:00:00Z", "type": "purchase", "product_id": "a", "quantity": 2.0, "price": 1.5},
            {"time": "2027-01-15T08:01:00Z", "type": "click", "product_id": "c", "query_id": "q", "rank": 3},
        ],
    }
    assert log.export("nobody")["events"] == []


def test_a_history_is_in_the_order_of_its_events(log):
    log.add(views("a", "b", "c") + views("x", visitor="w"), NOW)
    log.add(views("d"), NOW + 30 * DAY_S)
    log.add(views("e"), NOW)
    assert [event.product_id for event in log.history("v")] == ["a", "b", "c", "e", "d"]
    assert [event.product_id for event in log.history("v", 2)] == ["e", "d"]


def test_the_oldest_are_pruned_beyond_the_limit_of_rows(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(rows=25))
    for number in range(10):
        log.add(views(*(f"{number}-{i}" for i in range(10))), NOW)
        assert log.count() <= 25
    assert [event.product_id for event in log.newest(99)][-1] == "7-5"
    log.close()


def test_the_oldest_are_pruned_beyond_the_limit_of_days(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=2))
    log.add(views("old"), NOW)
    log.add(views("recent"), NOW + DAY_S)
    log.add(views("new"), NOW + 2 * DAY_S + 1)
    assert [event.product_id for event in log.newest(9)] == ["new", "recent"]
    log.add(views("much later"), NOW + 99 * DAY_S)
    assert [event.product_id for event in log.newest(9)] == ["much later"]
    log.close()


def test_without_limits_everything_stays(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=0, rows=0))
    log.add(views("old"), 0)
    log.add(views("new"), NOW)
    assert [event.product_id for event in log.newest(9)] == ["new", "old"]
    log.close()


def test_newer_events_stay_when_the_clock_was_set_back(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=30))
    log.add(views("new"), NOW)
    log.add(views("early"), NOW - 300 * DAY_S)
    log.add(views("earlier"), NOW - 310 * DAY_S)
    assert [event.product_id for event in log.newest(9)] == ["new", "early", "earlier"]
    log.add(views("later"), NOW + DAY_S)  # the clock is right again
    assert [event.product_id for event in log.newest(9)] == ["later", "new"]
    log.close()


def test_visitors_whose_events_are_removed_are_removed(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=10))
    log.add(views("a", visitor="gone") + views("b", visitor="back"), NOW)
    log.add(views("c", visitor="back"), NOW + 9 * DAY_S)
    log.add(views("d", visitor="new"), NOW + 18 * DAY_S)
    found = log.overview()
    assert (found.events, found.visitors, found.first) == (2, 2, NOW + 9 * DAY_S)
    assert log.key_of("gone") not in ShopHome(tmp_path).events.read_bytes()
    log.close()


def test_old_events_are_removed_where_nobody_adds_any(tmp_path):
    log = EventLog.open(tmp_path, EventLimits(days=10))
    log.add(views("a"), NOW)
    assert log.prune(NOW + 9 * DAY_S) == 0
    assert log.prune(NOW + 11 * DAY_S) == 1 and log.count() == 0
    log.close()


def test_the_file_stops_growing(tmp_path):
    sizes = []
    for _ in range(3):
        log = EventLog.open(tmp_path, EventLimits(rows=1_000))
        for _ in range(10):
            log.add(views(*["p" * 100] * 500), NOW)
        log.close()
        sizes.append(ShopHome(tmp_path).events.stat().st_size)
    assert sizes[-1] <= sizes[0] * 1.2 and sizes[-1] < 1_000_000


@pytest.mark.parametrize(
    ("statement", "times"), [("BEGIN", 4), ("INSERT INTO events", 36), ("UPDATE about", 4), ("COMMIT", 4)]
)
def test_a_kill_within_the_fourth_batch_leaves_three_whole_ones(tmp_path, statement, times):
    killed = subprocess.run(
        [sys.executable, "-c", ADDER, str(tmp_path), "9", statement, str(times)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == 137, killed.stderr
    assert killed.stdout.split() == ["0", "1", "2"]
    log = EventLog.open(tmp_path)
    assert {event.product_id for event in log.newest(999)} == {f"{n}-{i}" for n in range(3) for i in range(10)}
    log.add(views("after"), NOW)
    assert log.count() == 31
    log.close()


def test_a_kill_at_any_time_loses_nothing_that_was_acknowledged(tmp_path):
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", ADDER, str(tmp_path), "100000"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            lines = [child.stdout.readline() for _ in range(20)]
            child.kill()
            lines.append(child.stdout.read())
        log = EventLog.open(tmp_path)
        counts = Counter(event.product_id.split("-")[0] for event in log.newest(10**6))
        assert all(count % 10 == 0 for count in counts.values())
        acknowledged = "".join(lines).split("\n")[:-1]  # what comes after the last line's end was cut off
        assert len(acknowledged) >= 20 and counts.keys() >= {*acknowledged}
        log.close()


def test_threads_and_readers_agree(log):
    reads = []

    def write(name):
        for number in range(20):
            log.add(views(*[f"{name}-{number}"] * 5), NOW)

    def read():
        while writers[0].is_alive():
            reads.append(log.count())

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in (*writers, reader):
        thread.join()
    assert log.count() == 300
    assert reads == sorted(reads) and all(count % 5 == 0 for count in reads)


def test_a_file_that_is_no_event_log_is_refused(tmp_path):
    ShopHome(tmp_path).events.write_bytes(b"certainly no database" * 100)
    with pytest.raises(DamagedStore, match="Move it away"):
        EventLog.open(tmp_path)
    ShopHome(tmp_path).events.unlink()
    with sqlite3.connect(ShopHome(tmp_path).events) as db:
        db.execute("CREATE TABLE things (x)")
    db.close()
    with pytest.raises(DamagedStore, match="no event log"):
        EventLog.open(tmp_path)
    with pytest.raises(StoreError):
        EventLog.open(tmp_path / "nowhere")


def test_a_newer_file_is_refused(tmp_path):
    EventLog.open(tmp_path).close()
    with sqlite3.connect(ShopHome(tmp_path).events) as db:
        db.execute("UPDATE about SET value = ? WHERE name = 'format'", (b"3",))
    db.close()
    with pytest.raises(NewerStore):
        EventLog.open(tmp_path)


def test_a_closed_log_says_so(tmp_path):
    log = EventLog.open(tmp_path)
    log.close()
    for use in (lambda: log.add(views("p")), log.count, lambda: log.newest(1)):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_hostile_words_are_stored_as_words(log):
    words = "x'); DROP TABLE events; --"
    log.add([Event("view", words, words, words)], NOW)
    assert [event.product_id for event in log.newest(9)] == [words]


# The tables as earlier versions wrote them.
FORMAT_1 = """
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind INTEGER NOT NULL,
        product_id TEXT NOT NULL, visitor BLOB NOT NULL, query_id TEXT, rank INTEGER);
"""


def write_format_1(path, count=500):
    """Write a log of format 1 whose first events were pruned; return its rows."""
    key = bytes(range(32))
    rows = []
    for number in range(10, count):
        visitor = hashlib.blake2b(f"v{number % 7}".encode(), key=key, digest_size=16).digest()
        clicked = ("q", number % 5 + 1) if number % 4 == 1 else (None, None)
        rows.append((number, NOW + number * 3_000, number % 4, f"p{number % 30}", visitor, *clicked))
    with sqlite3.connect(path) as db:
        db.executescript(FORMAT_1)
        db.execute("PRAGMA journal_mode = WAL")
        db.executemany("INSERT INTO about VALUES (?, ?)", [("format", b"1"), ("salt", key)])
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    db.close()
    return rows


@pytest.mark.promise("R10")
def test_an_older_log_is_brought_up_to_date_when_it_is_opened(tmp_path):
    rows = write_format_1(ShopHome(tmp_path).events)
    for _ in range(2):
        log = EventLog.open(tmp_path)
        found = [(e.at, e.product_id, e.visitor, e.query_id, e.rank) for e in reversed(log.newest(10**6))]
        assert found == [(at, product, visitor, *click) for _, at, _, product, visitor, *click in rows]
        assert (log.count(), log.last()) == (490, 499)
        assert len(log.history("v3")) == 70 == sum(row[4] == log.key_of("v3") for row in rows)
        log.close()
    log = EventLog.open(tmp_path)
    log.add(views("after"), NOW + 10**7)
    assert (log.count(), log.last()) == (491, 500)
    log.close()


@pytest.mark.promise("R10")
@pytest.mark.parametrize("statement", ["ALTER", "INSERT INTO events", "DROP", "COMMIT", "VACUUM"])
def test_an_older_log_survives_a_kill_while_it_is_brought_up_to_date(tmp_path, statement):
    write_format_1(ShopHome(tmp_path).events)
    killed = subprocess.run(
        [sys.executable, "-c", OPENER, str(tmp_path), statement], cwd=ROOT, capture_output=True, text=True
    )
    assert killed.returncode == 137, killed.stderr
    log = EventLog.open(tmp_path)
    assert (log.count(), log.last(), len(log.history("v3"))) == (490, 499, 70)
    log.close()
