"""Record what products cost in PostgreSQL: the same packed segments as in SQLite, of many products at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from catalog.files.failpoints import failpoint
from catalog.postgres.connections import Connection
from catalog.price_history import segments
from catalog.price_history.appending import appended, changes_of
from catalog.price_history.price_change import PriceChange
from catalog.price_history.price_history import PriceStatements
from catalog.product import Product

_SELECT_LAST = """SELECT DISTINCT ON (product_id) product_id, number, changes FROM price_segments
    WHERE product_id = ANY(%s::text[]) ORDER BY product_id, number DESC"""
_WRITE = """INSERT INTO price_segments SELECT * FROM unnest(%s::text[], %s::integer[], %s::bytea[])
    ON CONFLICT (product_id, number) DO UPDATE SET changes = excluded.changes"""
_DELETE = "DELETE FROM price_segments WHERE product_id = %s"
STATEMENTS = PriceStatements(
    newest_first="SELECT changes FROM price_segments WHERE product_id = %s ORDER BY number DESC",
    page="""SELECT product_id, changes FROM price_segments WHERE product_id IN
    (SELECT DISTINCT product_id FROM price_segments WHERE product_id > %s ORDER BY product_id LIMIT %s)
    ORDER BY product_id, number DESC""",
    changed="""SELECT seq, product_id FROM changes LEFT JOIN history USING (seq) WHERE seq > %s
    AND (kind = 'remove' OR before IS NULL OR before -> 'price' IS NOT NULL OR before -> 'list_price' IS NOT NULL
        OR before -> 'currency' IS NOT NULL OR before -> 'in_stock' IS NOT NULL)
    ORDER BY seq LIMIT nullif(%s::bigint, -1)""",
    present="""SELECT key, id, price, list_price, currency, in_stock, changes FROM products
    LEFT JOIN LATERAL (SELECT changes FROM price_segments WHERE product_id = id ORDER BY number DESC LIMIT 1) AS last
    ON true WHERE key > %s ORDER BY key LIMIT %s""",
)


def record(db: Connection, states: Sequence[tuple[Product | None, Product | None]]) -> None:
    """Record what products cost before and after a change each, within its transaction; at most one of a product."""
    changes: dict[str, list[PriceChange]] = {}
    for old, new in states:
        product = new or old
        if product is not None and (found := changes_of(old, new)):
            changes[product.id] = found
    if changes:
        _append(db, changes)
    failpoint("postgres.prices-recorded")


def _append(db: Connection, changes: Mapping[str, Sequence[PriceChange]]) -> None:
    rows = db.execute(_SELECT_LAST, (list(changes),)).fetchall()
    last = {product_id: (number, segment) for product_id, number, segment in rows}
    now = int(time.time())
    written = [
        (product_id, number, segment)
        for product_id, found in changes.items()
        for number, segment in appended(last.get(product_id), found, now).items()
    ]
    if written:
        db.execute(_WRITE, [list(column) for column in zip(*written, strict=True)])


def rewrite(db: Connection, product_id: str, changes: Sequence[PriceChange]) -> None:
    """Put these changes, the oldest first, in place of a product's whole history."""
    db.execute(_DELETE, (product_id,))
    for number, segment in enumerate(segments.split(changes)):
        db.execute(_WRITE, ([product_id], [number], [segment]))
