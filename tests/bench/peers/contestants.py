"""What is compared: an index is built from float16 rows (n, dim) into a folder, opened, and finds row numbers.

`efforts` are its settings from fast to thorough. Imports of peers stand in their methods: each may be missing.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np

from indexer.ann.exact_rerank import RerankedSearch
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import IndexPlan, list_count, plan_for
from indexer.types import Floats, Ids, Mask

LINKS, BUILD_EFFORT = 32, 128  # of graphs
GRAPH_EFFORTS = (10, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024, 1536, 2048)
LIST_EFFORTS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
NUMBERS_OF_LISTS = (1, 8, 16, 32, 64, 96, 128)  # of ours: twice as many are read at most, and 24 more within the filter
FILTER_SHARE = 0.05
TRAINING_ROWS = 48  # a list, at most: k-means of FAISS takes 256 otherwise, for hours on one thread
TRAINING_ROUNDS = 10
BLOCK = 5_000  # rows that are added at once


class Effort(NamedTuple):
    """How much a search reads: lists or the effort of a graph, and how many times the rows wanted are read exactly."""

    width: int
    refine: int = 1


class Contestant(ABC):
    """One index.

    `packages` names what is installed for it, `filters` says whether a filter is applied inside its search, `in_memory`
    that it has no files, `reads_files` that searches read files, which are no part of its own memory.
    """

    packages: tuple[str, ...] = ("faiss-cpu",)
    widths: tuple[int, ...] = GRAPH_EFFORTS
    filtered_widths: tuple[int, ...] = ()  # with the filter, where they are others
    refines: tuple[int, ...] = (1,)
    filters = True
    in_memory = False
    reads_files = False

    clock = staticmethod(time.process_time)  # of all threads, where it does not search in the caller's thread

    def widths_for(self, filtered: bool) -> tuple[int, ...]:
        """Return the widths of searches with or without the filter."""
        return self.filtered_widths if filtered and self.filtered_widths else self.widths

    @abstractmethod
    def build(self, rows: np.ndarray, emphasis: Floats, folder: Path) -> None:
        """Index the rows on one thread, in the files of a folder or in memory."""

    @abstractmethod
    def open(self, folder: Path, rows: np.ndarray, mask: Mask) -> None:
        """Make ready to search; `mask` (n,) is of the rows that the filter allows."""

    @abstractmethod
    def search(self, query: Floats, k: int, effort: Effort, filtered: bool = False) -> Ids:
        """Return the numbers of the k best rows."""


class Windowshop(Contestant):
    """Ours: lists of 4-bit codes, or flat, and float16 rows that decide.

    The width is a gap of cosines in hundredths, and what the others refine by is a number of lists.
    """

    widths = tuple(range(4, 60))
    filtered_widths = (0,)  # the number of lists decides
    refines = NUMBERS_OF_LISTS
    clock = staticmethod(time.thread_time)

    def build(self, rows, emphasis, folder):
        plan = plan_for(len(rows))
        index = VectorIndex.build(rows, IndexPlan(plan.kind, plan.lists, 0, emphasis), threads=1)
        index.save(folder / "index.faiss")

    def open(self, folder, rows, mask):
        self.index, self.rows, self.mask = VectorIndex.load(folder / "index.faiss", threads=1), rows, mask
        self.searches = {}

    def search(self, query, k, effort, filtered=False):
        if (searcher := self.searches.get(effort)) is None:
            settings = effort.refine, 2, 0, effort.width / 100
            searcher = self.searches[effort] = RerankedSearch(self.index, self.rows, *settings)
        return searcher.search(query, k, self.mask if filtered else None)[1]


class FaissPeer(Contestant):
    """An index of FAISS in memory; the filter is a bitmap, made once."""

    clock = staticmethod(time.thread_time)

    def open(self, folder, rows, mask):
        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(str(folder / "index.faiss"))
        self.allowed = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))


class FaissGraph(FaissPeer):
    """A graph of FAISS over float16 rows; its links are made over float32 rows, in a quarter of the time."""

    codes = faiss.ScalarQuantizer.QT_fp16

    def build(self, rows, emphasis, folder):
        faiss.write_index(self.graph(rows), str(folder / "index.faiss"))

    def graph(self, rows):
        """Return the graph with its rows."""
        faiss.omp_set_num_threads(1)
        dim, metric = rows.shape[1], faiss.METRIC_INNER_PRODUCT
        linked = faiss.IndexHNSWFlat(dim, LINKS, metric)
        linked.hnsw.efConstruction = BUILD_EFFORT
        add_blocks(linked, rows)
        graph = faiss.IndexHNSWSQ(dim, self.codes, LINKS, metric)
        graph.train(spread(rows, 10_000))
        graph.hnsw, graph.ntotal = linked.hnsw, linked.ntotal
        del linked  # its rows
        add_blocks(graph.storage, rows)
        return graph

    def search(self, query, k, effort, filtered=False):
        return self.index.search(query[None], k, params=self.effort(effort, filtered))[1][0]

    def effort(self, effort, filtered):
        """Return the parameters of a search of the graph."""
        only = {"sel": self.allowed} if filtered else {}
        return faiss.SearchParametersHNSW(efSearch=effort.width, **only)


class FaissByteGraph(FaissGraph):
    """A graph of FAISS over rows of 8-bit numbers, and float16 rows in memory that decide."""

    codes = faiss.ScalarQuantizer.QT_8bit
    refines = (1, 2, 4)

    def build(self, rows, emphasis, folder):
        graph = self.graph(rows)
        exact = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        add_blocks(exact, rows)
        faiss.write_index(faiss.IndexRefine(graph, exact), str(folder / "index.faiss"))

    def search(self, query, k, effort, filtered=False):
        graph = self.effort(effort, filtered)
        both = faiss.IndexRefineSearchParameters(k_factor=effort.refine, base_index_params=graph)
        return self.index.search(query[None], k, params=both)[1][0]


class FaissLists(FaissPeer):
    """Inverted lists of FAISS, rows of 8-bit numbers, which alone decide."""

    widths = LIST_EFFORTS
    codes = "SQ8"

    def build(self, rows, emphasis, folder):
        faiss.omp_set_num_threads(1)
        lists = list_count(len(rows))
        made = faiss.index_factory(rows.shape[1], f"IVF{lists},{self.codes}", faiss.METRIC_INNER_PRODUCT)
        inner = faiss.extract_index_ivf(made)
        inner.cp.niter, inner.cp.max_points_per_centroid = TRAINING_ROUNDS, TRAINING_ROWS
        made.train(spread(rows, TRAINING_ROWS * lists))
        add_blocks(made, rows)
        faiss.write_index(made, str(folder / "index.faiss"))

    def search(self, query, k, effort, filtered=False):
        return self.index.search(query[None], k, params=self.lists_read(effort, filtered))[1][0]

    def lists_read(self, effort, filtered):
        """Return the parameters of a search of lists."""
        only = {"sel": self.allowed} if filtered else {}
        return faiss.SearchParametersIVF(nprobe=effort.width, **only)


class FaissFastScan(FaissLists):
    """Inverted lists of FAISS, 4-bit codes of two numbers, and float16 rows in memory that decide."""

    refines = (4, 10, 20, 40)

    def build(self, rows, emphasis, folder):
        self.codes = f"PQ{rows.shape[1] // 2}x4fs,Refine(SQfp16)"
        super().build(rows, emphasis, folder)

    def search(self, query, k, effort, filtered=False):
        lists = self.lists_read(effort, filtered)
        both = faiss.IndexRefineSearchParameters(k_factor=effort.refine, base_index_params=lists)
        return self.index.search(query[None], k, params=both)[1][0]


class Hnswlib(Contestant):
    """A graph over float32 rows; the filter is a call of Python for each row that is looked at."""

    packages = ("hnswlib",)
    clock = staticmethod(time.thread_time)

    def build(self, rows, emphasis, folder):
        import hnswlib

        index = hnswlib.Index("ip", rows.shape[1])
        index.init_index(len(rows), M=LINKS, ef_construction=BUILD_EFFORT, random_seed=0)
        index.set_num_threads(1)
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK].astype(np.float32)
            index.add_items(part, np.arange(start, start + len(part)), num_threads=1)
        index.save_index(str(folder / "graph"))

    def open(self, folder, rows, mask):
        import hnswlib

        self.index = hnswlib.Index("ip", rows.shape[1])
        self.index.load_index(str(folder / "graph"), max_elements=len(rows))
        self.index.set_num_threads(1)
        self.only = lambda number: bool(mask[number])

    def search(self, query, k, effort, filtered=False):
        self.index.set_ef(max(effort.width, k))
        only = self.only if filtered else None
        return self.index.knn_query(query, k, num_threads=1, filter=only)[0][0].astype(np.int64)


class Usearch(Contestant):
    """A graph over float16 rows; from Python it takes no filter."""

    packages = ("usearch",)
    clock = staticmethod(time.thread_time)
    filters = False

    def build(self, rows, emphasis, folder):
        from usearch.index import Index

        index = Index(ndim=rows.shape[1], metric="ip", dtype="f16", connectivity=LINKS, expansion_add=BUILD_EFFORT)
        for start in range(0, len(rows), BLOCK):
            part = np.ascontiguousarray(rows[start : start + BLOCK])
            index.add(np.arange(start, start + len(part)), part, threads=1)
        index.save(folder / "graph")

    def open(self, folder, rows, mask):
        from usearch.index import Index

        self.index = Index.restore(folder / "graph")

    def search(self, query, k, effort, filtered=False):
        self.index.expansion_search = effort.width
        return self.index.search(query.astype(np.float16), k, threads=1).keys.astype(np.int64)


def add_blocks(index, rows: np.ndarray) -> None:
    """Add rows to an index of FAISS as float32, some at a time."""
    for start in range(0, len(rows), BLOCK):
        index.add(rows[start : start + BLOCK].astype(np.float32))


def spread(rows: np.ndarray, count: int) -> Floats:
    """Return at most so many rows, evenly spread, as float32."""
    step = max(1, len(rows) // count)
    return np.asarray(rows[::step][:count], np.float32)


def mask_of(count: int) -> Mask:
    """Return the mask of the filter that is measured: one row in twenty."""
    return np.random.default_rng(5).random(count) < FILTER_SHARE
