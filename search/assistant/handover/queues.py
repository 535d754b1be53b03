"""Which queue a conversation goes to and how urgent it is: a small table of intents and words.

HOME/queues.csv replaces and adds rows: the columns are kind (intent or word), value, queue and priority. A word that
the customer wrote counts before the intent, and the most urgent row decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadFeed
from catalog.home import ShopHome
from catalog.text.labelled_csv import bad_line, read_labelled_csv
from search.assistant.threads.thread import HIGH, NORMAL, URGENT

GENERAL = "general"
PRIORITY_NAMES: Mapping[str, int] = {"normal": NORMAL, "high": HIGH, "urgent": URGENT}
COLUMNS = ("kind", "value", "queue", "priority")
INTENT, WORD = "intent", "word"
MAX_BYTES = 1_000_000
_QUEUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SHIPPED = Path(__file__).with_name("queues.csv")
_LATIN = re.compile(r"[a-z\u00c0-\u024f0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """A queue with a priority; `because` is the intent or the word that decided, "" without one."""

    queue: str = GENERAL
    priority: int = NORMAL
    because: str = ""


class QueueRules:
    """The rules of one shop."""

    def __init__(self, intents: Mapping[str, Route], words: Mapping[str, Route]) -> None:
        self._intents = intents
        self._words = [(_pattern(word), route) for word, route in words.items()]

    @classmethod
    def open(cls, home: Path) -> QueueRules:
        """Return the shipped rules with those of HOME/queues.csv. Raises BadFeed, which names the line."""
        own = ShopHome(home).queues
        return cls._of_rows(_read(_SHIPPED) | (_read(own) if own.is_file() else {}))

    @classmethod
    def shipped(cls) -> QueueRules:
        """Return the shipped rules alone."""
        return cls._of_rows(_read(_SHIPPED))

    @classmethod
    def _of_rows(cls, rows: Mapping[tuple[str, str], Route]) -> QueueRules:
        intents = {value: route for (kind, value), route in rows.items() if kind == INTENT}
        return cls(intents, {value: route for (kind, value), route in rows.items() if kind == WORD})

    def route(self, text: str, intent: str) -> Route:
        """Return where a conversation goes, by what the customer wrote and what the assistant understood."""
        folded = text.casefold()
        found = [route for pattern, route in self._words if pattern.search(folded)]
        if found:
            return max(found, key=lambda route: route.priority)
        return self._intents.get(intent, Route(because=intent))

    @property
    def queues(self) -> tuple[str, ...]:
        """The names of all queues, in the order of their names."""
        routes = [*self._intents.values(), *(route for _, route in self._words)]
        return tuple(sorted({GENERAL, *(route.queue for route in routes)}))


def _pattern(word: str) -> re.Pattern[str]:
    """Return a pattern for a word: whole words of Latin letters, any place in a text without spaces."""
    escaped = re.escape(word.casefold())
    begin = r"\b" if _LATIN.match(word[0]) else ""
    end = r"\b" if _LATIN.match(word[-1]) else ""
    return re.compile(f"{begin}{escaped}{end}")


def _read(path: Path) -> dict[tuple[str, str], Route]:
    rows: dict[tuple[str, str], Route] = {}
    for row in read_labelled_csv(path, COLUMNS, max_bytes=MAX_BYTES):
        kind, value, queue, priority = (row.values[name] for name in COLUMNS)
        if kind not in (INTENT, WORD) or not value:
            raise bad_line(path, row.line, f"the kind is {kind!r}", f"It is {INTENT} or {WORD}, with a value.")
        if not _QUEUE.fullmatch(queue):
            raise bad_line(path, row.line, f"the queue is {queue[:60]!r}", "Use small letters, digits, - and _.")
        if priority not in PRIORITY_NAMES:
            raise bad_line(path, row.line, f"the priority is {priority[:60]!r}", f"Use {', '.join(PRIORITY_NAMES)}.")
        rows[kind, value] = Route(queue, PRIORITY_NAMES[priority], value)
    if not rows:
        raise BadFeed(f"{path} has no rules.", "Remove it, or write a rule.")
    return rows
