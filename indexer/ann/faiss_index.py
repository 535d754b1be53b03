"""Build, save, open and search a FAISS index of a kind that fits the number of rows.

Inverted lists, not graphs: they take less time to build and less memory, and an update fills them again. Measured with
100,000 rows: graphs are quicker for photos, lists for words (docs/decisions/index.md). More rows were not compared.
Only this module and `fast_scan`, the lists of 4-bit codes, import faiss.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.ann import fast_scan
from indexer.ann.faiss_file import NO_ROWS, Lists, Rows, empty_lists, write_flat, write_lists
from indexer.ann.index_plan import FLAT, IVF_PQ, IVF_PQ4, IVF_SQ8, ROWS_PER_LIST, IndexPlan, list_count, plan_for
from indexer.ann.mmap_arrays import blocks, sample_rows
from indexer.types import Floats, Ids, Mask

TRAINING_ROUNDS = 10
TRAINING_ROWS = 16_384  # no fewer, if there are so many
GPU_DEPTH = 2_048  # how many results and how many lists a GPU index can handle

MMAP_FLAG = getattr(faiss, "IO_FLAG_MMAP_IFC", 0)  # FAISS before 1.11 reads the file into memory instead

log = logging.getLogger(__name__)


def has_gpu() -> bool:
    """Return whether this FAISS can search on a GPU."""
    return bool(faiss.get_num_gpus())


class VectorIndex:
    """Inner-product search over numbered rows; safe to search from several threads at once.

    `kind` is "flat", "ivf_pq4", "ivf_sq8" or "ivf_pq", `size` the number of rows, `dim` the length of a row, `lists`
    the number of inverted lists, 0 when the index is flat.
    `threads` is for batches of queries: one query is faster on one thread than on two.
    """

    def __init__(self, index: Any, threads: int | None = None) -> None:
        self._index = index
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._fast_scan = fast_scan.FastScanSearch(index) if isinstance(index, faiss.IndexIVFPQFastScan) else None
        self.kind = _kind(index)
        self.size, self.dim = int(index.ntotal), int(index.d)
        self.lists = 0 if self.kind == FLAT else int(index.nlist)
        self._gpu = None if self._fast_scan else _on_gpu(index)
        self._gpu_lock = threading.Lock()

    @classmethod
    def build(cls, rows: Rows, plan: IndexPlan | None = None, threads: int | None = None) -> VectorIndex:
        """Index float rows (n, dim), which may be a memory-mapped float16 file; the same rows give the same index."""
        count, dim = rows.shape
        plan = plan or plan_for(count, gpu=has_gpu())
        plan = replace(plan, lists=plan.lists or list_count(count, plan.kind))
        faiss.omp_set_num_threads(threads or min(2, os.cpu_count() or 1))
        if plan.kind == IVF_PQ4:
            index = fast_scan.train(rows, plan.lists, plan.seed, plan.emphasis)
            fast_scan.fill(index, rows, plan.emphasis)
            return cls(index, threads)
        index = _empty(plan, dim, count)
        if plan.kind != FLAT:
            index.train(sample_rows(rows, max(TRAINING_ROWS, 48 * plan.lists), plan.seed))
        for _, block in blocks(rows):
            index.add(block)
        return cls(index, threads)

    def suits(self, plan: IndexPlan, dim: int) -> bool:
        """Return whether this index's centroids suit the rows that a plan was made for."""
        lists = plan.lists or self.lists
        return plan.kind == self.kind and self.dim == dim and lists <= 2 * self.lists <= 4 * lists

    @classmethod
    def refill(
        cls,
        old: Path,
        rows: Rows,
        new: Path,
        threads: int | None = None,
        emphasis: Floats | None = None,
        numbers: Ids | None = None,
    ) -> VectorIndex:
        """Save an index of these rows with the centroids and codes of the one in `old`, and open it, mapped.

        Trains nothing. `numbers` (n,) are those of equal rows in `old`, -1 for new rows: only these are assigned to
        lists. Memory grows with the rows by the codes of 4 bits; other kinds are written list by list.
        """
        faiss.omp_set_num_threads(threads or min(2, os.cpu_count() or 1))
        index = faiss.read_index(str(old), MMAP_FLAG)
        fast = isinstance(index, faiss.IndexIVFPQFastScan)
        before = fast_scan.FilledRows.of(index) if fast and numbers is not None else None
        empty = _emptied(index)
        if fast:
            fast_scan.fill(empty, rows, emphasis, before, numbers)
            cls(empty, threads).save(new)
        elif not _written(empty, rows, new):
            for _, block in blocks(rows):
                empty.add(block)
            cls(empty, threads).save(new)
        return cls.load(new, threads, mapped=True)

    @classmethod
    def load(cls, path: Path, threads: int | None = None, mapped: bool = False) -> VectorIndex:
        """Open a saved index in memory, or mapped from its file, which suits a few searches.

        The caller must have checked the file's digest: faiss does not survive hostile files.
        """
        return cls(faiss.read_index(str(path), MMAP_FLAG if mapped else 0), threads)

    def save(self, path: Path) -> None:
        """Write the index to a file. Raises OSError."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(errno.EIO, f"the index cannot be written ({error})", str(path)) from error

    def search(
        self, queries: Floats, k: int, allowed: Mask | None = None, nprobe: int = 1, cosine_gap: float = 0.0
    ) -> tuple[Floats, Ids]:
        """Return the k best rows of each query (m, dim) by inner product: (scores, row numbers), padded with -1.

        Returns only rows whose `allowed` is true. Probes `nprobe` lists, which a flat index ignores; with a mask, the
        nearest lists that together hold as many allowed rows as `nprobe` lists hold rows on average. Lists of 4-bit
        codes are read without a mask as far as their cosine with the query is at most `cosine_gap` below the best
        list's, twice `nprobe` of them at most, where it is not 0.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        k = max(1, min(k, self.size))
        if self._fast_scan is not None:
            probes = fast_scan.Probes(max(1, min(nprobe, self.lists)), cosine_gap)
            return self._search_codes(self._fast_scan, queries, k, allowed, probes)
        if self._gpu is not None and allowed is None and max(k, nprobe) <= GPU_DEPTH:
            with self._gpu_lock:
                params = None if self.kind == FLAT else self._parameters(None, nprobe)
                scores, rows = self._gpu.search(queries, k, params=params)
            return scores, rows
        faiss.omp_set_num_threads(self._threads if len(queries) > 1 else 1)  # a setting of the calling thread only
        if allowed is not None and self.kind != FLAT:
            return self._search_lists(queries, k, allowed, nprobe)
        scores, rows = self._index.search(queries, k, params=self._parameters(allowed, nprobe))
        return scores, rows

    def _search_codes(
        self, codes: fast_scan.FastScanSearch, queries: Floats, k: int, allowed: Mask | None, probes: fast_scan.Probes
    ) -> tuple[Floats, Ids]:
        faiss.omp_set_num_threads(1)
        if allowed is not None:
            self._require_fit(allowed)
        scores, rows = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        for place, query in enumerate(queries):
            codes.search(query, allowed, probes, scores[place], rows[place])
        return scores, rows

    def _search_lists(self, queries: Floats, k: int, allowed: Mask, nprobe: int) -> tuple[Floats, Ids]:
        """Search only lists that hold allowed rows, because the lists nearest to a query may hold none."""
        parameters = self._parameters(allowed, self.lists)
        held = np.bincount(self._list_of_row[allowed], minlength=self.lists)
        nearness, lists = self._index.quantizer.search(queries, self.lists)
        wanted = max(nprobe * self.size / self.lists, 2 * k)
        counts = held[lists]
        before = np.cumsum(counts, axis=1) - counts
        lists[(counts == 0) | (before >= wanted)] = -1  # faiss skips -1
        scores, rows = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        inputs, outputs = (map(faiss.swig_ptr, arrays) for arrays in ((lists, nearness), (scores, rows)))
        count, vectors = len(queries), faiss.swig_ptr(queries)
        self._index.search_preassigned_c(count, vectors, k, *inputs, *outputs, False, parameters, None)
        return scores, rows

    @cached_property
    def _list_of_row(self) -> NDArray[np.int32]:
        """The inverted list of each row."""
        list_of_row = np.zeros(self.size, np.int32)
        inverted = self._index.invlists
        for number in range(self.lists):
            if size := inverted.list_size(number):
                list_of_row[faiss.rev_swig_ptr(inverted.get_ids(number), size)] = number
        return list_of_row

    def _require_fit(self, allowed: Mask) -> None:
        if allowed.shape != (self.size,):
            raise ValueError(f"the mask has shape {allowed.shape} where the index has {self.size} rows")

    def _parameters(self, allowed: Mask | None, nprobe: int) -> Any:
        options: dict[str, Any] = {}
        if allowed is not None:
            self._require_fit(allowed)
            options["sel"] = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if self.kind == FLAT:
            return faiss.SearchParameters(**options)
        return faiss.SearchParametersIVF(nprobe=max(1, min(nprobe, self.lists)), **options)


def _kind(index: Any) -> str:
    if isinstance(index, faiss.IndexIVFPQFastScan):
        return IVF_PQ4
    if isinstance(index, faiss.IndexIVFPQ):
        return IVF_PQ
    return IVF_SQ8 if isinstance(index, faiss.IndexIVF) else FLAT


def _empty(plan: IndexPlan, dim: int, count: int) -> Any:
    quantizer = faiss.IndexFlatIP(dim)
    if plan.kind == FLAT:
        return quantizer
    metric = faiss.METRIC_INNER_PRODUCT
    if plan.kind == IVF_SQ8:
        index = faiss.IndexIVFScalarQuantizer(quantizer, dim, plan.lists, faiss.ScalarQuantizer.QT_8bit, metric)
        clusterings = [index.cp]
    else:
        bits = 8 if count >= 256 * ROWS_PER_LIST else 4
        # A code has one byte for four numbers, or the next smaller divisor of the dimension.
        code_bytes = next(size for size in range(max(1, dim // 4), 0, -1) if dim % size == 0)
        index = faiss.IndexIVFPQ(quantizer, dim, plan.lists, code_bytes, bits, metric)
        clusterings = [index.cp, index.pq.cp]
    for clustering in clusterings:
        clustering.seed = plan.seed
        clustering.niter = TRAINING_ROUNDS
        clustering.min_points_per_centroid = 1
    return index


def _emptied(index: Any) -> Any:
    """Return the same index without rows; it stays trained."""
    if isinstance(index, faiss.IndexFlat):
        return faiss.IndexFlatIP(index.d)
    if isinstance(index, faiss.IndexIVFPQFastScan):
        index.reset()
        return index
    lists = faiss.ArrayInvertedLists(index.nlist, index.code_size)
    lists.this.disown()
    index.replace_invlists(lists, True)
    index.ntotal = 0
    return index


def _written(empty: Any, rows: Rows, path: Path) -> bool:
    """Write `empty` filled with these rows; return False, and write nothing, when this FAISS has another format."""
    flat = isinstance(empty, faiss.IndexFlat)
    tail = NO_ROWS if flat else empty_lists(empty.nlist, empty.code_size)
    empty.ntotal = len(rows)
    head = faiss.serialize_index(empty).tobytes()
    empty.ntotal = 0
    if not head.endswith(tail):
        return False
    with path.open("wb") as file:
        file.write(head.removesuffix(tail))
        if flat:
            write_flat(file, rows)
        else:
            write_lists(file, rows, _lists(empty))
    return True


def _lists(index: Any) -> Lists:
    """Return what an index with inverted lists has learned."""

    def assign(rows: Floats) -> Ids:
        numbers: Ids = index.quantizer.search(rows, 1)[1][:, 0]
        return numbers

    def encode(rows: Floats, number: int) -> NDArray[np.uint8]:
        codes = np.empty((len(rows), index.code_size), np.uint8)
        numbers = np.full(len(rows), number, np.int64)
        index.encode_vectors(len(rows), *map(faiss.swig_ptr, (rows, numbers, codes)))
        return codes

    return Lists(index.nlist, index.code_size, assign, encode)


def _on_gpu(index: Any) -> Any:
    """Copy the index to the first GPU; return None without a GPU or room on it, so that the CPU searches."""
    if not has_gpu():
        return None
    try:
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    except RuntimeError as error:
        log.warning("The GPU cannot hold the index; it stays on the CPU: %s", error)
        return None
