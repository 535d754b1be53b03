"""A shop that changes while it is searched: writes, and follows what other processes write.

A change is durable when the catalogue has committed it, and is found by every search that begins after `put` or
`remove` has returned. Searches never wait: they take the current snapshot, and a change puts the next in its place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DamagedGeneration, LiveIndexFull, StoreError, UnknownProduct, WindowshopError
from catalog.files.atomic import stat_mark
from catalog.files.failpoints import failpoint
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.generations import store
from search.live.picture_store import new_picture, storing
from search.live.product_edit import ProductEdit
from search.retrieval.serving_state import ServingState
from search.state.change_replay import ChangeReplayer

WRITE_TIMEOUT_S = 5.0  # seconds that a change waits for the one before it
PAUSE_TIMEOUT_S = 2.0  # seconds that a search waits for a change that is committed to be found
RETRY_SECONDS = 60.0

log = logging.getLogger(__name__)
Opener = Callable[[store.Generation, ServingState], ServingState]


@dataclass(frozen=True, slots=True)
class Written:
    """What `put` did: the product as it is now, and whether it is new."""

    product: Product
    created: bool


class LiveIndex:
    """The present state of one shop, `served`, and the only one who replaces it. Shared by threads."""

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

    @property
    def degraded(self) -> tuple[str, ...]:
        """What is not as it should be, in words that may be shown to anybody."""
        waiting = self.served.snapshot.waiting
        told = f"{waiting} changed products wait for a new index" if waiting else ""
        return tuple(each for each in (self._refused, told) if each)

    def put(self, edit: ProductEdit) -> Written:
        """Add or change one product. Raises BadInput and its kinds, NoRoom, StoreError."""
        if not edit.pictures:
            return self._put(edit, None if edit.pictures is None else ())
        fresh = [new_picture(data) for data in edit.pictures]
        self._refuse_when_full(edit)
        with storing(self._home, fresh) as pictures:
            return self._put(edit, pictures)

    def _put(self, edit: ProductEdit, pictures: tuple[Picture, ...] | None) -> Written:
        self._encode(edit, pictures)
        failpoint("put.encoded")
        with self._one_writer():
            product, key = self._edited(edit, pictures)
            served = self.served
            rows = served.rows.rows({key or 0: product}, served.snapshot)[key or 0]
            if not self._replay.room_for(served.snapshot, key, rows):
                raise self._no_room()
            with self._publishing():
                self._catalogue.put([product])
                failpoint("put.committed")
                self._catch_up({})
        failpoint("put.found")
        return Written(product, key is None)

    def remove(self, product_id: str) -> None:
        """Remove one product; always possible. Raises UnknownProduct, StoreError."""
        with self._one_writer():
            key = self._catalogue.key_of(product_id)
            with self._publishing():
                self._catalogue.remove([product_id])
                failpoint("remove.committed")
                self._catch_up({product_id: key})
        failpoint("remove.found")

    def follow(self) -> None:
        """See what other processes did: take over a new generation, or their changes to the catalogue.

        Raises WindowshopError when the catalogue cannot be read; the shop is then served as it was.
        """
        with self._following:
            self._follow_pointer()
            while self._replay.behind(self.served.snapshot) and not self._pointer_moved():
                with self._one_writer():
                    self._step({})
            self.served.rows.save()

    def wait_for_publish(self, served: ServingState) -> bool:
        """Whether a state that the catalogue has overtaken has a successor by now; waits for one that is at hand."""
        if self.served is served and self._unpublished:
            with self.writes_paused():
                pass
        return self.served is not served

    @contextmanager
    def writes_paused(self) -> Iterator[None]:
        """Let no change be written meanwhile, if that can be had soon."""
        held = self._writing.acquire(timeout=PAUSE_TIMEOUT_S)
        try:
            yield
        finally:
            if held:
                self._writing.release()

    def _encode(self, edit: ProductEdit, pictures: tuple[Picture, ...] | None) -> None:
        """Let the costly part be remembered before other writers have to wait for it."""
        product, key = self._edited(edit, pictures)
        served = self.served
        served.rows.rows({key or 0: product}, served.snapshot)

    def _edited(self, edit: ProductEdit, pictures: tuple[Picture, ...] | None) -> tuple[Product, int | None]:
        try:
            key = self._catalogue.key_of(edit.product_id)
            existing = self._catalogue.get(edit.product_id)
        except UnknownProduct:
            return edit.applied(None, pictures), None
        return edit.applied(existing, pictures), key

    def _refuse_when_full(self, edit: ProductEdit) -> None:
        """Refuse what can find no room before its pictures are written."""
        snapshot = self.served.snapshot
        if len(snapshot.live) >= self._replay.limit:
            try:
                if len(snapshot.live.rows(self._catalogue.key_of(edit.product_id)).hashes):
                    return
            except UnknownProduct:
                pass
            raise self._no_room()

    def _no_room(self) -> LiveIndexFull:
        return LiveIndexFull(
            f"The shop has {self._replay.limit:,} live rows already, as many as it may: this change finds no room.",
            "Re-index the shop to make room; deletes, prices and stock can be changed all the same.",
        )

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """Mark the time in which the catalogue may be ahead of what is searched by a change of our own."""
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

    def _catch_up(self, removed: Mapping[str, int]) -> None:
        while self._replay.behind(self.served.snapshot):
            self._step(removed)

    def _step(self, removed: Mapping[str, int]) -> None:
        served = self.served
        self.served = served.at(*self._replay.step(served.state, served.rows, removed))

    def _pointer_moved(self) -> bool:
        return _pointer_of(self._home) != self._pointer or time.monotonic() > self._retry_at

    def _follow_pointer(self) -> None:
        again = self._pointer_moved()
        while again:
            self._pointer, self._retry_at = _pointer_of(self._home), time.monotonic() + RETRY_SECONDS
            number: int | None = None
            try:
                number = store.current_number(self._home)
                if number != self.served.number:
                    self._switch(number)
                self._refused, self._retry_at = "", float("inf")
            except WindowshopError as error:
                self._refuse(number, error)
            # A generation may be swept away while it is opened: then there is a newer one.
            again = _pointer_of(self._home) != self._pointer

    def _switch(self, number: int) -> None:
        """Open a generation, bring it up to date, ask it something, and only then let searches have it."""
        began = time.perf_counter()
        opened = self._opener(store.open_generation(self._home, number), self.served)
        while self._replay.behind(opened.snapshot):
            opened = opened.at(*self._replay.step(opened.state, opened.rows))
        opened.warm_up()
        with self._one_writer():
            while self._replay.behind(opened.snapshot):
                opened = opened.at(*self._replay.step(opened.state, opened.rows))
            self.served = opened
        log.info("Generation %d serves after %.1f s", number, time.perf_counter() - began)

    def _refuse(self, number: int | None, error: WindowshopError) -> None:
        what = "the pointer to the current generation" if number is None else f"generation {number}"
        why = "is damaged" if isinstance(error, DamagedGeneration) else f"cannot be used ({error.code})"
        self._refused = f"{what} {why}; generation {self.served.number} is served"
        log.error("%s: %s", self._refused, error)


def _pointer_of(home: Path) -> tuple[int, int, int] | None:
    try:
        return stat_mark(home / store.CURRENT)
    except OSError:
        return None
