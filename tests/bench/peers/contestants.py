"""Indexes that are compared: each builds from float16 rows (n, dim), and finds row numbers by inner product.

`efforts` are its settings from fast to thorough. Imports of peers stand in their classes: each may be missing.
"""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from typing import Any

import faiss
import numpy as np

from indexer.ann.exact_rerank import RerankedSearch
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import IndexPlan, plan_for
from indexer.types import Floats, Ids, Mask

LINKS, BUILD_EFFORT = 32, 128  # of graphs
EFFORTS = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024)
MOST_LISTS = 128  # of ours, twice as many at most


class Contestant(ABC):
    """One index; `filters` says whether a mask is applied inside its search."""

    efforts: tuple[int, ...] = EFFORTS
    filtered_efforts: tuple[int, ...] = ()  # with a mask, where they are others
    filters = False

    @abstractmethod
    def build(self, rows: np.ndarray, emphasis: Floats) -> None:
        """Index the rows on one thread."""

    @abstractmethod
    def search(self, query: Floats, k: int, effort: int, allowed: Mask | None = None) -> Ids:
        """Return the numbers of the k best rows."""


class Windowshop(Contestant):
    """Ours: lists of 4-bit codes, or flat, and float16 rows that decide.

    Without a mask an effort is a gap of cosines in hundredths, with one a number of lists.
    """

    efforts = tuple(range(4, 60, 2))
    filtered_efforts = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
    filters = True

    def build(self, rows, emphasis):
        plan = plan_for(len(rows))
        self.index = VectorIndex.build(rows, IndexPlan(plan.kind, plan.lists, 0, emphasis), threads=1)
        self.rows = rows

    def search(self, query, k, effort, allowed=None):
        lists, gap = (MOST_LISTS, effort / 100) if allowed is None else (effort, 0.0)
        return RerankedSearch(self.index, self.rows, lists, 2, 0, gap).search(query, k, allowed)[1]


class FaissGraph(Contestant):
    """A graph of FAISS over float16 rows."""

    filters = True

    def build(self, rows, emphasis):
        faiss.omp_set_num_threads(1)
        half = faiss.ScalarQuantizer.QT_fp16
        self.index = faiss.IndexHNSWSQ(rows.shape[1], half, LINKS, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = BUILD_EFFORT
        self.index.train(rows[:1000].astype(np.float32))
        for start in range(0, len(rows), 5_000):
            self.index.add(rows[start : start + 5_000].astype(np.float32))

    def search(self, query, k, effort, allowed=None):
        chosen: dict[str, Any] = {}
        if allowed is not None:
            chosen["sel"] = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        return self.index.search(query[None], k, params=faiss.SearchParametersHNSW(efSearch=effort, **chosen))[1][0]


class Hnswlib(Contestant):
    """A graph over float32 rows; a mask is a call of Python for each row that is looked at."""

    filters = True

    def build(self, rows, emphasis):
        import hnswlib

        self.index = hnswlib.Index("ip", rows.shape[1])
        self.index.init_index(len(rows), M=LINKS, ef_construction=BUILD_EFFORT, random_seed=0)
        self.index.set_num_threads(1)
        for start in range(0, len(rows), 5_000):
            part = rows[start : start + 5_000].astype(np.float32)
            self.index.add_items(part, np.arange(start, start + len(part)), num_threads=1)

    def search(self, query, k, effort, allowed=None):
        self.index.set_ef(max(effort, k))
        only = None if allowed is None else lambda number: bool(allowed[number])
        return self.index.knn_query(query, k, num_threads=1, filter=only)[0][0].astype(np.int64)


class Usearch(Contestant):
    """A graph over float16 rows; from Python it takes no mask."""

    def build(self, rows, emphasis):
        from usearch.index import Index

        self.index = Index(ndim=rows.shape[1], metric="ip", dtype="f16", connectivity=LINKS, expansion_add=BUILD_EFFORT)
        self.index.add(np.arange(len(rows)), np.ascontiguousarray(rows), threads=1)

    def search(self, query, k, effort, allowed=None):
        self.index.expansion_search = effort
        return self.index.search(query.astype(np.float16), k, threads=1).keys.astype(np.int64)


class QdrantLocal(Contestant):
    """The local mode of qdrant-client: NumPy over all rows, exact, without an index."""

    efforts = (1,)
    filters = True

    def build(self, rows, emphasis):
        from qdrant_client import QdrantClient, models

        self.models, self.client = models, QdrantClient(":memory:")
        size = models.VectorParams(size=rows.shape[1], distance=models.Distance.DOT)
        self.client.create_collection("rows", vectors_config=size)
        self.client.upload_collection("rows", vectors=rows.astype(np.float32), ids=range(len(rows)))

    def search(self, query, k, effort, allowed=None):
        only = None
        if allowed is not None:
            numbers = self.models.HasIdCondition(has_id=np.flatnonzero(allowed).tolist())
            only = self.models.Filter(must=[numbers])
        found = self.client.query_points("rows", query=query, limit=k, query_filter=only).points
        return np.array([point.id for point in found], np.int64)


class Lancedb(Contestant):
    """Lists of PQ codes in files, refined with the rows; a mask is a column and a condition."""

    efforts = (4, 8, 16, 32, 64, 128)
    filters = True

    def build(self, rows, emphasis):
        import lancedb
        import pyarrow as pa

        self.folder = tempfile.mkdtemp()
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float32).ravel()), rows.shape[1])
        passes = pa.array(mask_of(len(rows)))
        table = pa.table({"number": pa.array(np.arange(len(rows))), "passes": passes, "vector": vectors})
        self.table = lancedb.connect(self.folder).create_table("rows", table)
        lists = max(1, plan_for(max(len(rows), 10_001)).lists)
        self.table.create_index(metric="dot", num_partitions=lists, num_sub_vectors=rows.shape[1] // 4)

    def search(self, query, k, effort, allowed=None):
        wanted = self.table.search(query).distance_type("dot").nprobes(effort).refine_factor(20).limit(k)
        if allowed is not None:
            wanted = wanted.where("passes", prefilter=True)
        return wanted.select(["number"]).to_arrow()["number"].to_numpy()

    def __del__(self):
        shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)


class MilvusLite(Contestant):
    """Milvus in a file, lists of float32 rows."""

    efforts = (4, 8, 16, 32, 64, 128)
    filters = True

    def build(self, rows, emphasis):
        from pymilvus import MilvusClient

        self.folder = tempfile.mkdtemp()
        self.client = MilvusClient(f"{self.folder}/rows.db")
        self.client.create_collection("rows", dimension=rows.shape[1], metric_type="IP", auto_id=False)
        passes = mask_of(len(rows))
        for start in range(0, len(rows), 1_000):
            part = rows[start : start + 1_000].astype(np.float32)
            fields = zip(range(start, start + len(part)), part, passes[start : start + len(part)], strict=True)
            self.client.insert(
                "rows", [{"id": at, "vector": row.tolist(), "passes": bool(ok)} for at, row, ok in fields]
            )

    def search(self, query, k, effort, allowed=None):
        only = "" if allowed is None else "passes == true"
        parameters = {"metric_type": "IP", "params": {"nprobe": effort}}
        found = self.client.search("rows", [query.tolist()], limit=k, filter=only, search_params=parameters)
        return np.array([hit["id"] for hit in found[0]], np.int64)

    def __del__(self):
        shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)


def mask_of(count: int) -> Mask:
    """Return the mask of the filter that is measured: one row in twenty."""
    return np.random.default_rng(5).random(count) < 0.05


CONTESTANTS: dict[str, type[Contestant]] = {
    "FAISS HNSW f16": FaissGraph,
    "hnswlib": Hnswlib,
    "usearch f16": Usearch,
    "lancedb": Lancedb,
    "qdrant-client, local": QdrantLocal,
    "milvus-lite": MilvusLite,
}
