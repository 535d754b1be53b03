"""Record what each change replaced, so that the products of an earlier generation can be restored.

A row of the table `history` belongs to one line of the change log. `before` is NULL when the product was not there,
all of its fields when the change removed it, and else only the fields that the change replaced. `generation` is whose
products the change belongs to: NULL for an edit of single products, which counts for every generation; the number of
the generation that was current for an import that made none; NEVER for an import that made a generation, which holds
the result, and for a restoration.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from catalog.product import Picture, Product

NEVER = 0  # as a generation: the change is not part of any generation's later products
SCHEMA = """CREATE TABLE IF NOT EXISTS history (
    seq INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    generation INTEGER,
    before TEXT)"""

_INSERT = "INSERT INTO history (seq, key, generation, before) VALUES (?, ?, ?, ?)"
_FIELDS = {field.name: str(field.type) for field in fields(Product) if field.name != "id"}
_AMOUNTS = frozenset(name for name, type_name in _FIELDS.items() if "Decimal" in type_name)
_MAPPINGS = frozenset(name for name, type_name in _FIELDS.items() if "Mapping" in type_name)
State = dict[str, Any]  # the fields of a product as JSON values, by name
_PRICE = frozenset({"price", "currency", "list_price"})  # an amount means nothing without the others


class WrittenProduct(NamedTuple):
    """A product that was written: its key, and what it was before and is now; None where it was or is not there."""

    key: int
    old: Product | None
    new: Product | None

    @property
    def product_id(self) -> str:
        """The product's id."""
        product = self.new or self.old
        return "" if product is None else product.id


def record_many(db: sqlite3.Connection, first: int, written: Sequence[WrittenProduct], generation: int | None) -> None:
    """Record products before and after the changes from number `first` on, within the transaction of the changes."""
    rows = [(seq, row.key, generation, replaced(row.old, row.new)) for seq, row in enumerate(written, first)]
    db.executemany(_INSERT, rows)


def replaced(old_product: Product | None, new_product: Product | None) -> str | None:
    """Return what a change replaced as JSON: fields that differ, all of a removed product, None of an added one."""
    if old_product is None:
        return None
    old = encode(old_product)
    if new_product is not None:
        new = encode(new_product)
        old = {name: value for name, value in old.items() if new[name] != value}
    return json.dumps(old, ensure_ascii=False, separators=(",", ":"))


def encode(product: Product) -> State:
    """Return every field of a product but its id as JSON values."""
    return {name: _encoded(name, getattr(product, name)) for name in _FIELDS}


def decode(product_id: str, state: Mapping[str, Any]) -> Product:
    """Return the product of a state; fields that an earlier version did not have get their defaults."""
    return Product(product_id, **{name: _decoded(name, state[name]) for name in _FIELDS if name in state})


def with_fields(state: Mapping[str, Any], names: Iterable[str], source: Mapping[str, Any]) -> State:
    """Return a state with these fields of another; price, currency and list price count as one field."""
    wanted = set(names)
    if wanted & _PRICE:
        wanted |= _PRICE
    return {**state, **{name: source[name] for name in wanted if name in source}}


def sets_again(product: Product, fields_before: Mapping[str, Any] | None) -> bool:
    """Return whether a product has all of these fields, as a change before had set them."""
    state = encode(product)
    compared = {name: value for name, value in (fields_before or {}).items() if name in state and name != "origin"}
    return bool(compared) and all(state[name] == value for name, value in compared.items())


def _encoded(name: str, value: Any) -> Any:
    if name == "pictures":
        return [[picture.path, picture.sha256, picture.width, picture.height] for picture in value]
    if name in _AMOUNTS:
        return None if value is None else str(value)
    return dict(value) if name in _MAPPINGS else value


def _decoded(name: str, value: Any) -> Any:
    if name == "pictures":
        return tuple(Picture(*picture) for picture in value)
    if name in _AMOUNTS:
        return None if value is None else Decimal(value)
    return MappingProxyType(value) if name in _MAPPINGS else value
