"""Publish generations: one writer at a time, and recovery from a crash between any two steps.

The commit of the catalogue decides. First a generation is sealed under a hidden name; the transaction that writes the
products also records its number as pending; then the folder gets its name, the pointer moves, and the record is
removed. A crash before the commit leaves the old shop and a hidden folder; a crash after it leaves a pending record
that `recover` acts on. The products of a folder with a number are therefore, or were, in the catalogue.

Going to another generation on disk follows the same order: one transaction restores its products and records its
number, then the pointer moves, and the record is removed.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DamagedGeneration, GenerationError, WindowshopError
from catalog.files.atomic import write_atomically
from catalog.files.failpoints import failpoint
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import has_catalogue, open_catalogue, shares_catalogue
from catalog.storage.restoration import Restoration
from indexer.generations import store
from indexer.generations.manifest import read_manifest
from indexer.run_warnings import RunWarnings
from indexer.vectors.milvus.generations import follow_pointer, remove_unnamed

PENDING = "generation to publish"
ON_DISK = " again"  # ends the record of a generation that was published before: no other is removed for it
BY = " by "  # and then the id of the home whose move it is, where several homes share a catalogue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GenerationMove:
    """A move from one generation to another, and what it does to the products."""

    left: int
    current: int
    restoration: Restoration


@contextmanager
def build_lock(home: Path) -> Iterator[None]:
    """Keep other builds and updates of this shop out, and recover from a crashed one. Raises GenerationError."""
    with locked_file(ShopHome(home).build_lock) as acquired:
        if not acquired:
            raise GenerationError(
                f"Another build of {home} is running.", "Wait until it has ended, or stop it, and try again."
            )
        _recover(home)
        yield


def recover(home: Path) -> str:
    """Publish or remove what a crash left, unless a build is running; return what was done as a sentence, or ""."""
    if not home.is_dir():
        return ""
    with locked_file(ShopHome(home).build_lock) as acquired:
        return _recover(home) if acquired else ""


def recover_pending(home: Path) -> str:
    """Publish a generation whose products were committed before a crash; return what was done as a sentence, or "".

    For opening a shop to search it: never waits, never fails. While a build is running, or where the home cannot be
    written, nothing is done, and replaying the log of changes makes up for what the older index lacks. A copy of the
    catalogue that a killed build left is removed too.
    """
    done, staging = "", ShopHome(home).staging
    try:
        pending = _has_pending(home)
        if not pending and not staging.exists():
            return ""
        with locked_file(ShopHome(home).build_lock) as acquired:
            if acquired:
                done = _finish(home) if pending else ""
                shutil.rmtree(staging, ignore_errors=True)
    except (WindowshopError, OSError) as error:
        log.info("The pending generation of %s is left to the next update: %s", home, error)
        return ""
    if done:
        log.warning("%s", done)
    return done


def record_pending(home: Path, catalogue: Catalogue, number: int) -> None:
    """Record a sealed generation as to be published, in the transaction of the products it was built from."""
    catalogue.set_meta(PENDING, f"{number}{_signature(home)}")
    failpoint("catalogue.before-commit")


def publish_pending(home: Path, catalogue: Catalogue) -> None:
    """Make the pending generation current once its products are committed, and remove the record."""
    number = int((catalogue.get_meta(PENDING) or "0").partition(BY)[0])
    failpoint("catalogue.committed")
    store.finalise(home, number)
    failpoint("generation.adopted")
    store.make_current(home, number)
    with _cleanup_of(number):
        catalogue.set_meta(PENDING, None)
        failpoint("generation.published")
        catalogue.history.forget(store.oldest_seq(home))


def rollback(home: Path, to: int | None = None) -> GenerationMove:
    """Make another generation on disk current with its products, without `to` the one before the current one.

    `ProductHistory` says which products those are. The caller must hold the build lock. Raises GenerationError.
    """
    left, number, seq = _move(home, to)
    store.verify(home, number)
    with closing(open_catalogue(home)) as catalogue:
        with catalogue.history.restoring(seq, number) as restoration:
            catalogue.set_meta(PENDING, f"{number}{ON_DISK}{_signature(home)}")
            failpoint("rollback.before-commit")
        failpoint("rollback.committed")
        store.move_pointer(home, number)
        with _cleanup_of(number):
            catalogue.set_meta(PENDING, None)
    failpoint("rollback.moved")
    return GenerationMove(left, number, restoration)


def preview_rollback(home: Path, to: int | None = None) -> GenerationMove:
    """Return what `rollback` would do now, and change nothing. Raises GenerationError."""
    left, number, seq = _move(home, to)
    with closing(open_catalogue(home)) as catalogue:
        return GenerationMove(left, number, catalogue.history.preview(seq, number))


def _cleanup_of(number: int) -> AbstractContextManager[None]:
    """Log an error of the block instead of raising it: the generation is current."""
    return RunWarnings().warn_on_error(f"Generation {number:06d} is current; the next run removes the record of it.")


def _move(home: Path, to: int | None) -> tuple[int, int, int]:
    """Return the current generation, the one to go to and the change that it was built at. Raises GenerationError."""
    current = store.current_number(home)
    number = store.previous_number(home) if to is None else to
    if number == current:
        raise GenerationError(f"Generation {number} is the current one already.", "Name another one.")
    if number not in store.numbers(home):
        known = ", ".join(map(str, store.numbers(home)))
        raise GenerationError(f"There is no generation {number}.", f"These are on the disk: {known}.")
    return current, number, read_manifest(ShopHome(home).generation(number)).seq


def _has_pending(home: Path) -> bool:
    """Return whether a generation waits to be published. Takes no lock, which a starting build may need just now."""
    if not has_catalogue(home):
        return False
    with closing(open_catalogue(home)) as catalogue:
        return catalogue.get_meta(PENDING) is not None


def _recover(home: Path) -> str:
    done = _finish(home) if has_catalogue(home) else ""
    store.remove_unfinished(home)
    remove_unnamed(home)
    shutil.rmtree(ShopHome(home).staging, ignore_errors=True)
    for folder in (home, ShopHome(home).reports, ShopHome(home).cache):
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
    return done


def _finish(home: Path) -> str:
    with closing(open_catalogue(home)) as catalogue:
        pending = catalogue.get_meta(PENDING)
        if pending is None:
            return ""
        move, _, owner = pending.partition(BY)
        number = int(move.removesuffix(ON_DISK))
        if shares_catalogue() and (owner not in ("", _home_id(home)) or not store.is_on_disk(home, number)):
            return ""  # it is another home's, or on the machine that builds it, which comes back to publish it
        done = ""
        if number != store.current_number_or_none(home):
            done = _publish(home, number, again=move.endswith(ON_DISK))
        else:
            follow_pointer(home, number)
        catalogue.set_meta(PENDING, None)
        return done


def _signature(home: Path) -> str:
    """Return the end of a record that says whose it is; the home gets its id here. The caller holds the build lock."""
    if not shares_catalogue():
        return ""
    if not _home_id(home):
        write_atomically(ShopHome(home).home_id, lambda path: path.write_text(secrets.token_hex(8), encoding="utf-8"))
    return f"{BY}{_home_id(home)}"


def _home_id(home: Path) -> str:
    """Return the id of a home, "" where it has none."""
    with contextlib.suppress(FileNotFoundError):
        return ShopHome(home).home_id.read_text(encoding="utf-8").strip()
    return ""


def _publish(home: Path, number: int, again: bool) -> str:
    with contextlib.suppress(FileNotFoundError):
        store.finalise(home, number)
    try:
        store.verify(home, number)
    except DamagedGeneration as error:
        shutil.rmtree(ShopHome(home).generation(number), ignore_errors=True)
        return f"Generation {number:06d} was to be published but is damaged: {error.message}"
    if again:
        store.move_pointer(home, number)
    else:
        store.make_current(home, number)
    return f"Generation {number:06d} was ready when the last run ended; it is current now."
