"""A value made from a shop's state, and made again when the state is another, which must not hold up requests."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

PROMPT_SECONDS = 0.05  # processor time within which a value is made again at once when the state is another
PAUSE_FACTOR = 20.0  # otherwise after this multiple of it, and at most MAX_PAUSE_SECONDS
MAX_PAUSE_SECONDS = 10.0

T = TypeVar("T")


class PausedValue(Generic[T]):
    """The value of the present state; of a large shop that of an earlier one for some seconds. Threads share it.

    What took long once is made in a thread in the background, while requests get the earlier value.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[object, T] | None = None  # the state and its value
        self._made_at, self._pause = -math.inf, 0.0
        self._making: threading.Thread | None = None

    @property
    def made(self) -> T | None:
        """The value as it was last made; None before the first time."""
        made = self._made
        return None if made is None else made[1]

    def current(self, state: object, make: Callable[[], T], background: bool = True) -> T:
        """Return the value of a state, which is a number or compared by identity, or for some seconds an earlier one.

        `background` says whether `make` may be called later, in another thread.
        """
        with self._lock:
            made = self._made
            if made is not None and (made[0] is state or (isinstance(state, int) and made[0] == state)):
                return made[1]
            if made is not None and time.monotonic() - self._made_at < self._pause:
                return made[1]
            if made is None or not self._pause or not background:
                return self._make(state, make)
            if self._making is None or not self._making.is_alive():
                self._making = threading.Thread(target=self._make, args=(state, make), name="words", daemon=True)
                self._making.start()
            return made[1]

    def _make(self, state: object, make: Callable[[], T]) -> T:
        started = time.thread_time()
        value = make()
        took = time.thread_time() - started
        self._pause = 0.0 if took < PROMPT_SECONDS else min(MAX_PAUSE_SECONDS, PAUSE_FACTOR * took)
        self._made, self._made_at = (state, value), time.monotonic()
        return value
