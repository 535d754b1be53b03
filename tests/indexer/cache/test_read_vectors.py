"""Reading a cache without a lock while a build writes it: whole records are found, damaged ones are left out."""

import numpy as np
import pytest

from indexer.cache.vector_cache import HEADER_BYTES, VectorCache, read_vectors

KEYS = [bytes([number]) * 32 for number in range(6)]
VECTORS = np.arange(18, dtype=np.float32).reshape(6, 3)
RECORD = 32 + 12 + 4


@pytest.fixture
def path(tmp_path):
    with VectorCache(tmp_path / "cache", "f" * 64, 3) as cache:
        cache.put(KEYS, VECTORS)
    return tmp_path / "cache"


def test_requested_keys_are_found_in_their_order(path):
    found = read_vectors(path, 3, [KEYS[4], KEYS[1], b"x" * 32])
    assert list(found) == [KEYS[4], KEYS[1]]
    assert found[KEYS[4]].tolist() == [12, 13, 14]


def test_a_later_record_wins_and_the_writer_is_not_disturbed(path):
    with VectorCache(path, "f" * 64, 3) as cache:
        cache.put(KEYS[:1], np.full((1, 3), 9, np.float32))
        assert read_vectors(path, 3, KEYS[:1])[KEYS[0]].tolist() == [9, 9, 9]


def test_a_file_is_read_in_many_blocks(path, monkeypatch):
    monkeypatch.setattr("indexer.cache.vector_cache.READ_BYTES", 2 * RECORD + 5)
    assert np.array_equal(np.stack(list(read_vectors(path, 3, KEYS).values())), VECTORS)


def test_damaged_and_torn_records_are_left_out(path):
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + RECORD + 40] ^= 1
    path.write_bytes(data[:-1])
    assert list(read_vectors(path, 3, KEYS)) == [KEYS[0], *KEYS[2:5]]


def test_a_missing_file_and_another_encoders_file_give_nothing(path, tmp_path):
    assert read_vectors(tmp_path / "none", 3, KEYS) == {}
    assert read_vectors(path, 4, KEYS) == {}
    path.write_bytes(b"something else")
    assert read_vectors(path, 3, KEYS) == {}
    path.write_bytes(b"")
    assert read_vectors(path, 3, KEYS) == {}
