"""Write a generation's vectors into Milvus, open them, and let alias and old collections follow the shop's pointer.

The file `current` in the shop's home decides which generation is served; the alias in Milvus follows it, for other
programs that read the collection. A crash between the two leaves the alias behind, and the recovery that each build and
each opening server begins with moves it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.errors import BadInput, DamagedGeneration, VectorsUnavailable, WindowshopError
from catalog.files.failpoints import failpoint
from catalog.home import ShopHome
from catalog.product import Product
from indexer.ann.exact_rerank import OVERFETCH_FACTOR
from indexer.ann.index_plan import FLAT, IVF_SQ8, IndexPlan, list_count
from indexer.ann.mmap_arrays import release_pages
from indexer.ann.recall import Goal, Rows, recall_at_10, require_recall, tenth_scores
from indexer.numeric import chunks
from indexer.types import Floats, Ids, IndexRecord, Recall
from indexer.vectors.contract import Hashes, RowFacts
from indexer.vectors.facts import facts_of
from indexer.vectors.milvus.address import MilvusAddress, configured
from indexer.vectors.milvus.collections import (
    RECORD_FILE,
    CollectionRecord,
    ShopCollections,
    create_collection,
    create_index,
    entities,
)
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.milvus_vectors import INDEX_TYPES, MilvusVectors
from indexer.vectors.milvus.remote_rows import MESSAGE_BYTES, RowReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RowsToWrite:
    """The rows (n, dim) of a generation with their product keys and picture hashes, and its products by rising key."""

    rows: Rows
    keys: Ids
    hashes: Hashes
    products: Iterable[tuple[int, Product]]


def write_generation(home: Path, folder: Path, number: int, source: RowsToWrite, plan: IndexPlan) -> MilvusVectors:
    """Write rows into a new collection and index it; the record of it goes into the generation's folder.

    Raises VectorsUnavailable.
    """
    address = configured()
    assert address is not None
    connection = MilvusConnection(address)
    collections = ShopCollections(home, connection)
    with suppress(DamagedGeneration, OSError):  # where a record cannot be read, what earlier builds left stays
        collections.remove_all_but(_named_collections(home))
    name = collections.new_name(number)
    count, dim = source.rows.shape
    CollectionRecord(str(address), name, count, dim).write(folder)  # before the collection: it says what to remove
    create_collection(connection, name, dim)
    failpoint("milvus.created")
    for part, facts in _with_facts(source, max(1, MESSAGE_BYTES // (4 * dim))):
        block = source.rows[part].astype(np.float32)
        numbers = np.arange(part.start, part.stop)
        connection.write("insert", name, entities(numbers, source.keys[part], source.hashes[part], block, facts))
        release_pages(source.rows, part)
    failpoint("milvus.filled")
    lists = 0 if plan.kind == FLAT else plan.lists or list_count(count)
    kind = FLAT if plan.kind == FLAT else IVF_SQ8
    create_index(connection, name, INDEX_TYPES[kind], {"nlist": lists} if lists else {})
    failpoint("milvus.indexed")
    record = IndexRecord(kind, lists, 0, 0, plan.seed)
    return MilvusVectors(connection, name, count, record, RowReader(connection, name, dim))


def tune_milvus(
    vectors: MilvusVectors, rows: Rows, queries: Mapping[str, Floats], goal: Goal
) -> tuple[MilvusVectors, Recall]:
    """Choose the fewest probes that reach the goal, measured against exact search of `rows`, as `tune` does for FAISS.

    Raises GenerationError when even probing all lists stays below `goal.minimum`.
    """
    total = sum(len(found) for found in queries.values())
    truths = {name: tenth_scores(rows, found) for name, found in queries.items()}
    flat = vectors.kind == FLAT
    record = replace(vectors.record, nprobe=0 if flat else 1, overfetch=0 if flat else OVERFETCH_FACTOR)
    while True:
        vectors = replace(vectors, record=record)
        reached = {name: recall_at_10(vectors.search, rows, queries[name], truths[name]) for name in queries}
        if min(reached.values()) >= goal.target or record.nprobe >= record.lists:
            return vectors, require_recall(reached, total, goal)
        record = replace(record, nprobe=min(record.nprobe * 2, record.lists))


def open_generation_vectors(folder: Path, record: IndexRecord) -> MilvusVectors:
    """Open the vectors that a generation's folder names. Raises DamagedGeneration when Milvus lacks them.

    A Milvus that does not answer is no reason not to open: texts are searched without it, until it is back.
    """
    stored = CollectionRecord.read(folder)
    connection = MilvusConnection(_address(stored))
    reader = RowReader(connection, stored.collection, stored.dim)
    try:
        connection.read("describe_collection", stored.collection)
    except VectorsUnavailable as error:
        log.warning("Generation %s is opened without its vectors: %s", folder.name, error)
    return MilvusVectors(connection, stored.collection, stored.rows, record, reader)


def follow_pointer(home: Path, number: int) -> None:
    """Let the alias follow the shop's pointer, and remove collections that no generation names; never fails."""
    folder = ShopHome(home).generation(number)
    try:
        address = configured()
        record = CollectionRecord.read(folder) if (folder / RECORD_FILE).is_file() else None
        if record is not None:
            address = _address(record)
        if address is None:
            return
        collections = ShopCollections(home, MilvusConnection(address))
        if record is not None:
            collections.point_alias(record.collection)
        collections.remove_all_but(_named_collections(home))
    except (WindowshopError, OSError) as error:
        log.warning("Alias and old collections in Milvus wait for the next build: %s", error)


def remove_unnamed(home: Path) -> None:
    """Remove collections that no generation names, such as that of a build that failed; never fails itself."""
    try:
        if (address := configured()) is not None:
            ShopCollections(home, MilvusConnection(address)).remove_all_but(_named_collections(home))
    except (WindowshopError, OSError) as error:
        log.warning("Collections that a build left in Milvus wait for the next build: %s", error)


def _address(record: CollectionRecord) -> MilvusAddress:
    """Return where a collection was written; with the password, where the setting says the same address."""
    with suppress(BadInput):
        if (address := configured()) is not None and str(address) == record.address:
            return address
    return MilvusAddress.parse(record.address)


def _named_collections(home: Path) -> set[str]:
    """Return the collections that the generations on disk name, also those of a build that is going on.

    Raises DamagedGeneration or OSError where one of them cannot be read: it may name any collection.
    """
    named = set()
    folders: list[Path] = []
    with suppress(FileNotFoundError):  # a shop without generations
        folders.extend(ShopHome(home).generations.iterdir())  # `glob` would pass over a folder that cannot be read
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError):  # a generation that is not in Milvus
            (folder / RECORD_FILE).stat()
            named.add(CollectionRecord.read(folder).collection)
    return named


def _with_facts(source: RowsToWrite, size: int) -> Iterator[tuple[slice, list[RowFacts]]]:
    """Yield parts of the rows with the facts of each row's product; both are in the order of keys."""
    products = iter(source.products)
    key, facts = -1, RowFacts()
    for part in chunks(len(source.keys), size):
        found = []
        for wanted in source.keys[part].tolist():
            while key < wanted:
                key, product = next(products, (np.iinfo(np.int64).max, None))
                facts = facts_of(product) if product is not None and key == wanted else RowFacts()
            found.append(facts if key == wanted else RowFacts())
        yield part, found
