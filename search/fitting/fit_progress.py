"""How far a fit is, in a file of the shop: any process may show it. Light: no numpy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.files.atomic import draft
from catalog.files.locks import locked_file
from indexer.progress import progress


@dataclass(frozen=True, slots=True)
class ProgressFile:
    """The file that says how far a fit is, and the lock that the fit holds."""

    path: Path
    lock: Path

    @contextmanager
    def steps(self, total: int, what: str = "fitting models") -> Iterator[Callable[[], object]]:
        """Yield a function to call after each of `total` steps; for the process that holds the lock of fits."""
        done = 0
        self._write(done, total)
        with progress(what, total) as tick:

            def step() -> None:
                nonlocal done
                done += 1
                self._write(done, total)
                tick(1)

            try:
                yield step
            finally:
                with suppress(OSError):
                    self.path.unlink()

    def running(self) -> dict[str, Any] | None:
        """Return the steps done of how many, as JSON values, while a fit is running; else None."""
        if not self.is_fitting():
            return None
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            return {"done": int(values["done"]), "total": int(values["total"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {"done": 0, "total": 0}

    def interrupted(self) -> dict[str, Any] | None:
        """Return when the last fit was interrupted, after which of how many steps; None where it was not.

        A fit that ends, with an error or not, removes the file; a process that is killed leaves it. `at`, in unix
        seconds, is the end of its last step.
        """
        try:
            at = int(self.path.stat().st_mtime)
            values = json.loads(self.path.read_text(encoding="utf-8"))
            found = {"at": at, "done": int(values["done"]), "total": int(values["total"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # Look at the lock after the file: a fit that ended meanwhile has removed the file.
        return None if self.is_fitting() or not self.path.is_file() else found

    def is_fitting(self) -> bool:
        """Return whether a process is fitting models, or rolling them back, now."""
        if not self.lock.is_file():
            return False
        with locked_file(self.lock) as acquired:
            return not acquired

    def _write(self, done: int, total: int) -> None:
        text = json.dumps({"done": done, "total": total}).encode()
        with draft(self.path, text, durable=False) as written:
            written.replace(self.path)
