"""Count how a feed differs from the catalogue, for the report: what changed, what stays, what was not understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_IDS = 20  # reported of each kind of change
ADDED, PICTURES_CHANGED, TITLE_CHANGED, FACTS_CHANGED, REMOVED = "added", "pictures", "words", "facts", "removed"
CHANGE_LABELS = {
    ADDED: "added",
    PICTURES_CHANGED: "changed pictures",
    TITLE_CHANGED: "changed titles",
    FACTS_CHANGED: "changed facts only (price, stock, texts)",
    REMOVED: "removed",
}


@dataclass(slots=True)
class Changes:
    """How many products changed in which way, with the first ids of each kind."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANGE_LABELS, 0))
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in CHANGE_LABELS})
    unchanged: int = 0

    def count(self, kind: str, product_id: str) -> None:
        """Count one more change of that kind."""
        self.counts[kind] += 1
        if len(self.ids[kind]) < MAX_IDS:
            self.ids[kind].append(product_id)

    @property
    def total(self) -> int:
        """How many products changed in any way."""
        return sum(self.counts.values())

    def alter_index(self, reads_titles: bool) -> bool:
        """Return whether any row of an index changes."""
        rows_change = any(self.counts[kind] for kind in (ADDED, PICTURES_CHANGED, REMOVED))
        return rows_change or (reads_titles and self.counts[TITLE_CHANGED] > 0)

    def body(self) -> dict[str, Any]:
        """Return the changes as JSON values."""
        kinds: dict[str, Any] = {kind: {"count": self.counts[kind], "ids": self.ids[kind]} for kind in CHANGE_LABELS}
        return kinds | {"unchanged": self.unchanged}

    def lines(self) -> list[str]:
        """Return a printed line for each kind of change."""
        lines = []
        for kind, label in CHANGE_LABELS.items():
            count, ids = self.counts[kind], self.ids[kind]
            first = ", ".join(ids) + (" ..." if count > len(ids) else "")
            lines.append(f"  {count:>9,} {label}{f': {first}' if ids else ''}")
        return [*lines, f"  {self.unchanged:>9,} unchanged"]


@dataclass(slots=True)
class RetainedProducts:
    """How many products stay as they were although the feed gives no usable row of them, with the first ids.

    `rejected` are those whose rows were rejected. `uncertain` are not in the feed, but may be the products of
    rejected rows whose id cannot be read.
    """

    rejected: int = 0
    uncertain: int = 0
    ids: list[str] = field(default_factory=list)

    def count(self, product_id: str, uncertain: bool) -> None:
        """Count one more product."""
        if uncertain:
            self.uncertain += 1
        else:
            self.rejected += 1
        if len(self.ids) < MAX_IDS:
            self.ids.append(product_id)

    def body(self) -> dict[str, Any]:
        """Return the counts and ids as JSON values."""
        return {"rejected": self.rejected, "uncertain": self.uncertain, "ids": self.ids}

    def lines(self) -> list[str]:
        """Return a printed line for each reason why products stay, and one with the first ids."""
        reasons = (
            (self.rejected, "left as they were, because their rows were rejected"),
            (self.uncertain, "not in the feed and not removed, because the id of a rejected row cannot be read"),
        )
        lines = [f"  {count:>9,} {reason}" for count, reason in reasons if count]
        more = " ..." if self.rejected + self.uncertain > len(self.ids) else ""
        return [*lines, f"            {', '.join(self.ids)}{more}"] if lines else []


@dataclass(slots=True)
class NoteCount:
    """A note on rows that became products: its message, how many rows have it, and the first of them."""

    message: str
    source: str
    line: int
    rows: int = 0
