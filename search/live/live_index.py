"""The live index of a shop: write product changes, and follow the changes and generations of other processes.

A change is durable when the catalogue has committed it, and is found by every search that begins after `put` or
`remove` has returned. Searches never wait: they take the current snapshot, and a change replaces it with the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from catalog.errors import BadInput, DamagedGeneration, LiveIndexFull, StoreError, UnknownProduct, WindowshopError
from catalog.files.atomic import stat_mark
from catalog.files.failpoints import failpoint
from catalog.home import ShopHome
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.generations import store
from search.live.picture_store import new_picture, storing
from search.live.product_edit import ProductEdit, Written
from search.retrieval.serving_state import ServingState
from search.state.change_replay import ChangeReplayer
from search.state.live_rows import ProductRows

WRITE_TIMEOUT_S = 5.0  # how long a change waits for the one before it
PAUSE_TIMEOUT_S = 2.0  # how long a search waits for a committed change to be published
RETRY_SECONDS = 60.0
LATE_SECONDS = 3.0  # how long after its time a look for changes may end before the shop is called late

log = logging.getLogger(__name__)
Pictures = tuple[Picture, ...] | None  # of an edit; None leaves those of the product
Encoded = tuple[Product, int | None, ProductRows]  # the key is None when the product is new
Opener = Callable[[store.Generation, ServingState], ServingState]


class LiveIndex:
    """Holds the serving state of one shop, `served`, and alone replaces it. Threads may share it."""

    def __init__(self, home: Path, replay: ChangeReplayer, served: ServingState, opener: Opener) -> None:
        self.served = served
        self._home = home
        self._replay = replay
        self._catalogue: Catalogue = replay.catalogue
        self._opener = opener
        self._writing = threading.Lock()
        self._unpublished = False
        self._following = threading.Lock()
        self._pointer: tuple[int, int, int] | None = None
        self._refused = ""
        self._retry_at = float("inf")
        self._followed_at = time.monotonic()
        self._interval = float("inf")
        self._failure = ""

    @property
    def degraded(self) -> tuple[str, ...]:
        """Public sentences about what keeps the index from being up to date."""
        waiting = len(self.served.snapshot.waiting) + self.served.snapshot.skipped
        backlog = f"{waiting} changed products wait for a new index" if waiting else ""
        return tuple(reason for reason in (self._refused, backlog, self._lateness()) if reason)

    def put(self, edit: ProductEdit) -> Written:
        """Add or change one product. Raises BadInput and its subclasses, LiveIndexFull, StoreError."""
        if not edit.pictures:
            return self._put(edit, None if edit.pictures is None else ())
        new_pictures = [new_picture(data) for data in edit.pictures if isinstance(data, bytes)]
        self._refuse_when_full(edit)
        with storing(self._home, new_pictures) as stored:
            return self._put(edit, _in_order(edit, iter(stored)))

    def put_many(self, edits: Sequence[ProductEdit]) -> list[Written | WindowshopError]:
        """Add or change products with different ids in one transaction; return what became of each edit.

        An edit that is refused leaves the others as they are. Its pictures have to be stored already.
        """
        pictures = [None if edit.pictures is None else _in_order(edit, iter(())) for edit in edits]
        pairs = list(zip(edits, pictures, strict=True))
        self._encoded_many(pairs)  # into the row cache, so that the slow part needs no lock
        with self._one_writer():
            outcomes: list[Written | WindowshopError] = []
            before = self._catalogue.find(edit.product_id for edit in edits)
            growth = len(self.served.snapshot.live) - self._replay.limit
            for encoded in self._encoded_many(pairs):
                if isinstance(encoded, WindowshopError):
                    outcomes.append(encoded)
                    continue
                product, key, rows = encoded
                more = self._replay.growth(self.served.snapshot, key, rows)
                fits = more <= 0 or growth + more <= 0
                growth += more if fits else 0
                written = Written(product, key is None, before.get(product.id) == (key, product))
                outcomes.append(written if fits else self._no_room())
            with self._publishing():
                self._catalogue.put(outcome.product for outcome in outcomes if isinstance(outcome, Written))
                failpoint("batch.committed")
                self._catch_up()
        return outcomes

    def _put(self, edit: ProductEdit, pictures: Pictures) -> Written:
        self._encoded(edit, pictures)  # into the row cache, so that the slow part needs no lock
        failpoint("put.encoded")
        with self._one_writer():
            product, key, rows = self._encoded(edit, pictures)
            if not self._replay.room_for(self.served.snapshot, key, rows):
                raise self._no_room()
            with self._publishing():
                self._catalogue.put([product])
                failpoint("put.committed")
                self._catch_up()
        failpoint("put.found")
        return Written(product, key is None)

    def remove(self, product_id: str) -> None:
        """Remove one product, which a full live index allows too. Raises UnknownProduct, StoreError."""
        with self._one_writer():
            self._catalogue.key_of(product_id)
            with self._publishing():
                self._catalogue.remove([product_id])
                failpoint("remove.committed")
                self._catch_up()
        failpoint("remove.found")

    def follow(self, interval: float | None = None) -> None:
        """Take over a new generation, or changes to the catalogue, that other processes made.

        `interval` is the number of seconds after which the caller follows again: `degraded` says when that is overdue.
        Raises WindowshopError when the catalogue cannot be read; the shop is then served as before.
        """
        with self._following:
            self._interval = float("inf") if interval is None else interval
            try:
                self._follow_pointer()
                while self._replay.behind(self.served.snapshot) and not self._pointer_moved():
                    with self._one_writer():
                        self.served = self._step(self.served)
            except WindowshopError as error:
                self._failure = error.code
                raise
            self._followed_at, self._failure = time.monotonic(), ""
            self.served.row_encoder.save()

    def wait_for_publish(self, served: ServingState) -> bool:
        """Wait for a change of our own that is being published, and return whether `served` has been replaced."""
        if self.served is served and self._unpublished:
            with self.writes_paused():
                pass
        return self.served is not served

    @contextmanager
    def writes_paused(self) -> Iterator[None]:
        """Hold back writes within the block; after PAUSE_TIMEOUT_S the block runs without holding them back."""
        held = self._writing.acquire(timeout=PAUSE_TIMEOUT_S)
        try:
            yield
        finally:
            if held:
                self._writing.release()

    def _encoded(self, edit: ProductEdit, pictures: Pictures) -> Encoded:
        """Return the product after the edit, its key (None when it is new) and its rows. Raises BadInput."""
        (encoded,) = self._encoded_many([(edit, pictures)])
        if isinstance(encoded, WindowshopError):
            raise encoded
        return encoded

    def _encoded_many(self, edits: Sequence[tuple[ProductEdit, Pictures]]) -> list[Encoded | WindowshopError]:
        """Return for each edit its product, key and rows, or why it cannot be applied; encode all together."""
        found = self._catalogue.find(edit.product_id for edit, _ in edits)
        applied: dict[int, tuple[Product, int | None]] = {}
        numbers: list[int | BadInput] = []
        for position, (edit, pictures) in enumerate(edits):
            key, existing = found.get(edit.product_id, (None, None))
            number = -position if key is None else key  # keys are above 0
            try:
                applied[number] = edit.applied(existing, pictures), key
                numbers.append(number)
            except BadInput as error:
                numbers.append(error)
        served = self.served
        rows = served.row_encoder.rows({number: product for number, (product, _) in applied.items()}, served.snapshot)
        return [number if isinstance(number, BadInput) else (*applied[number], rows[number]) for number in numbers]

    def _refuse_when_full(self, edit: ProductEdit) -> None:
        """Raise LiveIndexFull before pictures are written for a change that cannot fit."""
        snapshot = self.served.snapshot
        if len(snapshot.live) < self._replay.limit:
            return
        with suppress(UnknownProduct):
            if len(snapshot.live.rows(self._catalogue.key_of(edit.product_id)).hashes):
                return
        raise self._no_room()

    def _no_room(self) -> LiveIndexFull:
        message = f"The shop already has {self._replay.limit:,} live rows, its limit: this change cannot be added."
        hint = "Re-index the shop to make room; products can still be removed, and prices and stock changed."
        return LiveIndexFull(message, hint)

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """Mark the time in which a change of our own may be committed but not published."""
        self._unpublished = True
        try:
            yield
        finally:
            self._unpublished = False

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=WRITE_TIMEOUT_S):
            raise StoreError("Other changes are still being written.", "Try again in a few seconds.")
        try:
            yield
        finally:
            self._writing.release()

    def _catch_up(self) -> None:
        while self._replay.behind(self.served.snapshot):
            self.served = self._step(self.served)

    def _step(self, state: ServingState) -> ServingState:
        return state.at(self._replay.step(state.snapshot, state.row_encoder))

    def _lateness(self) -> str:
        """Return a sentence when changes are served later than they should be: looks fail, or take too long."""
        seconds = time.monotonic() - self._followed_at
        if seconds <= self._interval + LATE_SECONDS and not self._failure:
            return ""
        with suppress(WindowshopError):  # a catalogue that cannot be read has perhaps changed
            moved = store.current_number_or_none(self._home) != self.served.number and not self._refused
            if not moved and not self._replay.behind(self.served.snapshot):
                return ""
        reason = f" ({self._failure})" if self._failure else ""
        return f"changes of the last {seconds:.0f} s are not served yet{reason}"

    def _pointer_moved(self) -> bool:
        return _pointer_of(self._home) != self._pointer or time.monotonic() > self._retry_at

    def _follow_pointer(self) -> None:
        moved = self._pointer_moved()
        while moved:
            self._pointer, self._retry_at = _pointer_of(self._home), time.monotonic() + RETRY_SECONDS
            number: int | None = None
            try:
                number = store.current_number(self._home)
                if number != self.served.number:
                    self._switch(number)
                self._refused, self._retry_at = "", float("inf")
            except WindowshopError as error:
                self._refuse(number, error)
            # A generation may be removed while it is opened: then there is a newer one.
            moved = _pointer_of(self._home) != self._pointer

    def _switch(self, number: int) -> None:
        """Open a generation, replay changes, warm it up, and only then serve it."""
        started = time.perf_counter()
        opened = self._opener(store.open_generation(self._home, number), self.served)
        while self._replay.behind(opened.snapshot):
            opened = self._step(opened)
        opened.warm_up()
        with self._one_writer():
            while self._replay.behind(opened.snapshot):
                opened = self._step(opened)
            self.served = opened
        log.info("Generation %d serves after %.1f s", number, time.perf_counter() - started)

    def _refuse(self, number: int | None, error: WindowshopError) -> None:
        what = "the pointer to the current generation" if number is None else f"generation {number}"
        reason = "is damaged" if isinstance(error, DamagedGeneration) else f"cannot be used ({error.code})"
        self._refused = f"{what} {reason}; generation {self.served.number} is served"
        log.error("%s: %s", self._refused, error)


def _in_order(edit: ProductEdit, stored: Iterator[Picture]) -> tuple[Picture, ...]:
    """Return the pictures of an edit in its order, each content once; `stored` are those that came as bytes."""
    pictures = [next(stored) if isinstance(picture, bytes) else picture for picture in edit.pictures or ()]
    return tuple({picture.sha256: picture for picture in pictures}.values())


def _pointer_of(home: Path) -> tuple[int, int, int] | None:
    try:
        return stat_mark(ShopHome(home).current)
    except OSError:
        return None
