"""Read and write products in PostgreSQL, some hundreds with a few statements each, and log every change."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from catalog.files.failpoints import failpoint
from catalog.postgres import price_rows, words
from catalog.postgres.connections import Connection
from catalog.product import Picture, Product
from catalog.storage.history import replaced
from catalog.storage.product_rows import NEW_KEYS, product_of, values_of
from catalog.storage.restoration import HistoryStatements

CHUNK_PRODUCTS = 500  # products read or written at once

SELECT_NEXT_KEYS = "SELECT key FROM products WHERE key > %s ORDER BY key LIMIT %s"
_SELECT_PRODUCTS = """SELECT key, id, title, category, price, currency, in_stock, brand, attributes, description,
    origin, link, list_price, item_group_id FROM products WHERE key = ANY(%s::bigint[]) ORDER BY key"""
_SELECT_KEYS = "SELECT id, key FROM products WHERE id = ANY(%s::text[])"
_SELECT_PICTURES = """SELECT product_key, path, sha256, width, height FROM pictures
    WHERE product_key = ANY(%s::bigint[]) ORDER BY product_key, position"""
_INSERT_PRODUCTS = """INSERT INTO products
    (key, id, title, category, price, currency, in_stock, brand, attributes, description, origin, link, list_price,
    item_group_id)
    SELECT key, id, title, category, price, currency, in_stock, brand, attributes::json, description, origin, link,
        list_price, item_group_id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS new (key, id, title, category, price, currency, in_stock, brand, attributes, description, origin, link,
        list_price, item_group_id)"""
_UPDATE_PRODUCTS = """UPDATE products SET id = new.id, title = new.title, category = new.category, price = new.price,
    currency = new.currency, in_stock = new.in_stock, brand = new.brand, attributes = new.attributes::json,
    description = new.description, origin = new.origin, link = new.link, list_price = new.list_price,
    item_group_id = new.item_group_id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS new (key, id, title, category, price, currency, in_stock, brand, attributes, description, origin, link,
        list_price, item_group_id)
    WHERE products.key = new.key"""
_UPDATE_ORIGINS = """UPDATE products SET origin = new.origin FROM unnest(%s::bigint[], %s::text[]) AS new (key, origin)
    WHERE products.key = new.key"""
_DELETE_PICTURES = "DELETE FROM pictures WHERE product_key = ANY(%s::bigint[])"
_INSERT_PICTURES = """INSERT INTO pictures (product_key, position, path, sha256, width, height)
    SELECT * FROM unnest(%s::bigint[], %s::integer[], %s::text[], %s::text[], %s::integer[], %s::integer[])"""
_DELETE_PRODUCTS = "DELETE FROM products WHERE key = ANY(%s::bigint[])"
_INSERT_CHANGES = """INSERT INTO changes (seq, product_id, kind, at)
    SELECT seq, product_id, kind, %s FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (seq, product_id, kind)"""
_INSERT_HISTORY = """INSERT INTO history (seq, key, generation, before)
    SELECT seq, key, %s::bigint, before::json FROM unnest(%s::bigint[], %s::bigint[], %s::text[])
    AS new (seq, key, before)"""
_TAKE_NUMBERS = """UPDATE counters SET key = greatest(key + %s, %s), seq = seq + %s
    RETURNING key, seq"""
STATEMENTS = HistoryStatements(
    changed="""SELECT product_id, json_agg(seq)::text FROM changes WHERE seq > %s AND seq <= %s
    GROUP BY product_id ORDER BY product_id""",
    steps="""SELECT product_id, history.key, generation, before FROM changes JOIN history USING (seq)
    WHERE seq IN (SELECT value::bigint FROM json_array_elements_text(%s::json)) ORDER BY product_id, seq""",
    undone="""SELECT product_id, before FROM changes JOIN history USING (seq)
    WHERE seq > %s::bigint AND seq <= %s::bigint ORDER BY seq""",
    unrecorded="""SELECT 1 FROM changes WHERE seq > %s AND NOT EXISTS
    (SELECT FROM history WHERE history.seq = changes.seq AND history.seq > %s) LIMIT 1""",
    imported="SELECT 1 FROM history WHERE seq > %s AND generation IS NOT NULL LIMIT 1",
    pictures="""SELECT DISTINCT picture ->> 1 FROM history, json_array_elements(before -> 'pictures') AS picture
    WHERE generation IS NOT NULL""",
    set_meta="INSERT INTO meta VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    get_meta="SELECT value FROM meta WHERE name = %s",
    delete_meta="DELETE FROM meta WHERE name = %s",
    forget="DELETE FROM history WHERE seq <= %s",
)


@dataclass
class _Written:
    """Products of one chunk that change: those before and after by key, in the order of the log."""

    new_keys: int = 0  # products that get a key that none had before
    highest: int = 0  # of the keys that others get
    inserted: dict[str, int | None] = field(default_factory=dict)  # key by id, None for a new one
    states: list[tuple[int | None, Product | None, Product | None]] = field(default_factory=list)
    origins: dict[int, str] = field(default_factory=dict)
    unchanged: int = 0


def put(
    db: Connection,
    products: Iterable[Product],
    generation: int | None = None,
    restored: Mapping[str, int] = NEW_KEYS,
    prices: bool = True,
) -> tuple[int, int, int]:
    """Write products; return the numbers added, changed and unchanged. Of products with one id, the last wins.

    `generation` is whose products the change belongs to, as `storage.history` has it. A product that is not there gets
    the key that it has in `restored`, or else a new one. Without `prices`, `record_prices` has to be called.
    """
    added = changed = unchanged = 0
    source = iter(products)
    while chunk := {product.id: product for product in itertools.islice(source, CHUNK_PRODUCTS)}:
        written = _compare(db, chunk, restored)
        _write(db, written, generation, prices)
        added += len(written.inserted)
        changed += len(written.states) - len(written.inserted)
        unchanged += written.unchanged
        failpoint("postgres.products-put")
    return added, changed, unchanged


def _compare(db: Connection, chunk: Mapping[str, Product], restored: Mapping[str, int]) -> _Written:
    keys: dict[str, int] = dict(db.execute(_SELECT_KEYS, (list(chunk),)).fetchall())
    known = read(db, list(keys.values()))
    written = _Written()
    for product in chunk.values():
        key = keys.get(product.id)
        if key is None:
            key = restored.get(product.id)
            written.inserted[product.id] = key
            written.new_keys += key is None
            written.highest = max(written.highest, key or 0)
            written.states.append((key, None, product))
        elif product != known[key]:
            written.states.append((key, known[key], product))
        else:
            written.unchanged += 1
            if product.origin != known[key].origin:  # line numbers shift without a change of the product
                written.origins[key] = product.origin
    return written


def _write(db: Connection, written: _Written, generation: int | None, prices: bool) -> None:
    """Write the rows of products, then what belongs to them: pictures, words, the log and both histories."""
    if written.origins:
        db.execute(_UPDATE_ORIGINS, (list(written.origins), list(written.origins.values())))
    if not written.states:
        return
    last_key, last_seq = _take_numbers(db, written)
    new_keys = itertools.count(last_key - written.new_keys + 1)
    states = [(next(new_keys) if key is None else key, old, new) for key, old, new in written.states]
    inserted = [(key, new) for key, old, new in states if old is None and new is not None]
    updated = [(key, new) for key, old, new in states if old is not None and new is not None]
    if inserted:
        db.execute(_INSERT_PRODUCTS, _columns((key, *values_of(product)) for key, product in inserted))
    if updated:
        db.execute(_UPDATE_PRODUCTS, _columns((key, *values_of(product)) for key, product in updated))
        db.execute(_DELETE_PICTURES, ([key for key, _ in updated],))
    pictures = [
        (key, place, picture.path, picture.sha256, picture.width, picture.height)
        for key, _, new in states
        for place, picture in enumerate(new.pictures if new else ())
    ]
    if pictures:
        db.execute(_INSERT_PICTURES, _columns(pictures))
    _log(db, states, last_seq, generation)
    if prices:
        record_prices(db, [(old, new) for _, old, new in states])
    words.write(db, states)
    if removed := [key for key, _, new in states if new is None]:
        db.execute(_DELETE_PRODUCTS, (removed,))


def _take_numbers(db: Connection, written: _Written) -> tuple[int, int]:
    """Return the last of the new keys, and of the numbers of changes, that these products get."""
    # A restored key was given before; one above all others has come with a catalogue that was moved here.
    values = (written.new_keys, written.highest, len(written.states))
    row = db.execute(_TAKE_NUMBERS, values).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def record_prices(db: Connection, changed: Sequence[tuple[Product | None, Product | None]]) -> None:
    """Record what products cost before and after changes that were written without their prices."""
    price_rows.record(db, changed)


def reserve_keys(db: Connection, count: int) -> int:
    """Keep the next `count` keys from new products; return the first of them."""
    row = db.execute(_TAKE_NUMBERS, (count, 0, 0)).fetchone()
    assert row is not None
    return int(row[0]) - count + 1


def _log(
    db: Connection, states: Sequence[tuple[int, Product | None, Product | None]], last_seq: int, generation: int | None
) -> None:
    """Write the lines of the change log that end with `last_seq`, and what they replaced."""
    first = last_seq - len(states) + 1
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    lines = [
        (first + number, new.id if new else old.id if old else "", "put" if new else "remove")
        for number, (_, old, new) in enumerate(states)
    ]
    db.execute(_INSERT_CHANGES, [at, *_columns(lines)])
    history = [(first + number, key, replaced(old, new)) for number, (key, old, new) in enumerate(states)]
    db.execute(_INSERT_HISTORY, [generation, *_columns(history)])


def _columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def remove(db: Connection, ids: Sequence[str], generation: int | None = None, prices: bool = True) -> int:
    """Remove products by id and return how many there were; ignore unknown ids. The rest is as in `put`."""
    distinct = list(dict.fromkeys(ids))
    count = 0
    for first in range(0, len(distinct), CHUNK_PRODUCTS):
        keys = db.execute(_SELECT_KEYS, (distinct[first : first + CHUNK_PRODUCTS],)).fetchall()
        found = read(db, [key for _, key in keys])
        _write(db, _Written(states=[(key, product, None) for key, product in found.items()]), generation, prices)
        count += len(found)
    return count


def key_of(db: Connection, product_id: str) -> int | None:
    """Return the key of a product, or None when no product has that id."""
    row = db.execute("SELECT key FROM products WHERE id = %s", (product_id,)).fetchone()
    return None if row is None else int(row[0])


def read(db: Connection, keys: Sequence[int]) -> dict[int, Product]:
    """Read products with their pictures by key, in key order, with two queries."""
    if not keys:
        return {}
    wanted = (list(keys),)
    pictures: dict[int, list[Picture]] = {}
    for key, *picture in db.execute(_SELECT_PICTURES, wanted):
        pictures.setdefault(key, []).append(Picture(*picture))
    return {row[0]: product_of(row, pictures.get(row[0], [])) for row in db.execute(_SELECT_PRODUCTS, wanted)}


def index_again(db: Connection) -> None:
    """Make the words of all products again, in the transaction."""
    db.execute("DELETE FROM words")
    db.execute("DELETE FROM word_counts")
    index_products(db)
    db.execute(STATEMENTS.set_meta, (words.ANALYSIS_NAME, words.current_analysis()))


def index_products(db: Connection) -> None:
    """Index all products, none of which is yet, in the transaction."""
    last = 0
    while keys := [row[0] for row in db.execute(SELECT_NEXT_KEYS, (last, CHUNK_PRODUCTS))]:
        words.write(db, ((key, None, product) for key, product in read(db, keys).items()))
        last = keys[-1]
