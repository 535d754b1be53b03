"""How far a fit is, in a file of the shop: any process may show it, whoever started the fit. Light: no numpy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from catalog.files.atomic import draft
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from indexer.progress import progress


@contextmanager
def fit_progress(home: Path, total: int) -> Iterator[Callable[[], object]]:
    """Yield a function to call after each of `total` steps; for the process that holds the lock of fits."""
    path, done = ShopHome(home).fit_progress, 0
    _write(path, done, total)
    with progress("fitting models", total) as tick:

        def step() -> None:
            nonlocal done
            done += 1
            _write(path, done, total)
            tick(1)

        try:
            yield step
        finally:
            with suppress(OSError):
                path.unlink()


def running_fit(home: Path) -> dict[str, Any] | None:
    """Return the steps done of how many, as JSON values, while a fit is running; else None."""
    if not is_fitting(home):
        return None
    try:
        values = json.loads(ShopHome(home).fit_progress.read_text(encoding="utf-8"))
        return {"done": int(values["done"]), "total": int(values["total"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"done": 0, "total": 0}


def interrupted_fit(home: Path) -> dict[str, Any] | None:
    """Return when the last fit was interrupted, after which of how many steps, as JSON values; None where it was not.

    A fit that ends, with an error or not, removes the file; a process that is killed leaves it. `at`, in unix seconds,
    is the end of its last step.
    """
    path = ShopHome(home).fit_progress
    try:
        at = int(path.stat().st_mtime)
        values = json.loads(path.read_text(encoding="utf-8"))
        found = {"at": at, "done": int(values["done"]), "total": int(values["total"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Look at the lock after the file: a fit that ended meanwhile has removed the file.
    return None if is_fitting(home) or not path.is_file() else found


def is_fitting(home: Path) -> bool:
    """Return whether a process is fitting models, or rolling them back, now."""
    lock = ShopHome(home).recommender_lock
    if not lock.is_file():
        return False
    with locked_file(lock) as acquired:
        return not acquired


def _write(path: Path, done: int, total: int) -> None:
    text = json.dumps({"done": done, "total": total}).encode()
    with draft(path, text, durable=False) as written:
        written.replace(path)
