"""Searches are counted a moment later, in one transaction, and before they are read."""

import threading

import pytest

from search.ops.query_log import EMPTY, QueryLog
from search.ops.search_counts import CountedSearch, SearchCounts
from tests.timing import wait_for
from web.middleware import count_writer
from web.middleware.count_writer import CountWriter


class Transactions(SearchCounts):
    """Notes how many searches each transaction has."""

    def __init__(self, home):
        super().__init__(home)
        self.sizes = []

    def add_many(self, searches):
        self.sizes.append(len(searches))
        return super().add_many(searches)


@pytest.fixture
def counts(tmp_path):
    return Transactions(tmp_path)


@pytest.fixture
def writer(tmp_path, counts):
    writer = CountWriter(QueryLog(tmp_path), counts)
    yield writer
    writer.close()


def test_searches_of_a_moment_are_one_transaction(writer, counts, monkeypatch):
    monkeypatch.setattr(writer, "start", lambda: None)
    for product in ("mug", "mug", "hat"):
        writer.add(CountedSearch.of("red", True, [product]))
    assert counts.shown() == {}, "no shopper waits for the file"
    writer.flush()
    assert counts.shown() == {"mug": 2, "hat": 1} and counts.sizes == [3]
    writer.flush()
    assert counts.sizes == [3]


def test_the_thread_writes_by_itself(tmp_path, counts, monkeypatch):
    monkeypatch.setattr(count_writer, "WRITE_SECONDS", 0.01)
    writer = CountWriter(QueryLog(tmp_path), counts)
    for _ in range(2):
        before = sum(counts.shown().values())
        writer.add(CountedSearch.of("red", True, ["mug"]))
        wait_for(lambda before=before: sum(counts.shown().values()) > before)
    writer.close()


def test_what_found_something_counts_as_of_then(writer, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "start", lambda: None)
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    writer.add_found("mug")
    log = QueryLog(tmp_path)
    log.add(EMPTY, "mug", 1.0, now=1_005)
    writer.flush()
    assert log.found(1, now=1_010) == {}, "it found nothing the last time"


def test_a_file_that_cannot_be_written_costs_the_counts_alone(writer, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "start", lambda: None)
    (tmp_path / "questions.sqlite").write_bytes(b"no database at all, and long enough to be looked at" * 40)
    writer.add(CountedSearch.of("red", True, ["mug"]))
    writer.add_found("red")
    writer.flush()


def test_a_search_writes_nothing_itself(client, app, monkeypatch):
    written = []
    monkeypatch.setattr(CountWriter, "flush", lambda writer: written.append(threading.current_thread()))
    assert client.post("/api/v1/search", json={"text": "red"}).status_code == 200
    assert threading.current_thread() not in written
