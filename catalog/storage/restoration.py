"""Restore the products of an earlier or a later generation from the history of changes.

The products of a generation are those it was built from, with the changes that were made while it was current, and
with every edit of single products that was made since. So an edit outlives a restoration as far as it can: it is
applied to its own fields only, and an edit of a product that the generation lacks is applied when one goes forward.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from catalog.database import Database, Session
from catalog.product import Product
from catalog.storage.history import NEVER, State, decode, encode, with_fields

_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM changes"
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


@dataclass(frozen=True, slots=True)
class HistoryStatements:
    """The statements of a database that select changes and what they replaced, with parameters in this order.

    `changed` (seq, last seq) selects the products that changed after the one and up to the other, each with the numbers
    of its changes as JSON; `steps` (numbers as JSON) product id, key, generation and fields before; `undone` (seq, last
    seq) ids and fields before; `unrecorded` (seq, seq) a change after `seq` without history; `imported` (seq) one after
    `seq` that is no edit; `pictures` the hashes of their pictures;
    `set_meta` (name, value) writes a text; `get_meta` (name) reads it; `delete_meta` (name) deletes it; `forget` (seq)
    deletes the history up to a change.
    """

    changed: str
    steps: str
    undone: str
    unrecorded: str
    imported: str
    pictures: str
    set_meta: str
    get_meta: str
    delete_meta: str
    forget: str


class StoredProducts(Protocol):
    """Reads and writes products in a session: the module `product_rows` of a database."""

    STATEMENTS: HistoryStatements
    CHUNK_PRODUCTS: int  # whose changes are in memory at once

    def key_of(self, db: Any, product_id: str, /) -> int | None:
        """Return the key of a product, or None when no product has that id."""

    def read(self, db: Any, keys: Sequence[int], /) -> dict[int, Product]:
        """Read products by key, in key order."""

    def put(
        self,
        db: Any,
        products: Iterable[Product],
        generation: int | None,
        restored: Mapping[str, int],
        prices: bool = ...,
        /,
    ) -> tuple[int, int, int]:
        """Write products; one that is not there gets the key that it has in `restored`."""

    def remove(self, db: Any, ids: Sequence[str], generation: int | None, prices: bool = ..., /) -> int:
        """Remove products by id; return how many there were."""

    def record_prices(self, db: Any, changed: Sequence[tuple[Product | None, Product | None]], /) -> None:
        """Record what products cost before and after changes that were written without their prices."""


class ProductHistory:
    """The history of a catalogue's products."""

    def __init__(self, database: Database, rows: StoredProducts) -> None:
        self._database = database
        self._rows = rows
        self._statements = rows.STATEMENTS

    def preview(self, seq: int, generation: int) -> Restoration:
        """Return what `restoring` would do now, and change nothing."""
        with self._database.snapshot() as db:
            if not self._is_complete(db, seq):
                return Restoration(complete=False)
            return _counted(self._targets(db, seq, generation))

    @contextmanager
    def restoring(self, seq: int, generation: int) -> Iterator[Restoration]:
        """Restore the products of the generation that was built at change `seq`; commit when the block ends.

        Every product has the key that it had then, so that the rows of the generation are its rows again. Within the
        block this thread reads the new state, other threads the old one, and nobody else can write.
        """
        with self._database.transaction() as db:
            complete, first = self._is_complete(db, seq), _last_seq(db)
            restoration = Restoration(complete=False)
            if complete:
                restoration = _counted(self._written(db, self._targets(db, seq, generation)))
            db.execute(self._statements.set_meta, (RESTORED, f"{first} {_last_seq(db)}"))
            yield restoration

    def undone(self) -> Iterator[tuple[str, State | None]]:
        """Yield the changes that the last restoration undid, until the next import: product ids and fields.

        None stands for a removal that was undone.
        """
        with self._database.snapshot() as db:
            found = db.execute(self._statements.get_meta, (RESTORED,)).fetchone()
            for product_id, before in db.execute(self._statements.undone, found[0].split()) if found else ():
                yield product_id, None if before is None else json.loads(before)

    def edits_since(self, seq: int) -> dict[str, frozenset[str] | None]:
        """Return the ids of products that changed after `seq`, each with the fields that were replaced.

        None stands for all fields: the product was added, or nothing was recorded.
        """
        with self._database.snapshot() as db:
            changed = db.execute(self._statements.changed, (seq, _last_seq(db))).fetchall()
            numbers = {product_id: json.loads(found) for product_id, found in changed}
            every = json.dumps([number for found in numbers.values() for number in found])
            rows = db.execute(self._statements.steps, (every,)).fetchall()
        replaced: dict[str, list[State | None]] = {product_id: [] for product_id in numbers}
        for product_id, _, _, before in rows:
            replaced[product_id].append(None if before is None else json.loads(before))
        return {
            product_id: None
            if None in states or len(states) < len(numbers[product_id])
            else frozenset(name for state in states if state for name in state)
            for product_id, states in replaced.items()
        }

    def has_import_since(self, seq: int) -> bool:
        """Return whether an import or a restoration changed products after `seq`, or may have: nothing is recorded."""
        with self._database.snapshot() as db:
            return db.execute(self._statements.imported, (seq,)).fetchone() is not None or not self._is_complete(
                db, seq
            )

    def forget(self, seq: int) -> None:
        """Forget what the changes up to `seq` replaced; joins an open transaction."""
        with self._database.joined() as db:
            db.execute(self._statements.forget, (seq,))

    def pictures(self) -> set[str]:
        """Return the content hashes of the pictures that restored products may show: those of no edit's products."""
        with self._database.snapshot() as db:
            return {row[0] for row in db.execute(self._statements.pictures)}

    def settle(self, db: Session) -> None:
        """Forget which changes the last restoration undid: an import has changed the products since."""
        db.execute(self._statements.delete_meta, (RESTORED,))

    def _is_complete(self, db: Session, seq: int) -> bool:
        """Return whether the history has every change after `seq`: an older version recorded none."""
        return db.execute(self._statements.unrecorded, (seq, seq)).fetchone() is None

    def _written(self, db: Session, targets: Iterator[_Target]) -> Iterator[_Target]:
        """Write the products as they are to be, some at a time, and yield them."""
        for chunk in _chunks(targets, self._rows.CHUNK_PRODUCTS):
            changing = [target for target in chunk if target.now != target.wanted]
            wanted = {target.key: target.wanted for target in changing if target.wanted is not None}
            keys = {product.id: key for key, product in wanted.items()}
            self._rows.put(db, wanted.values(), NEVER, keys)
            self._rows.remove(db, [target.product_id for target in changing if target.wanted is None], NEVER)
            yield from chunk

    def _targets(self, db: Session, seq: int, generation: int) -> Iterator[_Target]:
        """Yield every product that changed after `seq`, in the order of ids; those yielded before may be written.

        Only the ids and the numbers of the changes are in memory for all of them.
        """
        changed = db.execute(self._statements.changed, (seq, _last_seq(db))).fetchall()
        for part in _chunks(iter(changed), self._rows.CHUNK_PRODUCTS):
            numbers = [number for _, seqs in part for number in json.loads(seqs)]
            rows = db.execute(self._statements.steps, (json.dumps(numbers),)).fetchall()
            chunk = [(product_id, list(steps)) for product_id, steps in itertools.groupby(rows, itemgetter(0))]
            keys = [self._rows.key_of(db, product_id) for product_id, _ in chunk]
            found = self._rows.read(db, [key for key in keys if key is not None])
            for (product_id, changes), key in zip(chunk, keys, strict=True):
                now = None if key is None else found[key]
                steps = [
                    _Step(owner, None if before is None else json.loads(before)) for _, _, owner, before in changes
                ]
                base, wanted = _replayed(None if now is None else encode(now), steps, generation)
                edited = any(step.generation is None for step in steps)
                product = None if wanted is None else decode(product_id, wanted)
                yield _Target(product_id, key or changes[0][1], now, product, edited, edited and base != wanted)


def _last_seq(db: Session) -> int:
    return int(db.execute(_LAST_SEQ).fetchone()[0])


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
    return None if state is None else with_fields(state, step.before, after)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(itertools.islice(items, size)):
        yield chunk
