"""What a build did, for people and for programs: a table, a JSON file, and the rejected rows as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from catalog.files.atomic import write_atomically
from catalog.product import Rejected
from catalog.text.csv_export import csv_text
from indexer.build.feed_diff import Changes
from indexer.generations.gates import Gate
from indexer.types import IndexRecord, Recall

NAME = "update.json"
REJECTED = "rejected-update.csv"

FOLDER = "reports"
MAX_LINES = 10  # rejected rows printed


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work: how many items, and how long. Decoding is summed over threads and runs beside encoding."""

    name: str
    items: int
    seconds: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; `pictures` are different picture files, `indexed` rows of the index."""

    generation: int
    encoder: str
    products: int
    pictures: int
    indexed: int
    encoded: int
    reused: int
    rejected: tuple[Rejected, ...]
    steps: tuple[Step, ...]
    seconds: float
    peak_memory_mb: float
    index: IndexRecord
    recall: Recall
    words_gate: float
    gates: tuple[Gate, ...] = ()

    def to_json(self) -> str:
        """The report as JSON; rejected rows only as a number, they are in the CSV file beside it."""
        body = asdict(self) | {"rejected": len(self.rejected)}
        body["steps"] = {
            s.name: {"items": s.items, "seconds": round(s.seconds, 3), "per_second": round(s.rate, 1)}
            for s in self.steps
        }
        body["pictures_per_second"] = round(self.pictures / self.seconds, 1) if self.seconds > 0 else 0.0
        return json.dumps(body, indent=2) + "\n"

    def table(self) -> str:
        """The report as a person reads it."""
        lines = [
            f"Generation {self.generation:06d}, encoder {self.encoder}",
            f"  {self.products:,} products with {self.indexed:,} pictures indexed, {len(self.rejected):,} rejected",
            f"  {self.encoded:,} different pictures encoded, {self.reused:,} reused",
        ]
        lines += [
            f"  {step.name:<7} {step.items:>9,} {step.seconds:>9.1f} s {step.rate:>11,.0f} a second"
            for step in self.steps
        ]
        probes = f", {self.index.nprobe} of {self.index.lists} lists probed" if self.index.lists else ""
        words = "" if self.recall.text is None else f", words {self.recall.text:.3f}"
        lines += [f"  {gate.line()}" for gate in self.gates]
        lines += [
            f"  index {self.index.kind}{probes}",
            f"  recall@10 against exact search: pictures {self.recall.picture:.3f}{words}",
            f"  {self.seconds:.1f} s in all, peak memory {self.peak_memory_mb:,.0f} MB",
        ]
        return "\n".join(lines)


def rejection_lines(rejected: Sequence[Rejected], indent: str = "  ") -> list[str]:
    """Return a line for each of the first rejected rows, and one that counts the rest."""
    lines = [f"{indent}{row.source}:{row.line}: {row.reason}" for row in rejected[:MAX_LINES]]
    more = len(rejected) - len(lines)
    return [*lines, f"{indent}... and {more:,} more"] if more else lines


def print_rejections(rejected: Sequence[Rejected], where: Path | None = None) -> None:
    """Print the first rejected rows on stderr, and `where` all of them are; print nothing when no row was rejected."""
    if rejected:
        head = f"Rejected{f' (all in {where})' if where else ''}:"
        click.echo("\n".join([head, *rejection_lines(rejected)]), err=True)


def report_path(home: Path, generation: int) -> Path:
    """Where the report of that generation is."""
    return home / FOLDER / f"{generation:06d}.json"


def rejected_path(home: Path, generation: int) -> Path:
    """Where the rejected rows of that generation are, if it had any."""
    return home / FOLDER / f"rejected-{generation:06d}.csv"


def save_report(home: Path, report: BuildReport) -> None:
    """Write the report, and the rejected rows if there are any, into the shop's folder."""
    (home / FOLDER).mkdir(parents=True, exist_ok=True)
    if report.rejected:
        text = rejected_csv(report.rejected)
        write_atomically(
            rejected_path(home, report.generation),
            lambda path: path.write_text(text, encoding="utf-8", errors="backslashreplace", newline=""),
        )
    write_atomically(report_path(home, report.generation), lambda path: path.write_text(report.to_json()))


def rejected_csv(rows: Iterable[Rejected]) -> str:
    """Rejected rows as CSV, safe to open in a spreadsheet."""
    return csv_text(("source", "line", "reason"), ((row.source, row.line, row.reason) for row in rows))


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

    def _rejected(self) -> list[str]:
        lines = rejection_lines(self.rejected, "    ")
        return [f"  {len(self.rejected):,} rejected:", *lines] if lines else []

    def plan(self) -> str:
        """What would change, as a person reads it."""
        what = "a new generation of the index" if self.would_make else "the catalogue alone"
        would = f"An update would change {what}:" if self.changes.total or self.would_make else "Nothing has changed."
        return "\n".join([would, *self.changes.lines(), *self._rejected()])

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
        return "\n".join([did, *self.changes.lines(), worked, *gates, *self._rejected(), spent])


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
