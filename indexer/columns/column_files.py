"""The table of a generation's products as files of its folder: written when it is built, mapped when it is opened."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog.errors import DamagedGeneration
from indexer.columns.array_files import Arrays, map_arrays, write_arrays
from indexer.columns.label_columns import LabelColumn
from indexer.columns.label_dictionary import LabelDictionary, LabelLists
from indexer.columns.price_order import PriceOrder
from indexer.columns.product_table import ShopTable
from indexer.columns.text_column import HashIndex, TextColumn

COLUMNS = "columns"  # what the names of the files begin with
COLUMNS_FILE = f"{COLUMNS}.json"
FORMAT = 1

Table = TypeVar("Table", bound=ShopTable)


def write_table(folder: Path, table: ShopTable, changed: str | None = None) -> None:
    """Write a table of products, none of which was removed, and the id of the product that was `changed` last."""
    order = table.price_order
    arrays: Arrays = {
        "keys": table.keys,
        **_texts("ids", table.ids),
        "by_id": table.by_id,
        "id_hashes": table.id_index.hashes,
        "id_places": table.id_index.places,
        "prices": table.prices,
        "stock": table.stock,
        "reduced": table.reduced,
        "rising": order.rising,
        "falling": order.falling,
        "rising_prices": order.values,
    }
    for number, labels in enumerate(table.labels.values()):
        sizes, codes = labels.lists.spans(len(labels.list_counts))
        arrays |= {
            f"{number}.numbers": labels.numbers,
            f"{number}.list_counts": labels.list_counts,
            f"{number}.list_ends": np.cumsum(sizes).astype(np.int32),
            f"{number}.list_codes": codes.astype(np.int32),
            **{f"{number}.{name}": array for name, array in labels.words.arrays().items()},
        }
    write_arrays(folder, COLUMNS, arrays, {"format": FORMAT, "fields": [*table.labels], "changed": changed})


def map_table(kind: type[Table], folder: Path, files: Container[str], seq: int) -> Table | None:
    """Return the table in a generation's folder, as of change `seq`; None where it has none that can be used.

    `files` are those of the generation's manifest, which were checked. A generation of an earlier version has no
    table, and one of a later version may have another format.
    """
    if COLUMNS_FILE not in files:
        return None
    try:
        arrays, notes = map_arrays(folder, COLUMNS)
        if notes["format"] != FORMAT:
            return None
        parts: defaultdict[str, Arrays] = defaultdict(dict)
        for name, array in arrays.items():
            owner, _, part = name.partition(".")
            parts[owner][part] = array
        fields = {name: _labels(parts[str(number)]) for number, name in enumerate(notes["fields"])}
        return kind(
            arrays["keys"],
            TextColumn(arrays["ids.blob"], arrays["ids.offsets"]),
            arrays["by_id"],
            HashIndex(arrays["id_hashes"], arrays["id_places"]),
            arrays["prices"],
            arrays["stock"],
            arrays["reduced"],
            np.ones(len(arrays["keys"]), np.bool_),
            fields,
            seq,
            PriceOrder(arrays["rising"], arrays["falling"], arrays["rising_prices"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedGeneration(
            f"The columns in {folder} cannot be read ({error!r}).", "Index the shop again."
        ) from error


def change_noted(folder: Path) -> str | None:
    """Return the id of the product that was changed last when a table was written; None where that was not noted."""
    body = json.loads((folder / COLUMNS_FILE).read_text(encoding="utf-8"))
    noted = body["notes"].get("changed")
    return None if noted is None else str(noted)


def note_change(folder: Path, changed: str) -> bool:
    """Note another product as the one that was changed last; return whether the file is another one now."""
    path = folder / COLUMNS_FILE
    if not path.is_file() or change_noted(folder) == changed:
        return False
    body = json.loads(path.read_text(encoding="utf-8"))
    body["notes"]["changed"] = changed
    path.write_text(json.dumps(body), encoding="utf-8")
    return True


def _texts(name: str, texts: TextColumn) -> Arrays:
    packed = texts.packed()
    return {f"{name}.blob": packed.blob, f"{name}.offsets": packed.offsets}


def _labels(parts: Arrays) -> LabelColumn:
    lists = LabelLists(parts["list_ends"], parts["list_codes"])
    return LabelColumn(LabelDictionary(parts), lists, parts["numbers"], parts["list_counts"])
