"""Compare the whole catalogue of a platform with the shop: mend what missed webhooks left, remove what is gone.

An export is read into documents, which are compared with those of the inbox; the newer one of each product counts, by
the platform's own clock. What that makes is written as a feed, and the shop is updated from it as from any other, with
the same checks, so that an export that was cut short removes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.platform_documents.document import ProductDocument, read_document
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.opening import has_catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.build.report import IndexReport
from indexer.encoders.base import Encoder
from indexer.numeric import batches
from search.connect.inbox import Inbox

PAGE_DOCUMENTS = 500
_STAGE = "INSERT OR REPLACE INTO staged (platform, id, updated, body) VALUES (?, ?, ?, ?)"
_STAGED_PAGE = """SELECT staged.id, staged.updated, staged.body, documents.updated, documents.body, documents.version
    FROM staged LEFT JOIN documents USING (platform, id)
    WHERE staged.platform = ? AND staged.id > ? ORDER BY staged.id LIMIT ?"""
_NEWEST = "SELECT coalesce(max(updated), 0) FROM staged WHERE platform = ?"
_UNLISTED = """SELECT id, updated, body, version FROM documents WHERE platform = ?1 AND body IS NOT NULL
    AND id NOT IN (SELECT id FROM staged WHERE platform = ?1) ORDER BY id"""
_UPDATE_STAGED = "UPDATE staged SET body = ? WHERE platform = ? AND id = ?"
# A document that a webhook changed while the shop was updated keeps that change, and is worked on again.
_COMMIT = """INSERT INTO documents (platform, id, updated, body, version, pending, shown)
    SELECT platform, id, updated, body, 1, 0, ?3 FROM staged WHERE platform = ?1 AND id = ?2
    ON CONFLICT (platform, id) DO UPDATE SET
    updated = CASE WHEN version = ?4 THEN excluded.updated ELSE updated END,
    body = CASE WHEN version = ?4 THEN excluded.body ELSE body END,
    pending = version != ?4, shown = excluded.shown, failure = '', failures = 0"""
_RETAIN = "UPDATE documents SET shown = ?3, pending = (version != ?4) WHERE platform = ?1 AND id = ?2"
_REMOVE = """UPDATE documents SET body = CASE WHEN version = ?3 THEN NULL ELSE body END, shown = '[]',
    pending = (version != ?3) WHERE platform = ?1 AND id = ?2"""
_KNOWN = "SELECT id, shown FROM documents WHERE platform = ?"
_REPEAT = "UPDATE documents SET pending = 1 WHERE platform = ?1 AND id = ?2"


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """How to reconcile; `currency` is that of prices where the export names none. See UpdateOptions for the rest."""

    currency: str = ""
    allow_shrink: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a reconciliation found, and the report of the update of the shop.

    `mended` are products of the export that the inbox had not, or not so; `newer` those of which a webhook is newer;
    `gone` those that the platform does not have any more.
    """

    products: int
    mended: int
    newer: int
    gone: int
    report: IndexReport


@dataclass(slots=True)
class _Decision:
    """What becomes of one document: which one counts, and the ids of its products in the feed."""

    id: str
    from_export: bool
    version: int  # of the inbox's document when the feed was written; 0 without one
    shown: list[str]
    is_mended: bool = False
    is_gone: bool = False


def reconcile(
    home: Path, platform: str, documents: Iterable[ProductDocument], encoder: Encoder, options: ReconcileOptions
) -> Reconciliation:
    """Make the shop equal to the products of an export, or of newer webhooks.

    Products of other feeds are removed; those that came in no feed, but by a merchant or the API, stay.
    Raises BadFeed for an export without products, and what `update_index` raises; then nothing is changed.
    """
    feed = ShopHome(home).platform_feed
    feed.parent.mkdir(parents=True, exist_ok=True)
    with closing(Inbox(home)) as inbox:
        _stage(inbox, platform, documents)
        decisions: list[_Decision] = []
        write_atomically(feed, lambda path: decisions.extend(_write_feed(path, inbox, platform, options.currency)))
        if not any(decision.from_export for decision in decisions):
            raise BadFeed(f"The export of {platform} lists no product.", "Is it the right file?")
        report = _update(home, feed, encoder, options, _removable(inbox, platform, decisions))
        _commit(inbox, platform, decisions)
    present = [decision for decision in decisions if not decision.is_gone]
    return Reconciliation(
        products=len(present),
        mended=sum(decision.is_mended for decision in present),
        newer=sum(not decision.from_export for decision in present),
        gone=len(decisions) - len(present),
        report=report,
    )


def _stage(inbox: Inbox, platform: str, documents: Iterable[ProductDocument]) -> None:
    """Write the export's documents into the table `staged`, in place of those of an earlier run."""
    with inbox.writing() as db:
        db.execute("DELETE FROM staged WHERE platform = ?", (platform,))
    for page in batches(documents, PAGE_DOCUMENTS):
        rows = [(platform, document.id, document.updated, document.to_json()) for document in page]
        with inbox.writing() as db:
            db.executemany(_STAGE, rows)


def _write_feed(path: Path, inbox: Inbox, platform: str, currency: str) -> Iterator[_Decision]:
    """Write the feed of the documents that count, a line for each product; yield a decision for each document."""
    with path.open("w", encoding="utf-8") as feed:
        for document, decision in _compared(inbox, platform):
            for cells in () if document is None else document.rows(currency):
                decision.shown.append(cells["id"][0])
                line = {name: values if name == "image" else values[0] for name, values in cells.items()}
                feed.write(json.dumps(line, ensure_ascii=False) + "\n")
            yield decision


def _compared(inbox: Inbox, platform: str) -> Iterator[tuple[ProductDocument | None, _Decision]]:
    """Yield the document of each product that counts, None for one that is gone, and a decision about it."""
    last = ""
    while True:
        with inbox.writing() as db:
            rows = db.execute(_STAGED_PAGE, (platform, last, PAGE_DOCUMENTS)).fetchall()
            compared = [_newer_of(*row) for row in rows]
            merged = [(document.to_json(), platform, found.id) for document, found in compared if document is not None]
            db.executemany(_UPDATE_STAGED, merged)
        yield from compared
        if not rows:
            break
        last = rows[-1][0]
    with inbox.writing() as db:
        newest = db.execute(_NEWEST, (platform,)).fetchone()[0]
        unlisted = db.execute(_UNLISTED, (platform,)).fetchall()
    for product_id, updated, body, version in unlisted:
        gone = updated <= newest
        yield None if gone else read_document(body), _Decision(product_id, False, version, [], is_gone=gone)


def _newer_of(
    product_id: str, updated: float, body: str, known_updated: float | None, known_body: str | None, version: int | None
) -> tuple[ProductDocument | None, _Decision]:
    """Return the newer one of an export's document and the inbox's own, by the platform's clock."""
    known = None if known_body is None else read_document(known_body)
    if known_updated is not None and known_updated > updated:
        return known, _Decision(product_id, False, version or 0, [], is_gone=known is None)
    document = read_document(body).merged(known)
    return document, _Decision(product_id, True, version or 0, [], is_mended=document.to_json() != known_body)


def _removable(inbox: Inbox, platform: str, decisions: list[_Decision]) -> Callable[[Product], bool]:
    """Return what tells whether a product may be removed: it came in a feed, or the platform has or had it."""
    known = {product_id for decision in decisions for product_id in (decision.id, *decision.shown)}
    with inbox.writing() as db:
        for product_id, shown in db.execute(_KNOWN, (platform,)):
            known.update((product_id, *json.loads(shown)))
    return lambda product: bool(product.origin) or product.id in known


def _update(
    home: Path, feed: Path, encoder: Encoder, options: ReconcileOptions, removable: Callable[[Product], bool]
) -> IndexReport:
    """Update the shop from the feed, or index it where there is no shop yet."""
    if not has_catalogue(home):
        return build_index(home, feed, encoder, fetch=True)
    update = UpdateOptions(
        feed, fetch=True, allow_shrink=options.allow_shrink, force=options.force, removable=removable
    )
    return update_index(home, encoder, update)


def _commit(inbox: Inbox, platform: str, decisions: list[_Decision]) -> None:
    """Take over what the shop has now; what a webhook changed meanwhile is worked on again."""
    decided = {decision.id for decision in decisions}
    with inbox.writing() as db:
        for decision in decisions:
            key = (platform, decision.id)
            if decision.is_gone and not decision.from_export:
                db.execute(_REMOVE, (*key, decision.version))
            else:
                statement = _COMMIT if decision.from_export else _RETAIN
                db.execute(statement, (*key, json.dumps(decision.shown), decision.version))
        for (product_id,) in db.execute("SELECT id FROM documents WHERE platform = ?", (platform,)).fetchall():
            if product_id not in decided:
                db.execute(_REPEAT, (platform, product_id))
        db.execute("DELETE FROM staged WHERE platform = ?", (platform,))
