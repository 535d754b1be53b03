"""Rows left in their file come whole, and do not stay in memory."""

import numpy as np
import pytest

from indexer.ann.mmap_arrays import blocks, release_pages


@pytest.fixture
def rows(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(70_000, dtype=np.float16).reshape(-1, 7))
    return np.load(tmp_path / "rows.npy", mmap_mode="r")


@pytest.mark.parametrize("at_once", [1_000, 2_048, 20_000])
def test_blocks_are_all_the_rows_in_order(rows, monkeypatch, at_once):
    monkeypatch.setattr("indexer.ann.mmap_arrays.BLOCK_ROWS", at_once)
    parts = [(part, block.copy()) for part, block in blocks(rows)]
    assert [part.start for part, _ in parts] == list(range(0, 10_000, at_once))
    read = np.concatenate([block for _, block in parts])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, np.asarray(rows))


def test_released_pages_are_read_again_on_access(rows, tmp_path):
    before = rows.tolist()
    for part in (slice(0, 1), slice(9_999, 10_000), slice(0, 10_000), None):
        release_pages(rows, part)
        assert rows.tolist() == before


def test_arrays_in_memory_or_open_for_writing_are_left_alone(tmp_path):
    own = np.ones((3, 2))
    release_pages(own)
    written = np.lib.format.open_memmap(tmp_path / "own.npy", "w+", np.float32, (3, 2))
    written[:] = 7
    release_pages(written)
    assert (own == 1).all() and (written == 7).all()
