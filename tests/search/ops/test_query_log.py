"""The query log: entries are counted, bounded in number, length and age, and redacted."""

import threading

import pytest

from search.ops.query_log import (
    DAY_S,
    DELETE_EVERY,
    EMPTY,
    FOUND_FACTOR,
    MAX_CHARACTERS,
    MAX_DAYS,
    SLOW,
    QueryLog,
    redact,
)
from search.ops.search_counts import SearchCounts


def words(log, kind=EMPTY, now=1_010):
    return [entry["words"] for entry in log.most_frequent(kind, now=now)]


def test_equal_queries_are_counted_and_the_most_frequent_come_first(tmp_path):
    log = QueryLog(tmp_path)
    assert log.most_frequent(EMPTY) == [] and not (tmp_path / "questions.sqlite").exists()
    for at, text in enumerate(("Red  Hat", "red hat", "boot")):
        assert log.add(EMPTY, text, 10.0 * at, now=1_000 + at)
    log.add(SLOW, "boot", 900.0, now=1_005)
    assert log.most_frequent(EMPTY, now=1_010) == [
        {"words": "red hat", "times": 2, "at": 1_001, "ms": 10.0},
        {"words": "boot", "times": 1, "at": 1_002, "ms": 20.0},
    ]
    assert words(QueryLog(tmp_path), SLOW) == ["boot"]
    log.clear()
    assert words(log) == words(log, SLOW) == []


def test_a_file_that_the_counts_of_searches_made_is_read(tmp_path):
    SearchCounts(tmp_path).add("mug", True, ["m1"])
    log = QueryLog(tmp_path)
    assert log.most_frequent(EMPTY) == [] and log.found(1) == {}
    assert log.add(EMPTY, "sofa", 5.0) and [row["words"] for row in log.most_frequent(EMPTY)] == ["sofa"]


def test_the_number_and_the_age_of_entries_are_limited(tmp_path):
    log = QueryLog(tmp_path, max_queries=3)
    log.add(SLOW, "slow", 1.0, now=100)
    for number in range(10):
        log.add(EMPTY, f"q{number}", 1.0, now=100 + number)
    assert sorted(words(log)) == ["q7", "q8", "q9"] and words(log, SLOW) == ["slow"]
    later = 110 + MAX_DAYS * DAY_S
    log.add(EMPTY, "later", 1.0, now=later)
    assert words(log, now=later) == ["later"] and words(log, SLOW, now=later) == []


def test_old_entries_are_deleted_without_a_new_query(tmp_path):
    log = QueryLog(tmp_path)
    log.add(EMPTY, "hat", 1.0, now=100)
    assert words(log, now=100 + MAX_DAYS * DAY_S) == ["hat"]
    assert words(log, now=101 + MAX_DAYS * DAY_S) == words(log, now=100) == []
    assert (tmp_path / "questions.sqlite").stat().st_mode & 0o077 == 0


def test_found_queries_count_until_they_find_nothing(tmp_path):
    log = QueryLog(tmp_path)
    assert log.found(1) == {} and not (tmp_path / "questions.sqlite").exists()
    for at in range(3):
        assert log.add_found("Red  Hat", now=1_000 + at)
    log.add_found("boot", now=1_000)
    assert log.found(1, now=1_010) == {"red hat": 3, "boot": 1} and log.found(2, now=1_010) == {"red hat": 3}
    log.add(EMPTY, "red hat", 1.0, now=1_005)
    assert log.found(1, now=1_010) == {"boot": 1}
    log.add_found("red hat", now=1_006)
    assert log.found(1, now=1_010) == {"red hat": 4, "boot": 1}
    assert log.found(1, now=1_010 + MAX_DAYS * DAY_S) == {} and words(log, SLOW) == []


def test_many_found_queries_count_at_once(tmp_path):
    log = QueryLog(tmp_path)
    assert log.add_found_many([("Mug", 1_000.0), ("bob@shop.example", 1_001.0), ("mug", 1_002.0)])
    assert log.found(1, now=1_010) == {"mug": 2, "…": 1}
    assert not log.add_found_many([("", 1_000.0)])


def test_the_number_of_found_queries_is_limited(tmp_path):
    log = QueryLog(tmp_path, max_queries=2)
    for number in range(DELETE_EVERY):
        log.add_found(f"q{number}", now=100 + number)
    assert len(log.found(1, now=300)) == 2 * FOUND_FACTOR and "q99" in log.found(1, now=300)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Write to Bob@Example.com now", "write to … now"),
        ("call +49 (170) 123-4567", "call …"),
        ("4006381333931", "…"),
        ("size 42 boots 2024", "size 42 boots 2024"),
        ("a\nb\x00c", "a b c"),
        ("x" * 500, "x" * MAX_CHARACTERS),
        ("  ", ""),
        ("红色 围巾", "红色 围巾"),
    ],
)
def test_addresses_and_long_numbers_are_redacted(text, stored):
    assert redact(text) == stored


def test_threads_may_write_at_the_same_time(tmp_path):
    logs = [QueryLog(tmp_path) for _ in range(4)]
    stored = []

    def search(log):
        stored.extend(log.add(EMPTY, "hat", 1.0) for _ in range(25))

    threads = [threading.Thread(target=search, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logs[0].most_frequent(EMPTY)[0]["times"] == sum(stored) >= 50


def test_a_file_that_is_no_log_costs_only_the_entry(tmp_path):
    (tmp_path / "questions.sqlite").write_bytes(b"something else" * 100)
    assert QueryLog(tmp_path).add(EMPTY, "hat", 1.0) is False
