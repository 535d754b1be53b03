"""Databases that are compared: lancedb, the local mode of qdrant-client, and milvus-lite.

Each has the row's number and a column `passes`, by which the filter is a condition. None can be held to one thread, so
what counts is the processor time of all of the process's threads; milvus-lite's server is one of them.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from tests.bench.peers.contestants import BUILD_EFFORT, GRAPH_EFFORTS, LINKS, LIST_EFFORTS, Contestant, mask_of

INSERTED = 1_000  # rows at once
OCTET = 8  # lancedb wants a multiple of it


class LanceTable(Contestant):
    """A table of lancedb, float32 rows in files, refined with them; `passes` has an index.

    With float16 rows k-means takes many times as long on a processor that does not calculate with them.
    """

    packages = ("lancedb",)
    widths = LIST_EFFORTS
    refines = (5, 10, 20, 40)
    reads_files = True

    @abstractmethod
    def configuration(self, count, dim):
        """Return the configuration of the index of vectors."""

    def build(self, rows, emphasis, folder):
        import lancedb
        import pyarrow as pa
        from lancedb.index import Bitmap

        dim = padded(rows[:1]).shape[1]
        vectors = pa.list_(pa.float32(), dim)
        columns = [("number", pa.int64()), ("passes", pa.bool_()), ("vector", vectors)]
        passes = mask_of(len(rows))

        def batches():
            for start in range(0, len(rows), INSERTED):
                part = padded(rows[start : start + INSERTED])
                flat = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), dim)
                numbers = pa.array(np.arange(start, start + len(part)))
                yield pa.RecordBatch.from_arrays(
                    [numbers, pa.array(passes[start : start + len(part)]), flat], schema=pa.schema(columns)
                )

        table = lancedb.connect(folder).create_table("rows", batches(), schema=pa.schema(columns))
        table.create_index("vector", config=self.configuration(len(rows), dim))
        table.create_index("passes", config=Bitmap())

    def open(self, folder, rows, mask):
        import lancedb

        self.table = lancedb.connect(folder).open_table("rows")

    def search(self, query, k, effort, filtered=False):
        wanted = self.width(self.table.search(padded(query)).distance_type("dot"), effort, k)
        wanted = wanted.refine_factor(effort.refine).limit(k)
        if filtered:
            wanted = wanted.where("passes", prefilter=True)
        return wanted.select(["number", "_distance"]).to_arrow()["number"].to_numpy()

    def width(self, wanted, effort, k):
        """Return the search with as many lists."""
        return wanted.nprobes(effort.width)


class LanceLists(LanceTable):
    """Lists of PQ codes: as many as its default, and a code for eight numbers."""

    def configuration(self, count, dim):
        from lancedb.index import IvfPq

        return IvfPq(distance_type="dot", num_partitions=int(math.sqrt(count)), num_sub_vectors=dim // OCTET)


class LanceBits(LanceTable):
    """Lists of RaBitQ codes, one bit a number."""

    def configuration(self, count, dim):
        from lancedb.index import IvfRq

        return IvfRq(distance_type="dot", num_partitions=int(math.sqrt(count)))


class LanceGraph(LanceTable):
    """A graph of 8-bit numbers in one list, with its default links and effort."""

    widths = GRAPH_EFFORTS
    refines = (1, 2, 5)

    def configuration(self, count, dim):
        from lancedb.index import HnswSq

        return HnswSq(distance_type="dot", num_partitions=1)

    def width(self, wanted, effort, k):
        return wanted.nprobes(1).ef(max(effort.width, k * effort.refine))  # it takes no less


class QdrantLocal(Contestant):
    """The local mode of qdrant-client in memory: NumPy over all rows, exact, without an index."""

    packages = ("qdrant-client",)
    widths = (1,)
    in_memory = True

    def build(self, rows, emphasis, folder):
        from qdrant_client import QdrantClient, models

        self.client = QdrantClient(":memory:")
        self.client.create_collection(
            "rows", vectors_config=models.VectorParams(size=rows.shape[1], distance=models.Distance.DOT)
        )
        passes = [{"passes": bool(ok)} for ok in mask_of(len(rows))]
        vectors = (row.astype(np.float32) for row in rows)
        self.client.upload_collection("rows", vectors=vectors, payload=passes, ids=range(len(rows)))
        condition = models.FieldCondition(key="passes", match=models.MatchValue(value=True))
        self.only = models.Filter(must=[condition])

    def open(self, folder, rows, mask):
        """Nothing: it was built in this process."""

    def search(self, query, k, effort, filtered=False):
        only = self.only if filtered else None
        found = self.client.query_points("rows", query=query, limit=k, query_filter=only, with_payload=False).points
        return np.array([point.id for point in found], np.int64)


class MilvusLite(Contestant):
    """Milvus in a folder: its graph, one for at most 100,000 rows, over float32 rows; `passes` has an index."""

    packages = ("milvus-lite", "pymilvus")

    def build(self, rows, emphasis, folder):
        from pymilvus import DataType, MilvusClient, MilvusException

        client = MilvusClient(str(folder / "rows.db"))
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=rows.shape[1])
        schema.add_field("passes", DataType.BOOL)
        client.create_collection("rows", schema=schema)
        passes = mask_of(len(rows))
        for start in range(0, len(rows), INSERTED):
            part = rows[start : start + INSERTED].astype(np.float32)
            fields = zip(range(start, start + len(part)), part, passes[start : start + len(part)], strict=True)
            client.insert("rows", [{"id": at, "vector": row, "passes": bool(ok)} for at, row, ok in fields])
        client.flush("rows")
        for wanted in self.indexes(client):
            try:
                client.create_index("rows", wanted)
            except MilvusException as error:  # a connection that is lost in minutes: the client asks a second time
                if "already exists" not in error.message:
                    raise
        client.load_collection("rows")
        client.close()

    def indexes(self, client):
        """Return the parameters of its indexes."""
        graph, only = client.prepare_index_params(), client.prepare_index_params()
        effort = {"M": LINKS, "efConstruction": BUILD_EFFORT}
        graph.add_index("vector", index_type="HNSW", metric_type="IP", params=effort)
        only.add_index("passes", index_type="INVERTED")
        return graph, only

    def open(self, folder, rows, mask):
        from pymilvus import MilvusClient

        self.client = MilvusClient(str(folder / "rows.db"))
        self.client.load_collection("rows")

    def search(self, query, k, effort, filtered=False):
        only = "passes == true" if filtered else ""
        parameters = {"metric_type": "IP", "params": {"ef": effort.width}}
        found = self.client.search("rows", [query], limit=k, filter=only, search_params=parameters)
        return np.array([hit["id"] for hit in found[0]], np.int64)


def padded(rows):
    """Return rows or a query as float32, with zeros up to a multiple of eight numbers, which change no score."""
    missing = -rows.shape[-1] % OCTET
    return np.pad(np.asarray(rows, np.float32), [*[(0, 0)] * (rows.ndim - 1), (0, missing)])
