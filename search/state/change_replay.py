"""Replay the catalogue's change log onto a snapshot: each step takes some changes and returns the next snapshot.

A step takes the changes after the snapshot's number, reads the products that they name as they are now, and applies
them to rows and columns at once. Products may be newer than the step's last change: then a later step applies them
again, which alters nothing. So a snapshot that has caught up equals one that has just been opened.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.columns.column_files import change_noted, map_table
from indexer.generations.store import Generation
from search.state.column_store import ProductColumns
from search.state.live_rows import ProductRows
from search.state.row_encoder import RowEncoder, same_rows
from search.state.snapshot import GenerationRows, ShopChanges, Snapshot

MAX_LIVE_ROWS = 5_000
CHANGES_PER_STEP = 1_024
MAX_REPLAYED_CHANGES = 50_000  # beyond them a new index is due, and only removals are followed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangeReplayer:
    """Brings snapshots up to date with a catalogue, with at most `limit` live rows."""

    catalogue: Catalogue
    limit: int = MAX_LIVE_ROWS

    def open(self, rows: GenerationRows, columns: ProductColumns | None = None) -> Snapshot:
        """Return the snapshot of a generation at its change, with its own columns, these, or the catalogue's.

        Steps have to follow: the columns may be of a later change than the generation, whose rows are then behind.
        The columns of another generation are taken only where this one has none, or is too far behind to be replayed:
        they have arrays of their own in memory and keep the files of theirs mapped.
        """
        built, last = rows.generation.manifest.seq, self.catalogue.seq
        if last < built:
            log.warning("The catalogue is older than the index: index the shop again")
        target = min(built, last)
        columns = self._columns(rows.generation, columns, last)
        while columns.seq < target:
            seq, puts, gone = self._changes(columns)
            columns = columns.changed(puts, gone, seq)
        snapshot = Snapshot.of(rows, columns)
        return snapshot if columns.seq - snapshot.seq <= MAX_REPLAYED_CHANGES else self._skipped(snapshot, columns)

    def behind(self, snapshot: Snapshot) -> bool:
        """Return whether the catalogue has changed since the snapshot."""
        return self.catalogue.seq != snapshot.seq

    def step(self, snapshot: Snapshot, encoder: RowEncoder) -> Snapshot:
        """Return the snapshot after more of the log.

        A product that does not fit among the live rows keeps its earlier rows and waits for room; its facts are new.
        """
        last = self.catalogue.seq
        if last < snapshot.seq:  # an older catalogue has replaced the one that we knew
            return self.open(snapshot.generation_rows)
        if last - snapshot.seq > MAX_REPLAYED_CHANGES:
            return self._skipped(snapshot, ProductColumns.read(self.catalogue))
        seq, puts, gone = self._changes(snapshot.columns)
        candidates = puts
        if waiting := sorted(snapshot.waiting - gone - puts.keys()):
            freed = sum(len(snapshot.live.rows(key).hashes) for key in (*gone, *puts))
            room = max(0, self.limit - len(snapshot.live) + freed)
            candidates = puts | self.catalogue.get_many(waiting[:room])  # what is put now comes first, see `room_for`
        return snapshot.changed(self._row_changes(snapshot, encoder, candidates, ShopChanges(seq, puts, gone)))

    def room_for(self, snapshot: Snapshot, key: int | None, rows: ProductRows) -> bool:
        """Return whether a product with these rows fits among the live rows."""
        return len(snapshot.live) + self.growth(snapshot, key, rows) <= self.limit

    def growth(self, snapshot: Snapshot, key: int | None, rows: ProductRows) -> int:
        """Return how many more live rows a product with these rows needs than it has now."""
        if key is not None and same_rows(rows, snapshot.generation_rows.rows(key)):
            return 0
        return len(rows.hashes) - (0 if key is None else len(snapshot.live.rows(key).hashes))

    def _columns(self, generation: Generation, columns: ProductColumns | None, last: int) -> ProductColumns:
        """Return the columns in a generation's folder; without any, these if they can be replayed, or the catalogue's.

        A catalogue that has another change where the generation was built is not the one that it was built from.
        """
        built = generation.manifest.seq
        usable = columns is not None and columns.seq <= last
        if built <= last and (not usable or last - built <= MAX_REPLAYED_CHANGES):
            mapped = map_table(ProductColumns, generation.folder, generation.manifest.files, built)
            if mapped is not None:
                noted = change_noted(generation.folder)
                if noted is None or noted == self.catalogue.product_changed_at(built):
                    return mapped
                log.warning("The catalogue is not the one of the index: index the shop again")
                return ProductColumns.read(self.catalogue)
        if columns is None or not usable or min(built, last) - columns.seq > MAX_REPLAYED_CHANGES:
            return ProductColumns.read(self.catalogue)
        return columns

    def _skipped(self, snapshot: Snapshot, columns: ProductColumns) -> Snapshot:
        log.warning("%d changes wait for a new index; only removals are followed", columns.seq - snapshot.seq)
        return snapshot.skipped_to(columns)

    def _changes(self, columns: ProductColumns) -> tuple[int, dict[int, Product], set[int]]:
        """Return the last of the next changes, the products that they name by key, and the keys that are gone.

        The log names products by id. The columns know the keys of all searchable products, also of one that was
        removed and put again, which has another key since.
        """
        changes = self.catalogue.changes(columns.seq, CHANGES_PER_STEP)
        ids = dict.fromkeys(change.product_id for change in changes)
        found = self.catalogue.find(ids)
        puts = dict(found[product_id] for product_id in ids if product_id in found)
        return changes[-1].seq if changes else self.catalogue.seq, puts, columns.keys_of(ids) - puts.keys()

    def _row_changes(
        self, snapshot: Snapshot, encoder: RowEncoder, candidates: Mapping[int, Product], changes: ShopChanges
    ) -> ShopChanges:
        """Return the changes with the rows of these products, and with those that did not fit among the live rows."""
        live: dict[int, ProductRows] = {}
        restored, hidden, waiting = set(), set(), set()
        taken = len(snapshot.live) - sum(len(snapshot.live.rows(key).hashes) for key in changes.gone)
        for key, rows in encoder.rows(candidates, snapshot).items():
            present = len(snapshot.live.rows(key).hashes)
            if not rows.hashes:
                hidden.add(key)
            elif same_rows(rows, snapshot.generation_rows.rows(key)):
                restored.add(key)
            elif taken - present + len(rows.hashes) <= self.limit:
                live[key] = rows
                taken += len(rows.hashes)
            else:
                waiting.add(key)
                continue
            taken -= present
        if waiting - snapshot.waiting:
            log.warning(
                "%d changed products exceed the limit of %d live rows: re-index the shop", len(waiting), self.limit
            )
        earlier = snapshot.waiting - candidates.keys() - set(changes.gone)
        return replace(changes, live=live, restored=restored, hidden=hidden, waiting=earlier | waiting)
