"""Replay the catalogue's change log onto a snapshot: each step takes some changes and returns the next snapshot."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from catalog.errors import UnknownProduct
from catalog.storage.catalogue import Catalogue
from search.state.column_store import ProductColumns
from search.state.row_encoder import RowEncoder, same_rows
from search.state.snapshot import ProductRows, RowChanges, Snapshot

MAX_LIVE_ROWS = 5_000
CHANGES_PER_STEP = 1_024
MAX_REPLAYED_CHANGES = 50_000  # beyond them a new index is due, and only removals are followed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangeReplayer:
    """Brings snapshots up to date with a catalogue, with at most `limit` live rows."""

    catalogue: Catalogue
    limit: int = MAX_LIVE_ROWS

    def behind(self, snapshot: Snapshot) -> bool:
        """Return whether the catalogue has changed since the snapshot."""
        return self.catalogue.seq != snapshot.seq

    def step(
        self, snapshot: Snapshot, columns: ProductColumns, encoder: RowEncoder, removed: Mapping[str, int] | None = None
    ) -> tuple[Snapshot, ProductColumns]:
        """Return snapshot and columns after more of the log; `removed` has the keys of products known to be removed.

        A product that does not fit among the live rows keeps its earlier rows and counts as waiting; its facts are new.
        """
        last = self.catalogue.seq
        if last < snapshot.seq:  # an older catalogue has replaced the one that we knew
            snapshot, columns = Snapshot.of(snapshot.generation_rows), ProductColumns.read(self.catalogue)
        behind = last - snapshot.seq
        if behind < 0:  # even older than the generation: removals are visible, changes are not
            log.warning("The catalogue is older than the index: index the shop again")
            return snapshot.changed(RowChanges({}, gone=self._vanished(snapshot)), last), columns
        if behind > MAX_REPLAYED_CHANGES:
            log.warning("%d changes wait for a new index; only removals are followed", behind)
            gone = self._vanished(snapshot)
            return snapshot.changed(RowChanges({}, gone=gone), last, behind), ProductColumns.read(self.catalogue)
        changes = self.catalogue.changes(snapshot.seq, CHANGES_PER_STEP)
        if not changes:
            return replace(snapshot, seq=last), columns
        removed = removed or {}
        keys = self._keys(change.product_id for change in changes)
        gone = {key for product_id, key in removed.items() if keys.get(product_id) != key}
        swept = snapshot.swept
        if any(c.kind == "remove" and c.seq > swept and c.product_id not in removed for c in changes):
            swept = self.catalogue.seq
            gone |= self._vanished(snapshot)
        products = self.catalogue.get_many(list(keys.values()))
        row_changes, waiting = self._row_changes(snapshot, encoder.rows(products, snapshot), gone)
        changed = replace(snapshot.changed(row_changes, changes[-1].seq, waiting), swept=swept)
        return changed, columns.changed(products, gone)

    def room_for(self, snapshot: Snapshot, key: int | None, rows: ProductRows) -> bool:
        """Return whether a product with these rows fits among the live rows."""
        if key is not None and same_rows(rows, snapshot.generation_rows.rows(key)):
            return True
        present = 0 if key is None else len(snapshot.live.rows(key).hashes)
        return len(snapshot.live) - present + len(rows.hashes) <= self.limit

    def _row_changes(
        self, snapshot: Snapshot, product_rows: Mapping[int, ProductRows], gone: set[int]
    ) -> tuple[RowChanges, int]:
        """Return the changes in rows, and how many products did not fit among the live rows."""
        live: dict[int, ProductRows] = {}
        restored = []
        taken, waiting = len(snapshot.live), 0
        for key, rows in product_rows.items():
            present = len(snapshot.live.rows(key).hashes)
            if not rows.hashes:
                gone.add(key)
            elif same_rows(rows, snapshot.generation_rows.rows(key)):
                restored.append(key)
            elif taken - present + len(rows.hashes) <= self.limit:
                live[key] = rows
                taken += len(rows.hashes)
            else:
                waiting += 1
                continue
            taken -= present
        if waiting:
            log.warning("%d changed products exceed the limit of %d live rows: re-index the shop", waiting, self.limit)
        return RowChanges(live, frozenset(restored), frozenset(gone - live.keys() - set(restored))), waiting

    def _keys(self, ids: Iterable[str]) -> dict[str, int]:
        keys = {}
        for product_id in dict.fromkeys(ids):
            with suppress(UnknownProduct):
                keys[product_id] = self.catalogue.key_of(product_id)
        return keys

    def _vanished(self, snapshot: Snapshot) -> set[int]:
        """Return the searchable keys that the catalogue no longer has: the log names products by id only."""
        return set(snapshot.found_keys().tolist()) - set(self.catalogue.keys())
