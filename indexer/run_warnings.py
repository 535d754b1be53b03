"""What cannot be done once a run has published its changes: a warning, as the changes stand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import WindowshopError

log = logging.getLogger(__name__)


class RunWarnings:
    """What could not be done once a run had published its changes, which therefore stand."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def warn_on_error(self, consequence: str) -> Iterator[None]:
        """Where the disk or a database fails in the block, log it with its consequence instead of raising it."""
        try:
            yield
        except (OSError, WindowshopError) as error:
            self.lines.append(f"{consequence} ({error})")
            log.warning("%s", self.lines[-1])
