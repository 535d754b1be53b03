"""Reading a cache beside its writer: what is whole is found, what is not is left out, and nobody is locked out."""

import numpy as np
import pytest

from indexer.cache.known_vectors import known_vectors
from indexer.cache.vector_cache import HEADER, VectorCache

KEYS = [bytes([number]) * 32 for number in range(6)]
VECTORS = np.arange(18, dtype=np.float32).reshape(6, 3)
RECORD = 32 + 12 + 4


@pytest.fixture
def path(tmp_path):
    with VectorCache(tmp_path / "cache", "f" * 64, 3) as cache:
        cache.put(KEYS, VECTORS)
    return tmp_path / "cache"


def test_those_asked_for_are_found(path):
    found = known_vectors(path, 3, [KEYS[4], KEYS[1], b"x" * 32])
    assert list(found) == [KEYS[4], KEYS[1]]
    assert found[KEYS[4]].tolist() == [12, 13, 14]


def test_a_later_record_wins_and_the_writer_is_not_disturbed(path):
    with VectorCache(path, "f" * 64, 3) as cache:
        cache.put(KEYS[:1], np.full((1, 3), 9, np.float32))
        assert known_vectors(path, 3, KEYS[:1])[KEYS[0]].tolist() == [9, 9, 9]


def test_a_file_in_many_blocks(path, monkeypatch):
    monkeypatch.setattr("indexer.cache.known_vectors._BLOCK", 2 * RECORD + 5)
    assert np.array_equal(np.stack(list(known_vectors(path, 3, KEYS).values())), VECTORS)


def test_what_is_not_whole_is_left_out(path):
    data = bytearray(path.read_bytes())
    data[HEADER + RECORD + 40] ^= 1
    path.write_bytes(data[:-1])
    assert list(known_vectors(path, 3, KEYS)) == [KEYS[0], *KEYS[2:5]]


def test_no_cache_and_another_encoders(path, tmp_path):
    assert known_vectors(tmp_path / "none", 3, KEYS) == {}
    assert known_vectors(path, 4, KEYS) == {}
    path.write_bytes(b"something else")
    assert known_vectors(path, 3, KEYS) == {}
