"""Rows left in their file come whole, and do not stay in memory."""

from pathlib import Path

import numpy as np
import pytest

from indexer.ann import mmap_arrays
from indexer.ann.mmap_arrays import blocks, release_pages, sample_rows


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


def test_a_sample_needs_the_memory_of_few_rows_of_the_file(tmp_path, monkeypatch):
    np.save(tmp_path / "large.npy", np.arange(200_000 * 64, dtype=np.int32).reshape(-1, 64))
    rows = np.load(tmp_path / "large.npy", mmap_mode="r")
    resident = []

    def noting(array, part=None):
        resident.append(kilobytes_of(tmp_path / "large.npy"))
        release_pages(array, part)

    monkeypatch.setattr(mmap_arrays, "release_pages", noting)
    sample = sample_rows(rows, 20_000, seed=0)
    assert sample.dtype == np.float32
    assert len(np.unique(sample[:, 0])) == 20_000
    np.testing.assert_array_equal(sample, rows[(sample[:, 0] // 64).astype(int)].astype(np.float32))
    assert 0 < max(resident) < 0.25 * rows.nbytes / 1024


def kilobytes_of(file):
    """Return the kilobytes of a mapped file that are in this process's memory."""
    parts = Path("/proc/self/smaps").read_text().split(f"{file}\n")[1:]
    return sum(int(part.split("Rss:")[1].split()[0]) for part in parts)
