"""The embedding cache: what went in comes out, torn or damaged records do not."""

import hashlib

import numpy as np
import pytest

from catalog.errors import GenerationError
from indexer.cache.vector_cache import HEADER_BYTES, VectorCache, cache_path, title_cache_key


def key(number):
    return hashlib.sha256(str(number).encode()).digest()


def vector(number):
    return np.array([number, 0.5, -1], np.float32)


def filled(path, count=3, fingerprint="fa"):
    with VectorCache(path, fingerprint, 3) as cache:
        cache.put([key(i) for i in range(count)], np.stack([vector(i) for i in range(count)]))
    return path


def test_vectors_come_back_bit_for_bit_after_reopening(tmp_path):
    path = filled(tmp_path / "c.vectors")
    with VectorCache(path, "fa", 3) as cache:
        assert len(cache) == 3
        np.testing.assert_array_equal(cache.get(key(2)), vector(2))
        assert cache.get(key(9)) is None
        cache.put([key(9)], vector(9)[None])
        np.testing.assert_array_equal(cache.get(key(9)), vector(9))
        cache.put([], np.zeros((0, 3), np.float32))
    with VectorCache(path, "fa", 3) as cache:
        assert len(cache) == 4


def test_a_later_record_of_the_same_content_wins(tmp_path):
    with VectorCache(tmp_path / "c.vectors", "fa", 3) as cache:
        cache.put([key(1)], vector(1)[None])
        cache.put([key(1)], vector(7)[None])
        np.testing.assert_array_equal(cache.get(key(1)), vector(7))
    with VectorCache(tmp_path / "c.vectors", "fa", 3) as cache:
        np.testing.assert_array_equal(cache.get(key(1)), vector(7))


def test_keys_that_begin_alike_are_distinguished(tmp_path):
    keys = [b"12345678" + bytes([last]) * 24 for last in range(3)]
    with VectorCache(tmp_path / "c.vectors", "fa", 3) as cache:
        cache.put(keys, np.stack([vector(i) for i in range(3)]))
    with VectorCache(tmp_path / "c.vectors", "fa", 3) as cache:
        assert [cache.get(full_key)[0] for full_key in keys] == [0, 1, 2]
        assert cache.get(b"12345678" + b"9" * 24) is None


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_all_records_are_found_however_they_are_read(tmp_path, monkeypatch, block):
    monkeypatch.setattr("indexer.cache.vector_cache.READ_BYTES", block)
    with VectorCache(filled(tmp_path / "c.vectors", 50), "fa", 3) as cache:
        assert [cache.get(key(i))[0] for i in range(50)] == list(range(50))


@pytest.mark.parametrize("lost", [1, 20, 48, 49, 96])
def test_a_torn_tail_is_cut_and_the_rest_stays(tmp_path, lost):
    path = filled(tmp_path / "c.vectors")
    path.write_bytes(path.read_bytes()[:-lost])
    remaining = 3 - -(-lost // 48)  # a record has 32 + 12 + 4 bytes
    with VectorCache(path, "fa", 3) as cache:
        assert len(cache) == remaining
        cache.put([key(5)], vector(5)[None])
    with VectorCache(path, "fa", 3) as cache:
        assert len(cache) == remaining + 1
        np.testing.assert_array_equal(cache.get(key(5)), vector(5))
        np.testing.assert_array_equal(cache.get(key(0)), vector(0))


def test_a_tail_of_zeros_from_a_power_cut_is_cut(tmp_path):
    path = filled(tmp_path / "c.vectors")
    path.write_bytes(path.read_bytes() + bytes(48 * 4 + 7))
    with VectorCache(path, "fa", 3) as cache:
        assert len(cache) == 3


@pytest.mark.parametrize("offset", [0, 31, 32, 43, 44, 47])
def test_a_damaged_record_in_the_middle_is_as_good_as_absent(tmp_path, offset):
    path = filled(tmp_path / "c.vectors")
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + 48 + offset] ^= 1
    path.write_bytes(data)
    with VectorCache(path, "fa", 3) as cache:
        assert cache.get(key(1)) is None
        np.testing.assert_array_equal(cache.get(key(2)), vector(2))


@pytest.mark.parametrize("other", [("fb", 3), ("fa", 2)])
def test_another_encoders_file_is_copied_and_never_read(tmp_path, other):
    path = filled(tmp_path / "c.vectors")
    before = path.read_bytes()
    with VectorCache(path, *other) as cache:
        assert len(cache) == 0
        assert cache.get(key(1)) is None
    assert (tmp_path / "c.vectors.unreadable").read_bytes() == before


def test_only_one_build_at_a_time(tmp_path):
    with (
        VectorCache(tmp_path / "c.vectors", "fa", 3),
        pytest.raises(GenerationError, match="in use"),
    ):
        VectorCache(tmp_path / "c.vectors", "fa", 3)
    VectorCache(tmp_path / "c.vectors", "fa", 3).close()


def test_paths_are_named_by_the_fingerprint(tmp_path):
    assert cache_path(tmp_path, "ab" * 32, "vectors") == tmp_path / "cache" / f"{'ab' * 32}.vectors"
    odd = cache_path(tmp_path, "../x/y", "titles")
    assert odd.parent == tmp_path / "cache"
    assert len(odd.stem) == 64


def test_long_fingerprints_are_still_distinguished(tmp_path):
    filled(tmp_path / "c.vectors", fingerprint="a" * 400)
    with VectorCache(tmp_path / "c.vectors", "a" * 399 + "b", 3) as cache:
        assert len(cache) == 0


def test_titles_may_hold_anything():
    assert title_cache_key("\ud800 shirt") != title_cache_key("shirt")
