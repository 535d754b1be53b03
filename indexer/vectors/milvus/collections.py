"""The collections of one shop in Milvus: their names, their schema, the alias, and the removal of old ones.

A name has the shop's identity, the generation's number and a part drawn at random: `ws_<shop>_000012_3f9a61c0`. So two
shops may share one Milvus, and a build that was cut short never meets what it left. The identity lies in the home, with
the home's path: a copy of a home has another identity, and so never removes what the first one serves.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import DamagedGeneration, VectorsUnavailable
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.types import Floats, Ids
from indexer.vectors.contract import Hashes, RowFacts
from indexer.vectors.milvus.connection import INDEX_SECONDS, MilvusConnection
from indexer.vectors.milvus.expressions import (
    FACTS,
    IN_STOCK,
    KEY,
    LABELS,
    MAX_LABELS,
    NO_PRICE,
    ON_SALE,
    PRICE,
    ROW,
    SHA256,
    VECTOR,
    label_codes,
)

RECORD_FILE = "milvus.json"
BASE, LIVE = "_default", "live"  # partitions: the generation's rows, and those of products changed since
METRIC = "IP"
MAX_FETCH = 16_384  # results of one search, Milvus's own limit
MAX_LISTED = 4_096  # rows that a filter or a removal names one by one
MAX_ROUNDING = 1e-4  # largest distance of Milvus's score from the exact one
MAX_FACTS = 60_000  # bytes of the readable facts of a product, which Milvus limits; a longer one has none
_NAME = re.compile(r"ws_([0-9a-f]{16})_(\d{6,})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """What a generation's folder says of its vectors: where they are, without any password, and how many."""

    address: str
    collection: str
    rows: int
    dim: int

    def write(self, folder: Path) -> None:
        """Write the record into a folder that is being built."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        write_atomically(folder / RECORD_FILE, lambda path: path.write_text(text, encoding="utf-8"))

    @classmethod
    def read(cls, folder: Path) -> CollectionRecord:
        """Read the record of a generation's folder. Raises DamagedGeneration."""
        try:
            record = cls(**json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")))
            if not _NAME.fullmatch(record.collection) or record.rows < 1 or record.dim < 1:
                raise ValueError(f"unusable: {record}")
        except (OSError, ValueError, TypeError) as error:
            what = f"{folder / RECORD_FILE} is damaged: it cannot be read ({error})."
            raise DamagedGeneration(what, "Build the index again; pictures already encoded are reused.") from error
        return record


class ShopCollections:
    """The collections of the shop in `home`."""

    def __init__(self, home: Path, connection: MilvusConnection) -> None:
        self._home = home
        self._connection = connection

    def new_name(self, number: int) -> str:
        """Return a name for the vectors of a generation that is being built."""
        return f"ws_{self._identity(create=True)}_{number:06d}_{secrets.token_hex(4)}"

    def owns(self, collection: str) -> bool:
        """Return whether a collection is this home's own to remove."""
        match = _NAME.fullmatch(collection)
        return match is not None and match[1] == self._identity()

    def point_alias(self, collection: str) -> None:
        """Make the shop's alias, `ws_<shop>_current`, stand for a collection of its own; nothing where it does."""
        if not self.owns(collection):
            return
        alias = f"ws_{self._identity()}_current"
        aliases = self._connection.write("list_aliases", collection)
        if alias in aliases.get("aliases", ()):
            return
        try:
            self._connection.write("alter_alias", collection, alias)
        except (VectorsUnavailable, DamagedGeneration):  # there is none yet, or the server is down, which this tells
            self._connection.write("create_alias", collection, alias)

    def remove(self, collection: str) -> None:
        """Remove a collection of this home, if it is there."""
        if self.owns(collection) and self._connection.write("has_collection", collection):
            self._connection.write("drop_collection", collection)

    def remove_all_but(self, used: Collection[str]) -> list[str]:
        """Remove the collections of this home that no generation names, such as those of builds that were cut short."""
        listed = self._connection.write("list_collections")
        unused = sorted(name for name in listed if name not in used and self.owns(name))
        for name in unused:
            self.remove(name)
        return unused

    def _identity(self, create: bool = False) -> str:
        """Return the shop's identity, 16 hex digits; "" when it has none yet, or that of the home it was copied of.

        Raises OSError where there is one that cannot be read: another would leave its collections to nobody.
        """
        path = ShopHome(self._home).vectors_identity
        here = str(self._home.resolve())
        try:
            known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            if known["home"] == here and re.fullmatch("[0-9a-f]{16}", known["shop"]):
                return known["shop"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass  # a new home, a copy of one, or a file that somebody edited: an identity of its own is safe
        if not create:
            return ""
        identity = {"shop": secrets.token_hex(8), "home": here}
        write_atomically(path, lambda draft: draft.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8"))
        return identity["shop"]


def create_collection(connection: MilvusConnection, name: str, dim: int) -> None:
    """Create an empty collection with a partition for live rows."""
    types = connection.data_types()
    schema = connection.schema()
    schema.add_field(ROW, types.INT64, is_primary=True)
    schema.add_field(KEY, types.INT64)
    schema.add_field(SHA256, types.VARCHAR, max_length=64)
    schema.add_field(LABELS, types.ARRAY, element_type=types.INT64, max_capacity=MAX_LABELS)
    schema.add_field(PRICE, types.DOUBLE)
    schema.add_field(IN_STOCK, types.BOOL)
    schema.add_field(ON_SALE, types.BOOL)
    schema.add_field(FACTS, types.JSON)
    schema.add_field(VECTOR, types.FLOAT_VECTOR, dim=dim)
    connection.write("create_collection", name, schema=schema, consistency_level="Strong")
    connection.write("create_partition", name, LIVE)


def create_index(connection: MilvusConnection, name: str, index_type: str, params: dict[str, Any]) -> None:
    """Index the vectors of a collection that is filled, and load it."""
    connection.write("flush", name, timeout=INDEX_SECONDS)
    index = connection.index_params()
    # As one JSON value, Milvus's older form: milvus-lite passes over parameters that are given one by one.
    index.add_index(VECTOR, index_type=index_type, metric_type=METRIC, params={"params": params} if params else {})
    connection.write("create_index", name, index, timeout=INDEX_SECONDS)
    connection.write("load_collection", name, timeout=INDEX_SECONDS)


def entities(
    numbers: Ids, keys: Ids, hashes: Hashes, vectors: Floats, facts: Sequence[RowFacts]
) -> list[dict[str, Any]]:
    """Return rows as pymilvus inserts them, with the facts of each row's product."""
    prepared: dict[int, dict[str, Any]] = {}
    found = []
    parts = zip(numbers.tolist(), keys.tolist(), hashes.tolist(), vectors, facts, strict=True)
    for number, key, sha256, vector, fact in parts:
        if key not in prepared:
            prepared[key] = _columns(fact)
        vector = np.ascontiguousarray(vector, dtype=np.float32)
        found.append({ROW: number, KEY: key, SHA256: sha256.decode(), VECTOR: vector, **prepared[key]})
    return found


def _columns(facts: RowFacts) -> dict[str, Any]:
    readable = {field: list(labels) for field, labels in facts.labels.items()}
    if len(json.dumps(readable).encode()) > MAX_FACTS:
        readable = {}
    return {
        LABELS: label_codes(facts.labels),
        PRICE: NO_PRICE if facts.price is None else facts.price,
        IN_STOCK: facts.in_stock,
        ON_SALE: facts.on_sale,
        FACTS: readable,
    }
