"""How far a fit is, in a file of the shop: any process may show it. Light: no numpy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from catalog.home import ShopHome
from search.fitting.fit_progress import ProgressFile


def fit_progress(home: Path, total: int) -> AbstractContextManager[Callable[[], object]]:
    """Yield a function to call after each of `total` steps; for the process that holds the lock of fits."""
    return _file(home).steps(total)


def running_fit(home: Path) -> dict[str, Any] | None:
    """Return the steps done of how many, as JSON values, while a fit is running; else None."""
    return _file(home).running()


def interrupted_fit(home: Path) -> dict[str, Any] | None:
    """Return when the last fit was interrupted, after which of how many steps, as JSON values; None where it was not.

    `at`, in unix seconds, is the end of its last step.
    """
    return _file(home).interrupted()


def is_fitting(home: Path) -> bool:
    """Return whether a process is fitting models, or rolling them back, now."""
    return _file(home).is_fitting()


def _file(home: Path) -> ProgressFile:
    shop = ShopHome(home)
    return ProgressFile(shop.fit_progress, shop.recommender_lock)
