"""Both homes of vectors behind one face, and rows whose exact answers are worked out by reading them all."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from catalog.home import ShopHome
from catalog.product import Picture, Product
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import FLAT, IVF_SQ8, IndexPlan
from indexer.ann.recall import Goal, tune
from indexer.types import IndexRecord
from indexer.vectors.embedded import EmbeddedVectors
from indexer.vectors.milvus.generations import (
    RowsToWrite,
    follow_pointer,
    open_generation_vectors,
    tune_milvus,
    write_generation,
)

COUNT, DIM, LISTS = 1_200, 12, 16
HOSTILE = (
    '"',
    "'",
    "\\",
    '\\"',
    '") or row >= 0 or array_contains(labels, "',
    "' or 1 == 1 or brand == '",
    "a\nb\r\tc",
    "nul\0byte",
    "日本 ünïcødé 👟",
    "{row} %s $meta[x] /* -- */ ;",
    "x" * 500,
)
COLOURS = ("red", "green", "blue", "black")


@dataclass(frozen=True)
class Rows:
    """Random unit rows of products with two pictures each, in clusters, as float16."""

    count: int = COUNT
    seed: int = 0
    record: IndexRecord = field(default_factory=lambda: IndexRecord(FLAT))

    @cached_property
    def vectors(self):
        random = np.random.default_rng(self.seed)
        centres = random.normal(size=(24, DIM))
        rows = centres[random.integers(0, 24, self.count)] + 0.4 * random.normal(size=(self.count, DIM))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        rows[40:60] = rows[40:41]  # twenty that tie
        return rows.astype(np.float16)

    @property
    def keys(self):
        return np.arange(self.count, dtype=np.int64) // 2 + 1

    @property
    def hashes(self):
        return np.array([b"%064x" % number for number in range(self.count)], "S64")

    def products(self):
        for key in np.unique(self.keys).tolist():
            yield key, product(key)

    def queries(self, count=20):
        count = min(count, self.count)
        random = np.random.default_rng(7)
        noisy = self.vectors[:count].astype(np.float32) + 0.1 * random.normal(size=(count, DIM)).astype(np.float32)
        return noisy.astype(np.float32)

    def best(self, query, k, allowed=None):
        """The exact scores and numbers of the k best rows."""
        scores = np.einsum("ij,j->i", self.vectors.astype(np.float32), query)
        numbers = np.arange(self.count) if allowed is None else np.flatnonzero(allowed)
        order = numbers[np.lexsort((numbers, -scores[numbers]))][:k]
        return scores[order], order


def product(key):
    price = None if key % 11 == 0 else float(key % 50)
    attributes = {"colour": COLOURS[key % 4], "note": HOSTILE[key % len(HOSTILE)]}
    return Product(
        id=f"p{key}",
        title=f"Thing {key}",
        pictures=(Picture("a.jpg", "0" * 64),),
        category=f"Home > Shelf {key % 5}",
        brand=f"Brand {key % 9}",
        price=price,
        currency="EUR" if key % 2 else "USD",
        in_stock=key % 3 != 0,
        attributes=attributes,
    )


class FaissEngine:
    """FAISS in this process."""

    name = "faiss"

    def __init__(self, home):
        self.home = home

    @cached_property
    def flat(self):
        return self.write(1, Rows(), FLAT)

    @cached_property
    def lists(self):
        return self.write(2, Rows(), IVF_SQ8)

    def folder(self, number):
        folder = ShopHome(self.home).generation(number)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(self, number, rows, kind=FLAT):
        folder = self.folder(number)
        np.save(folder / "rows.npy", rows.vectors)
        index = VectorIndex.build(rows.vectors, IndexPlan(kind, LISTS if kind != FLAT else 0))
        index.save(folder / "index.faiss")
        record, _ = tune(index, rows.vectors, {"picture": rows.queries()}, Goal())
        self.records = {**getattr(self, "records", {}), number: record}
        return self.open(number)

    def open(self, number):
        folder = self.folder(number)
        rows = np.load(folder / "rows.npy", mmap_mode="r")
        return EmbeddedVectors(VectorIndex.load(folder / "index.faiss"), rows, self.records[number])


class MilvusEngine(FaissEngine):
    """Milvus, at the address of the setting."""

    name = "milvus"

    def write(self, number, rows, kind=FLAT):
        folder = self.folder(number)
        source = RowsToWrite(rows.vectors, rows.keys, rows.hashes, rows.products())
        plan = IndexPlan(kind, LISTS if kind != FLAT else 0)
        vectors = write_generation(self.home, folder, number, source, plan)
        vectors, self.recall = tune_milvus(vectors, rows.vectors, {"picture": rows.queries()}, Goal())
        self.records = {**getattr(self, "records", {}), number: vectors.record}
        follow_pointer(self.home, number)
        return self.open(number)

    def open(self, number):
        return open_generation_vectors(self.folder(number), replace(self.records[number]))
