"""One writer at a time, and what a crash between two of its steps left is finished or swept away.

The catalogue's commit decides. A generation is sealed under a hidden name first; the transaction that writes the
products also notes its number; then the folder gets its name, the pointer moves, and the note is taken away. So a
crash before the commit leaves the old shop and a folder that nobody sees, and a crash after it leaves a note that
`recover` acts on. A folder with a number is therefore always one whose products are, or were, in the catalogue.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.errors import DamagedGeneration, GenerationError, NoGeneration, WindowshopError
from catalog.files.failpoints import failpoint
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.generations import store

PENDING = "generation to publish"

log = logging.getLogger(__name__)


@contextmanager
def build_lock(home: Path) -> Iterator[None]:
    """Keep other builds and updates of this shop out, and finish what a crashed one left. Raises GenerationError."""
    with locked_file(ShopHome(home).build_lock) as mine:
        if not mine:
            raise GenerationError(
                f"Another build of {home} is running.", "Wait until it has ended, or stop it, and try again."
            )
        _recover(home)
        yield


def recover(home: Path) -> str:
    """Finish or sweep away what a crash left, unless a build is running; returns what was done, in words."""
    if not home.is_dir():
        return ""
    with locked_file(ShopHome(home).build_lock) as mine:
        return _recover(home) if mine else ""


def recover_pending(home: Path) -> str:
    """Publish a generation whose products were committed when its maker crashed; returns what was done, in words.

    For those who open a shop to search it: it neither waits nor fails. While a build is running, or where the home may
    not be written, the shop is left as it is, and the log of changes makes up for what the older index lacks.
    """
    try:
        if not _is_announced(home):
            return ""
        with locked_file(ShopHome(home).build_lock) as mine:
            done = _finish(home) if mine else ""
    except (WindowshopError, OSError) as error:
        log.info("What a crash left in %s stays for the next update: %s", home, error)
        return ""
    if done:
        log.warning("%s", done)
    return done


def record_pending(catalogue: Catalogue, number: int) -> None:
    """Note, within the change of the catalogue that a sealed generation was made from, that it is to be published."""
    catalogue.note(PENDING, str(number))
    failpoint("catalogue.before-commit")


def publish_pending(home: Path, catalogue: Catalogue) -> None:
    """After that change is committed: make the announced generation current, and take the note away."""
    number = int(catalogue.noted(PENDING) or 0)
    failpoint("catalogue.committed")
    store.finalise(home, number)
    failpoint("generation.adopted")
    store.make_current(home, number)
    catalogue.note(PENDING, None)
    failpoint("generation.published")


def rollback(home: Path) -> tuple[int, int]:
    """Make the newest kept generation before the current one current: (from, to). Raises GenerationError.

    The products stay as they are: the catalogue is the truth, and servers add what changed since that index.
    """
    current = store.current_number(home)
    number = store.previous_number(home)
    store.verify(home, number)
    store.make_current(home, number)
    failpoint("rollback.moved")
    return current, number


def open_current_or_none(home: Path) -> store.Generation | None:
    """The current generation, left in its files; None when there is none or it is damaged: nothing can be reused."""
    with contextlib.suppress(GenerationError):
        return store.open_current(home, mapped=True)
    return None


def _is_announced(home: Path) -> bool:
    """Whether a generation waits to be published; asked without the lock, which a build that starts may want now."""
    path = ShopHome(home).catalogue
    if not path.is_file():
        return False
    with closing(Catalogue.open(path)) as catalogue:
        return catalogue.noted(PENDING) is not None


def _recover(home: Path) -> str:
    done = _finish(home) if ShopHome(home).catalogue.is_file() else ""
    store.remove_unfinished(home)
    for folder in (home, ShopHome(home).reports, ShopHome(home).cache):
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
    return done


def _finish(home: Path) -> str:
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        noted = catalogue.noted(PENDING)
        if noted is None:
            return ""
        number, done = int(noted), ""
        if number != _current(home):
            done = _published(home, number)
        catalogue.note(PENDING, None)
        return done


def _published(home: Path, number: int) -> str:
    with contextlib.suppress(FileNotFoundError):
        store.finalise(home, number)
    try:
        store.verify(home, number)
    except DamagedGeneration as error:
        shutil.rmtree(store.folder_of(home, number), ignore_errors=True)
        return f"Generation {number:06d} was to be published but is damaged: {error.message}"
    store.make_current(home, number)
    return f"Generation {number:06d} was ready when the last run ended; it is current now."


def _current(home: Path) -> int | None:
    try:
        return store.current_number(home)
    except (NoGeneration, DamagedGeneration):
        return None
