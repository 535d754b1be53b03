"""Inverted lists of 4-bit codes, which FAISS scans in registers: built, filled and searched. Imports faiss.

Two numbers of a row share a code of 4 bits: an eighth of its float16 bytes. Where their count is odd, three numbers
share one if it is a multiple of three, and otherwise each has its own.
The lists are our own (`indexer.ann.coarse_lists`), the codes and the scan are those of FAISS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.ann.coarse_lists import Assigner, ListMembers, ListRanking, MainAxes, rows_by_list
from indexer.ann.mmap_arrays import blocks_at, sample_rows
from indexer.types import Floats, Ids, Mask

BITS = 4
CENTROIDS = 2**BITS
CODE_ROWS = 8_192  # to train the codes with; k-means of 16 centroids wants no more than 4,096
ROWS_PER_LIST = 48  # to train the lists with
TRAINING_ROUNDS = 10
FILTERED_LISTS = 24  # more under a mask: the lists nearest to a query may hold few allowed rows
MOST_LISTS = 2  # within the gap: so many times the count

Rows = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Probes:
    """The lists that a search reads: `count` of them, or those whose cosine with the query is near the best list's.

    A positive `cosine_gap` is how far below it may be; then at most twice `count` are read. Not under a mask.
    """

    count: int
    cosine_gap: float = 0.0


def train(rows: Rows, lists: int, seed: int, emphasis: Floats | None) -> Any:
    """Return an index without rows whose lists and codes are fitted to a sample of these rows (n, dim).

    `emphasis` (dim,) says how much each number of a row counts when rows are assigned to lists.
    """
    dim = rows.shape[1]
    sample = sample_rows(rows, max(2 * CODE_ROWS, ROWS_PER_LIST * lists), seed)
    list_of_row, means = _cluster(sample, lists, seed, emphasis)
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(means)
    numbers = next(size for size in (2, 3, 1) if dim % size == 0)
    index = faiss.IndexIVFPQFastScan(quantizer, dim, lists, dim // numbers, BITS, faiss.METRIC_INNER_PRODUCT)
    quantizer.this.disown()
    index.own_fields = index.by_residual = True
    index.pq.cp.seed = seed
    index.pq.cp.niter = TRAINING_ROUNDS
    index.pq.cp.min_points_per_centroid = 1
    picked = np.random.default_rng(seed).permutation(len(sample))[:CODE_ROWS]
    index.pq.train(np.ascontiguousarray(sample[picked] - means[list_of_row[picked]]))
    index.is_trained = True
    return index


@dataclass(frozen=True)
class FilledRows:
    """The list (n,) and the codes (n, bytes) of each row of an index."""

    list_of_row: NDArray[np.int32]
    codes: NDArray[np.uint8]

    @classmethod
    def of(cls, index: Any) -> FilledRows:
        """Read them from an index, be it mapped or not."""
        inverted, packer = index.invlists, index.get_CodePacker()
        filled = cls(np.empty(index.ntotal, np.int32), np.empty((index.ntotal, index.pq.code_size), np.uint8))
        codes = np.empty((packer.nvec, packer.code_size), np.uint8)
        for number in range(index.nlist):
            if not (length := inverted.list_size(number)):
                continue
            members = faiss.rev_swig_ptr(inverted.get_ids(number), length)
            filled.list_of_row[members] = number
            blocks_of_list = -(-length // packer.nvec)
            packed = faiss.rev_swig_ptr(inverted.get_codes(number), blocks_of_list * packer.block_size)
            for place, block in enumerate(packed.reshape(blocks_of_list, packer.block_size)):
                packer.unpack_all(faiss.swig_ptr(np.ascontiguousarray(block)), faiss.swig_ptr(codes))
                own = members[place * packer.nvec : (place + 1) * packer.nvec]
                filled.codes[own] = codes[: len(own)]
        return filled


def fill(
    index: Any, rows: Rows, emphasis: Floats | None, before: FilledRows | None = None, numbers: Ids | None = None
) -> None:
    """Put these rows into an index without rows. Holds their codes twice, an eighth of the float16 rows each time.

    `numbers` (n,) are those of equal rows in `before`, which this index was filled with; -1 for new rows.
    """
    means = _means(index)
    list_of_row = np.empty(len(rows), np.int32)
    codes = np.empty((len(rows), index.pq.code_size), np.uint8)
    new = np.arange(len(rows))
    if before is not None and numbers is not None:
        known = np.flatnonzero(numbers >= 0)
        list_of_row[known], codes[known] = before.list_of_row[numbers[known]], before.codes[numbers[known]]
        new = np.flatnonzero(numbers < 0)
    assign = Assigner(means, emphasis)
    for part, block in blocks_at(rows, new):
        list_of_row[part] = assign(block)
        codes[part] = index.pq.compute_codes(block - means[list_of_row[part]])
    order, lengths = rows_by_list(list_of_row, index.nlist)
    for number, end in enumerate(np.cumsum(lengths).tolist()):
        if length := int(lengths[number]):
            members = order[end - length : end]
            packed = _packed(index, codes[members])
            index.invlists.add_entries(number, length, faiss.swig_ptr(members), faiss.swig_ptr(packed))
    index.ntotal = len(rows)


class FastScanSearch:
    """Searches an index of 4-bit codes; safe to use from several threads at once."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._ranking = ListRanking(_means(index))
        self._unfiltered: dict[int, Any] = {}  # parameters by the number of lists: to make them takes as long as a list

    @cached_property
    def _members(self) -> ListMembers:
        inverted, members = self._index.invlists, []
        for number in range(self._index.nlist):
            length = inverted.list_size(number)
            ids = faiss.rev_swig_ptr(inverted.get_ids(number), length) if length else np.zeros(0, np.int64)
            members.append(ids)
        return ListMembers(members, self._index.ntotal)

    def search(self, query: Floats, allowed: Mask | None, probes: Probes, scores: Floats, rows: Ids) -> None:
        """Find the best rows of the lists near to a query (dim,): fill `scores` and `rows` (k,), padded with -1.

        With a mask, reads lists that hold allowed rows, and more of them where they hold fewer than k such rows.
        """
        k = len(rows)
        if not query.any():  # every row scores 0, which FAISS cannot scale
            first = np.arange(k) if allowed is None else np.flatnonzero(allowed)[:k]
            scores[:], rows[:] = -np.inf, -1
            scores[: len(first)], rows[: len(first)] = 0, first
            return
        if allowed is None:
            lists, products = self._lists(query, k, probes)
            parameters = self._unfiltered.get(len(lists))
            if parameters is None:
                parameters = self._unfiltered[len(lists)] = faiss.SearchParametersIVF(nprobe=len(lists))
        else:
            lists, products = self._nearest_allowed(query, k, allowed, probes.count)
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            parameters = faiss.SearchParametersIVF(nprobe=len(lists), sel=selector)
        if not len(lists):
            scores[:], rows[:] = -np.inf, -1
            return
        query_at, lists_at, products_at, scores_at, rows_at = map(
            faiss.swig_ptr, (query, lists, products, scores, rows)
        )
        self._index.search_preassigned_c(
            1, query_at, k, lists_at, products_at, scores_at, rows_at, False, parameters, None
        )

    def _lists(self, query: Floats, k: int, probes: Probes) -> tuple[Ids, Floats]:
        """Return the lists to read without a mask, and the dot product of each mean with a query (dim,)."""
        if not probes.cosine_gap:
            return self._ranking.nearest(query, probes.count)
        deep = 2 * k * self._index.nlist // self._index.ntotal + 1  # a deep page needs more lists for the same recall
        return self._ranking.within(query, probes.cosine_gap, deep, max(deep, MOST_LISTS * probes.count))

    def _nearest_allowed(self, query: Floats, k: int, allowed: Mask, nprobe: int) -> tuple[Ids, Floats]:
        """Return the lists nearest to a query of which `nprobe` and 24 hold allowed rows, k or more together.

        Looks first only at some rows of the lists near to it, then at all of theirs, and at all lists where that does
        not suffice.
        """
        count = nprobe + FILTERED_LISTS
        lists, products = self._ranking.nearest(query, count + count // 4)
        seen = self._members.seen(lists, allowed)
        holding = np.flatnonzero(seen)
        if len(holding) >= count:
            near = lists[: holding[count - 1] + 1]
            if seen[: len(near)].sum() >= k or self._members.count(near, allowed) >= k:
                return near, products[: len(near)]
        held = self._members.held(allowed)
        while True:
            lists, products = self._ranking.nearest(query, count, held)
            if len(lists) < count or held[lists].sum() >= k:
                return lists, products
            count *= 2


def _cluster(sample: Floats, lists: int, seed: int, emphasis: Floats | None) -> tuple[Ids, Floats]:
    """Return the list of each row of the sample, and the mean row (lists, dim) of each list."""
    projected = MainAxes(sample[: 2 * CODE_ROWS], emphasis)(sample)
    clustering = faiss.Clustering(projected.shape[1], lists)
    clustering.seed, clustering.niter, clustering.min_points_per_centroid = seed, TRAINING_ROUNDS, 1
    nearest = faiss.IndexFlatL2(projected.shape[1])
    clustering.train(projected, nearest)
    list_of_row = nearest.search(projected, 1)[1][:, 0]
    order, lengths = rows_by_list(list_of_row, lists)
    means = np.zeros((lists, sample.shape[1]), np.float32)
    filled = np.flatnonzero(lengths)
    starts = (np.cumsum(lengths) - lengths)[filled]
    means[filled] = np.add.reduceat(sample[order], starts, axis=0) / lengths[filled, None]
    return list_of_row, means


def _means(index: Any) -> Floats:
    """Return the mean of each list (lists, dim): memory of the index, which must outlive it."""
    means: Floats = faiss.rev_swig_ptr(faiss.downcast_index(index.quantizer).get_xb(), index.nlist * index.d)
    return means.reshape(index.nlist, index.d)


def _packed(index: Any, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return codes (n, bytes) in blocks of 32 rows, in the order in which FAISS scans them."""
    packer = index.get_CodePacker()
    size = packer.nvec
    padded = np.zeros((-(-len(codes) // size), size, codes.shape[1]), np.uint8)
    padded.reshape(-1, codes.shape[1])[: len(codes)] = codes
    packed = np.zeros((len(padded), packer.block_size), np.uint8)
    for block, target in zip(padded, packed, strict=True):
        packer.pack_all(faiss.swig_ptr(block), faiss.swig_ptr(target))
    return packed
