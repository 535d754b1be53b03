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
from search.recommend.events.event_log import DAY_S, Event, EventLog

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
    log._db.set_trace_callback(die)
for number in range(int(sys.argv[2])):
    log.add([Event("view", f"{number}-{i}", "v") for i in range(10)], {now})
    print(number, flush=True)
""".replace("{now}", str(NOW))


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


def test_the_oldest_are_pruned_beyond_the_limit_of_rows(tmp_path):
    log = EventLog.open(tmp_path, max_rows=25)
    for number in range(10):
        log.add(views(*(f"{number}-{i}" for i in range(10))), NOW)
        assert log.count() <= 25
    assert [event.product_id for event in log.newest(99)][-1] == "7-5"
    log.close()


def test_the_oldest_are_pruned_beyond_the_limit_of_days(tmp_path):
    log = EventLog.open(tmp_path, max_days=2)
    log.add(views("old"), NOW)
    log.add(views("recent"), NOW + DAY_S)
    log.add(views("new"), NOW + 2 * DAY_S + 1)
    assert [event.product_id for event in log.newest(9)] == ["new", "recent"]
    log.add(views("much later"), NOW + 99 * DAY_S)
    assert [event.product_id for event in log.newest(9)] == ["much later"]
    log.close()


def test_the_file_stops_growing(tmp_path):
    sizes = []
    for _ in range(3):
        log = EventLog.open(tmp_path, max_rows=1_000)
        for _ in range(10):
            log.add(views(*["p" * 100] * 500), NOW)
        log.close()
        sizes.append(ShopHome(tmp_path).events.stat().st_size)
    assert sizes[-1] <= sizes[0] * 1.2 and sizes[-1] < 1_000_000


@pytest.mark.parametrize(
    ("statement", "times"), [("BEGIN", 4), ("INSERT INTO events", 36), ("DELETE", 7), ("DELETE", 8), ("COMMIT", 4)]
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
        db.execute("UPDATE about SET value = ? WHERE name = 'format'", (b"2",))
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
