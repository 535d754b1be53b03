"""Milvus is killed in the middle, and comes back: errors are ours and soon, and nothing that was written is lost."""

import time
from contextlib import nullcontext

import numpy as np
import pytest

from catalog.errors import VectorsUnavailable
from indexer.vectors.milvus import connection as connection_module
from search.state.live_rows import LiveRows
from tests.indexer.vectors.engines import DIM, MilvusEngine, Rows
from tests.indexer.vectors.test_live_rows import rows_of

ROWS = Rows(count=200, seed=6)
MANY_SECONDS = 60


def searched_again(vectors, query):
    """What the first search that succeeds finds."""
    deadline = time.monotonic() + MANY_SECONDS
    while True:
        try:
            return vectors.search(query, 5)[1].tolist()
        except VectorsUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.promise("R22", "milvus-lite over gRPC, killed once")
def test_a_server_killed_in_the_middle_loses_nothing(milvus_server, tmp_path, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", milvus_server.address)
    shop = MilvusEngine(tmp_path / "shop")
    vectors = shop.write(1, ROWS)
    live = LiveRows.none(DIM, vectors.live).changed({5, 6}, {5: rows_of(5), 6: rows_of(6)})
    query = ROWS.queries(1)[0]
    expected = ROWS.best(query, 5)[1].tolist()
    assert vectors.search(query, 5)[1].tolist() == expected

    milvus_server.kill()
    try:
        for attempt in ("found out", "refused at once"):
            with pytest.raises(VectorsUnavailable, match="Milvus at milvus://127") as raised:
                vectors.search(query, 5)
            assert "WINDOWSHOP_VECTORS" in raised.value.hint, attempt
        with pytest.raises(VectorsUnavailable):
            live.changed({7}, {7: rows_of(7)})
        opened = shop.open(1)  # a shop opens without it, for its texts
        with pytest.raises(VectorsUnavailable):
            opened.rows[0]
    finally:
        milvus_server.start()

    assert searched_again(vectors, query) == expected
    assert searched_again(opened, query) == expected
    live = live.changed({7}, {7: rows_of(7)})
    assert live.best(rows_of(6).vectors[0], 1).tolist() == [1]
    assert live.best(rows_of(7).vectors[0], 1).tolist() == [2]
    assert np.asarray(shop.open(1).rows[:]).tolist() == ROWS.vectors.tolist()


def test_after_a_failure_calls_are_refused_for_a_moment(monkeypatch):
    address = connection_module.MilvusAddress("127.0.0.1", 9)  # the port of discard: nobody listens
    connection = connection_module.MilvusConnection(address)
    pytest.importorskip("pymilvus")
    with pytest.raises(VectorsUnavailable, match="does not answer"):
        connection.write("list_collections")
    monkeypatch.setattr(connection_module, "_pymilvus", None)  # it would fail with TypeError if it tried
    monkeypatch.setattr(connection, "_refused_until", time.monotonic() + MANY_SECONDS)
    with pytest.raises((VectorsUnavailable, TypeError)) as raised:
        connection._connected()
    assert raised.type is VectorsUnavailable


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (2, 3), (9, 3)])
def test_a_connection_that_fails_at_once_is_opened_again(monkeypatch, failures, calls):
    opened = []

    class Milvus:
        def MilvusClient(self, **_):  # noqa: N802
            opened.append(self)
            if len(opened) <= failures:
                raise OSError("Too many pings")
            return self

    monkeypatch.setattr(connection_module, "_pymilvus", Milvus)
    connection = connection_module.MilvusConnection(connection_module.MilvusAddress("127.0.0.1", 9))
    with pytest.raises(VectorsUnavailable) if failures > 2 else nullcontext():
        assert isinstance(connection._connected(), Milvus)
    assert len(opened) == calls
