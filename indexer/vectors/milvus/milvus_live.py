"""Live rows in a partition of their generation's collection: put and removed at once, and visible to the next search.

A live row's number is a digest of its product, its picture and its vector: two servers that follow the same change
write the same row, and a snapshot knows by their numbers exactly which rows are its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.numeric import chunks
from indexer.types import Floats, Ids
from indexer.vectors.contract import Hashes, RowFacts
from indexer.vectors.milvus.collections import LIVE, MAX_FETCH, MAX_LISTED, MAX_ROUNDING, METRIC, entities
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.expressions import KEY, ROW, VECTOR, any_of
from indexer.vectors.milvus.remote_rows import MESSAGE_BYTES, RowReader

FIRST_NUMBER = 2**61  # numbers of a generation's rows are below it
NO_FACTS = RowFacts()


@dataclass(frozen=True, slots=True)
class MilvusLiveVectors:
    """The live rows of a collection. Threads and processes share it; milvus-lite wants one writer at a time."""

    connection: MilvusConnection
    collection: str
    reader: RowReader
    lists: int = 0  # of the index, all of which are read

    def put(self, keys: Ids, hashes: Hashes, vectors: Floats, facts: Mapping[int, RowFacts]) -> Ids:
        """Store rows, those that are there already too; return their numbers."""
        vectors = np.asarray(vectors, np.float16).astype(np.float32)
        parts = zip(keys.tolist(), hashes.tolist(), vectors, strict=True)
        numbers = np.array([_number(key, sha256, vector) for key, sha256, vector in parts], np.int64)
        by_row = [facts.get(key, NO_FACTS) for key in keys.tolist()]
        _, first = np.unique(numbers, return_index=True)
        for part in chunks(len(first), max(1, MESSAGE_BYTES // (4 * self.reader.dim))):
            at = first[part]
            rows = entities(numbers[at], keys[at], hashes[at], vectors[at], [by_row[place] for place in at.tolist()])
            self.connection.write("upsert", self.collection, rows, partition_name=LIVE)
        self.reader.remember(numbers, vectors)
        return numbers

    def remove(self, numbers: Ids) -> None:
        """Remove rows by number."""
        for part in chunks(len(numbers), MAX_LISTED):
            ids = numbers[part].tolist()
            self.connection.write("delete", self.collection, ids=ids, partition_name=LIVE)

    def best(self, query: Floats, k: int, numbers: Ids) -> Ids:
        """Return the places in `numbers` of the k best of these rows and of those that may tie with the last."""
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        k = min(k, len(numbers))
        if k < 1:
            return np.zeros(0, np.int64)
        where = any_of(ROW, ordered.tolist()) if len(numbers) <= MAX_LISTED else ""
        fetch = min(4 * k + 64, MAX_FETCH)
        while True:
            scores, found = self._ask(query, fetch, where)
            places = np.minimum(np.searchsorted(ordered, found), len(ordered) - 1)
            own = ordered[places] == found
            scores_own, best = scores[own], order[places[own]]
            exhausted = len(found) < fetch or fetch == MAX_FETCH
            if exhausted or (len(best) >= k and float(scores[-1]) < float(scores_own[k - 1]) - MAX_ROUNDING):
                least = float(scores_own[k - 1]) - MAX_ROUNDING if len(best) >= k else -np.inf
                return self._all_alike(numbers, np.sort(best[scores_own >= least]))
            fetch = min(4 * fetch, MAX_FETCH)

    def rows(self, numbers: Ids) -> Floats:
        """Return float32 (n, dim); zeros for rows that were removed."""
        return self.reader.read(numbers)[0].astype(np.float32)

    def _all_alike(self, numbers: Ids, places: Ids) -> Ids:
        """Return all places whose number is that of one of these: a product may show one picture twice."""
        return np.flatnonzero(np.isin(numbers, numbers[places]))

    def _ask(self, query: Floats, fetch: int, where: str) -> tuple[Floats, Ids]:
        (hits,) = self.connection.read(
            "search",
            self.collection,
            data=[np.asarray(query, np.float32)],
            anns_field=VECTOR,
            limit=fetch,
            filter=where,
            search_params={"metric_type": METRIC, "params": {"nprobe": max(1, self.lists)}},
            output_fields=[KEY],
            partition_names=[LIVE],
            consistency_level="Strong",
        )
        numbers = np.fromiter((hit[ROW] for hit in hits), np.int64)
        return np.fromiter((hit["distance"] for hit in hits), np.float32), numbers


def _number(key: int, sha256: bytes, vector: Floats) -> int:
    digest = hashlib.blake2b(b"%d\0%s\0" % (key, sha256), digest_size=8)
    digest.update(vector.astype("<f4").tobytes())
    return FIRST_NUMBER + int.from_bytes(digest.digest(), "big") % FIRST_NUMBER
