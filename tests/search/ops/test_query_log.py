"""Questions kept for the operator: counted, bounded in number, length and time, without what tells of somebody."""

import threading

import pytest

from search.ops.query_log import DAY, EMPTY, LONGEST, MOST_DAYS, SLOW, QueryLog, redact


def words(log, kind=EMPTY, now=1_010):
    return [each["words"] for each in log.most(kind, now=now)]


def test_equal_questions_are_counted_those_asked_most_come_first(tmp_path):
    log = QueryLog(tmp_path)
    assert log.most(EMPTY) == [] and not (tmp_path / "questions.sqlite").exists()
    for at, text in enumerate(("Red  Hat", "red hat", "boot")):
        assert log.add(EMPTY, text, 10.0 * at, now=1_000 + at)
    log.add(SLOW, "boot", 900.0, now=1_005)
    assert log.most(EMPTY, now=1_010) == [
        {"words": "red hat", "times": 2, "at": 1_001, "ms": 10.0},
        {"words": "boot", "times": 1, "at": 1_002, "ms": 20.0},
    ]
    assert words(QueryLog(tmp_path), SLOW) == ["boot"]
    log.clear()
    assert words(log) == words(log, SLOW) == []


def test_so_many_of_each_kind_are_kept_and_none_for_long(tmp_path):
    log = QueryLog(tmp_path, most=3)
    log.add(SLOW, "slow", 1.0, now=100)
    for number in range(10):
        log.add(EMPTY, f"q{number}", 1.0, now=100 + number)
    assert sorted(words(log)) == ["q7", "q8", "q9"] and words(log, SLOW) == ["slow"]
    later = 110 + MOST_DAYS * DAY
    log.add(EMPTY, "later", 1.0, now=later)
    assert words(log, now=later) == ["later"] and words(log, SLOW, now=later) == []


def test_what_nobody_asks_any_more_is_forgotten_without_a_new_question(tmp_path):
    log = QueryLog(tmp_path)
    log.add(EMPTY, "hat", 1.0, now=100)
    assert words(log, now=100 + MOST_DAYS * DAY) == ["hat"]
    assert words(log, now=101 + MOST_DAYS * DAY) == words(log, now=100) == []
    assert (tmp_path / "questions.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Write to Bob@Example.com now", "write to … now"),
        ("call +49 (170) 123-4567", "call …"),
        ("4006381333931", "…"),
        ("size 42 boots 2024", "size 42 boots 2024"),
        ("a\nb\x00c", "a b c"),
        ("x" * 500, "x" * LONGEST),
        ("  ", ""),
        ("红色 围巾", "红色 围巾"),
    ],
)
def test_words_are_kept_without_addresses_and_long_numbers(said, kept):
    assert redact(said) == kept


def test_many_may_write_at_once(tmp_path):
    logs = [QueryLog(tmp_path) for _ in range(4)]
    kept = []

    def ask(log):
        kept.extend(log.add(EMPTY, "hat", 1.0) for _ in range(25))

    threads = [threading.Thread(target=ask, args=(log,)) for log in logs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert logs[0].most(EMPTY)[0]["times"] == sum(kept) >= 50


def test_a_file_that_is_no_log_costs_the_note_alone(tmp_path):
    (tmp_path / "questions.sqlite").write_bytes(b"something else" * 100)
    assert QueryLog(tmp_path).add(EMPTY, "hat", 1.0) is False
