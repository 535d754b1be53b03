"""What an update did, or would do: for people, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from catalog.product import Rejected
from indexer.build.feed_diff import Changes
from indexer.generations.gates import Gate
from catalog.files.atomic import write_atomically
from indexer.build.report import FOLDER, SHOWN, rejected_csv, report_path

NAME = "update.json"
REJECTED = "rejected-update.csv"


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """`generation` is the current one afterwards; `made` says whether it is new, `would_make` whether it would be."""

    generation: int
    made: bool
    changes: Changes
    encoded: int
    titles: int
    copied: int
    rows: int
    rejected: tuple[Rejected, ...]
    gates: tuple[Gate, ...]
    seconds: float
    peak_memory_mb: float
    would_make: bool = False

    def body(self) -> dict[str, Any]:
        """The report as JSON values; rejected rows only as a number, they are in the CSV file."""
        return {
            "generation": self.generation,
            "made": self.made,
            "would_make": self.would_make,
            "changes": self.changes.body(),
            "encoded": self.encoded,
            "titles": self.titles,
            "copied": self.copied,
            "rows": self.rows,
            "rejected": len(self.rejected),
            "gates": [asdict(gate) for gate in self.gates],
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
        }

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.body(), indent=2) + "\n"

    def plan(self) -> str:
        """What would change, as a person reads it."""
        what = "a new generation of the index" if self.would_make else "the catalogue alone"
        would = f"An update would change {what}:" if self.changes.total or self.would_make else "Nothing has changed."
        return "\n".join([would, *self.changes.lines(), *self._rejections()])

    def table(self) -> str:
        """What was done, as a person reads it."""
        if self.made:
            did = f"Generation {self.generation:06d}: {self.rows:,} rows, {self.copied:,} of them copied"
        elif self.changes.total:
            did = f"The catalogue is up to date; generation {self.generation:06d} of the index stays, no row changed"
        else:
            did = f"Nothing has changed; generation {self.generation:06d} stays"
        worked = f"  {self.encoded:,} different pictures and {self.titles:,} titles encoded"
        spent = f"  {self.seconds:.1f} s in all, peak memory {self.peak_memory_mb:,.0f} MB"
        gates = [f"  {gate.line()}" for gate in self.gates]
        return "\n".join([did, *self.changes.lines(), worked, *gates, *self._rejections(), spent])

    def _rejections(self) -> list[str]:
        lines = [f"    {row.source}:{row.line}: {row.reason}" for row in self.rejected[:SHOWN]]
        more = len(self.rejected) - len(lines)
        lines += [f"    ... and {more:,} more"] if more else []
        return [f"  {len(self.rejected):,} rejected:", *lines] if lines else []


def save_update(home: Path, report: UpdateReport) -> None:
    """Write the report, beside those of the generations when there is a new one, and the rejected rows."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    rejected = rejected_csv(report.rejected)
    write_atomically(
        folder / REJECTED,
        lambda path: path.write_text(rejected, encoding="utf-8", errors="backslashreplace", newline=""),
    )
    for path in [folder / NAME, *([report_path(home, report.generation)] if report.made else [])]:
        write_atomically(path, lambda temporary: temporary.write_text(report.to_json(), encoding="utf-8"))
