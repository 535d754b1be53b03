"""The catalogue's change log onto a snapshot: a step takes some changes and makes the next snapshot."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from catalog.errors import UnknownProduct
from catalog.storage.catalogue import Catalogue
from search.state.column_store import ProductColumns
from search.state.row_encoder import RowEncoder, same_rows
from search.state.snapshot import ProductRows, RowChanges, Snapshot

LIVE_ROWS = 5_000
STEP = 1_024  # changes taken at a time
LONGEST_LOG = 50_000  # with more changes than that a new index is due, and only removals are followed

State = tuple[Snapshot, ProductColumns]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangeReplayer:
    """Brings snapshots up to date with a catalogue; at most `limit` rows are live."""

    catalogue: Catalogue
    limit: int = LIVE_ROWS

    def behind(self, snapshot: Snapshot) -> bool:
        """Whether the catalogue has changed since."""
        return self.catalogue.seq != snapshot.seq

    def step(self, state: State, rows: RowEncoder, removed: Mapping[str, int] | None = None) -> State:
        """The state after some more of the log; `removed` gives the keys of products known to have been removed.

        What finds no room among the live rows keeps the rows it had, and is counted as waiting; its facts are new.
        """
        snapshot, columns = state
        last = self.catalogue.seq
        if last < snapshot.seq:  # an older catalogue was put in place of the one we knew
            snapshot, columns = Snapshot.of(snapshot.shelf), ProductColumns.read(self.catalogue)
        behind = last - snapshot.seq
        if behind < 0:  # older than the generation even: what it lacks can be told, what differs cannot
            log.warning("The catalogue is older than the index: index the shop again")
            return snapshot.changed(RowChanges({}, gone=self._vanished(snapshot)), last), columns
        if behind > LONGEST_LOG:
            log.warning("%d changes wait for a new index; only removals are followed", behind)
            gone = self._vanished(snapshot)
            return snapshot.changed(RowChanges({}, gone=gone), last, behind), ProductColumns.read(self.catalogue)
        changes = self.catalogue.changes(snapshot.seq, STEP)
        if not changes:
            return replace(snapshot, seq=last), columns
        removed = removed or {}
        keys = self._keys(dict.fromkeys(change.product_id for change in changes))
        gone = {key for product_id, key in removed.items() if keys.get(product_id) != key}
        swept = snapshot.swept
        if any(c.kind == "remove" and c.seq > swept and c.product_id not in removed for c in changes):
            swept = self.catalogue.seq
            gone |= self._vanished(snapshot)
        products = self.catalogue.get_many(list(keys.values()))
        delta, waiting = self._delta(snapshot, rows.rows(products, snapshot), gone)
        moved = replace(snapshot.changed(delta, changes[-1].seq, waiting), swept=swept)
        return moved, columns.changed(products, gone)

    def room_for(self, snapshot: Snapshot, key: int | None, rows: ProductRows) -> bool:
        """Whether a product with these rows can be live beside the others."""
        if key is not None and same_rows(rows, snapshot.shelf.rows(key)):
            return True
        present = 0 if key is None else len(snapshot.live.rows(key).hashes)
        return len(snapshot.live) - present + len(rows.hashes) <= self.limit

    def _delta(self, snapshot: Snapshot, made: Mapping[int, ProductRows], gone: set[int]) -> tuple[RowChanges, int]:
        live: dict[int, ProductRows] = {}
        shown = []
        taken, waiting = len(snapshot.live), 0
        for key, rows in made.items():
            present = len(snapshot.live.rows(key).hashes)
            if not rows.hashes:
                gone.add(key)
            elif same_rows(rows, snapshot.shelf.rows(key)):
                shown.append(key)
            elif taken - present + len(rows.hashes) <= self.limit:
                live[key] = rows
                taken += len(rows.hashes)
            else:
                waiting += 1
                continue
            taken -= present
        if waiting:
            log.warning("%d changed products found no room among %d live rows: re-index the shop", waiting, self.limit)
        return RowChanges(live, frozenset(shown), frozenset(gone - live.keys() - set(shown))), waiting

    def _keys(self, ids: Mapping[str, None]) -> dict[str, int]:
        found = {}
        for product_id in ids:
            try:
                found[product_id] = self.catalogue.key_of(product_id)
            except UnknownProduct:
                continue
        return found

    def _vanished(self, snapshot: Snapshot) -> set[int]:
        """The keys that can be found but that the catalogue has no more: the log names products by id only."""
        present = np.array(self.catalogue.keys(), dtype=np.int64)
        searched = snapshot.found_keys()
        return set(searched[~np.isin(searched, present)].tolist())
