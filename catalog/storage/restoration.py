"""Restore the products of an earlier or a later generation from the history of changes.

The products of a generation are those it was built from, with the changes that were made while it was current, and
with every edit of single products that was made since. So an edit outlives a restoration as far as it can: it is
applied to its own fields only, and an edit of a product that the generation lacks is applied when one goes forward.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

from catalog.product import Product
from catalog.storage import product_rows
from catalog.storage.connections import Connections
from catalog.storage.history import NEVER, State, decode, encode
from catalog.storage.word_index import LAST_SEQ

_SELECT_CHANGED = """SELECT product_id, json_group_array(seq) FROM changes WHERE seq > ? AND seq <= ?
    GROUP BY product_id ORDER BY product_id"""
_SELECT_STEPS = """SELECT product_id, history.key, generation, before FROM changes JOIN history USING (seq)
    WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY product_id, seq"""
_SELECT_UNDONE = """SELECT product_id, before FROM changes JOIN history USING (seq) WHERE seq > ? AND seq <= ?
    ORDER BY seq"""
_SELECT_UNRECORDED = """SELECT 1 FROM changes WHERE seq > ? AND seq NOT IN (SELECT seq FROM history WHERE seq > ?)
    LIMIT 1"""
_SELECT_PICTURES = """SELECT DISTINCT json_extract(picture.value, '$[1]')
    FROM history, json_each(history.before, '$.pictures') AS picture WHERE generation IS NOT NULL"""
RESTORED = "history.restored"  # the name in `meta` of the first and last change of the last restoration
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Restoration:
    """What restoring the products of a generation does, in products.

    `edits_remaining` keep edits that were made since. `edits_waiting` go away and have such edits, which are applied
    again when one goes forward. Without `complete`, the history does not reach back that far, and no product changes.
    """

    come_back: int = 0
    go_away: int = 0
    changed: int = 0
    edits_remaining: int = 0
    edits_waiting: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Step:
    """One change of a product: the fields before it, where they differ, or None for none; and whose change it is."""

    generation: int | None
    before: State | None


@dataclass(frozen=True, slots=True)
class _Target:
    """A product that changed since: as it is now, as it is to be, and whether edits decide what it is to be."""

    product_id: str
    key: int
    now: Product | None
    wanted: Product | None
    edited: bool  # by single edits since
    effective: bool  # the edits alter what it is to be


class ProductHistory:
    """The history of a catalogue's products."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def preview(self, seq: int, generation: int) -> Restoration:
        """Return what `restoring` would do now, and change nothing."""
        with self._connections.snapshot() as db:
            if not _is_complete(db, seq):
                return Restoration(complete=False)
            return _counted(_targets(db, seq, generation))

    @contextmanager
    def restoring(self, seq: int, generation: int) -> Iterator[Restoration]:
        """Restore the products of the generation that was built at change `seq`; commit when the block ends.

        Every product has the key that it had then, so that the rows of the generation are its rows again. Within the
        block this thread reads the new state, other threads the old one, and nobody else can write.
        """
        with self._connections.transaction() as db:
            complete, first = _is_complete(db, seq), _last_seq(db)
            restoration = Restoration(complete=False)
            if complete:
                restoration = _counted(_written(db, _targets(db, seq, generation)))
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (RESTORED, f"{first} {_last_seq(db)}"))
            yield restoration

    def undone(self) -> Iterator[tuple[str, State | None]]:
        """Yield the changes that the last restoration undid, until the next import: product ids and fields.

        None stands for a removal that was undone.
        """
        with self._connections.snapshot() as db:
            found = db.execute("SELECT value FROM meta WHERE name = ?", (RESTORED,)).fetchone()
            for product_id, before in db.execute(_SELECT_UNDONE, found[0].split()) if found else ():
                yield product_id, None if before is None else json.loads(before)

    def forget(self, seq: int) -> None:
        """Forget what the changes up to `seq` replaced; joins an open transaction."""
        with self._connections.checked() as db:
            db.execute("DELETE FROM history WHERE seq <= ?", (seq,))

    def pictures(self) -> set[str]:
        """Return the content hashes of the pictures that restored products may show: those of no edit's products."""
        with self._connections.snapshot() as db:
            return {row[0] for row in db.execute(_SELECT_PICTURES)}


def settle(db: sqlite3.Connection) -> None:
    """Forget which changes the last restoration undid: an import has changed the products since."""
    db.execute("DELETE FROM meta WHERE name = ?", (RESTORED,))


def _last_seq(db: sqlite3.Connection) -> int:
    return int(db.execute(LAST_SEQ).fetchone()[0])


def _is_complete(db: sqlite3.Connection, seq: int) -> bool:
    """Return whether the history has every change after `seq`: a catalogue of an older version has no earlier ones."""
    return db.execute(_SELECT_UNRECORDED, (seq, seq)).fetchone() is None


def _counted(targets: Iterable[_Target]) -> Restoration:
    come_back = go_away = changed = edits_remaining = edits_waiting = 0
    for target in targets:
        goes = target.now is not None and target.wanted is None
        go_away += goes
        come_back += target.now is None and target.wanted is not None
        changed += target.now is not None and target.wanted is not None and target.now != target.wanted
        edits_remaining += target.effective
        edits_waiting += goes and target.edited and not target.effective
    return Restoration(come_back, go_away, changed, edits_remaining, edits_waiting)


def _written(db: sqlite3.Connection, targets: Iterator[_Target]) -> Iterator[_Target]:
    """Write the products as they are to be, some at a time, and yield them."""
    for chunk in _chunks(targets):
        changing = [target for target in chunk if target.now != target.wanted]
        wanted = {target.key: target.wanted for target in changing if target.wanted is not None}
        keys = {product.id: key for key, product in wanted.items()}
        product_rows.put(db, wanted.values(), NEVER, keys)
        product_rows.remove(db, [target.product_id for target in changing if target.wanted is None], NEVER)
        yield from chunk


def _targets(db: sqlite3.Connection, seq: int, generation: int) -> Iterator[_Target]:
    """Yield every product that changed after `seq`, in the order of ids; those yielded before may be written.

    Only the ids and the numbers of the changes are in memory for all of them.
    """
    changed = db.execute(_SELECT_CHANGED, (seq, _last_seq(db))).fetchall()
    for part in _chunks(iter(changed)):
        numbers = [number for _, seqs in part for number in json.loads(seqs)]
        rows = db.execute(_SELECT_STEPS, (json.dumps(numbers),)).fetchall()
        chunk = [(product_id, list(steps)) for product_id, steps in itertools.groupby(rows, itemgetter(0))]
        keys = [product_rows.key_of(db, product_id) for product_id, _ in chunk]
        found = product_rows.read(db, [key for key in keys if key is not None])
        for (product_id, changes), key in zip(chunk, keys, strict=True):
            now = None if key is None else found[key]
            steps = [_Step(owner, None if before is None else json.loads(before)) for _, _, owner, before in changes]
            base, wanted = _replayed(None if now is None else encode(now), steps, generation)
            edited = any(step.generation is None for step in steps)
            product = None if wanted is None else decode(product_id, wanted)
            yield _Target(product_id, key or changes[0][1], now, product, edited, edited and base != wanted)


def _replayed(now: State | None, steps: list[_Step], generation: int) -> tuple[State | None, State | None]:
    """Return a product without the single edits of these steps, and with them; None where there is no product."""
    after: list[State | None] = []  # of each step
    state = now
    for step in reversed(steps):
        after.append(state)
        state = None if step.before is None else {**(state or {}), **step.before}
    plain = edited = state
    for step, result in zip(steps, reversed(after), strict=True):
        if step.generation == generation:
            plain = _applied(plain, step, result)
        if step.generation in (None, generation):
            edited = _applied(edited, step, result)
    return plain, edited


def _applied(state: State | None, step: _Step, after: State | None) -> State | None:
    """Return a product after a change that was made to another state of it: only its own fields are set."""
    if after is None or step.before is None:
        return after
    return None if state is None else {**state, **{name: after[name] for name in step.before if name in after}}


def _chunks(items: Iterator[Item]) -> Iterator[list[Item]]:
    while chunk := list(itertools.islice(items, product_rows.CHUNK_PRODUCTS)):
        yield chunk
