"""Report a build or an update: a table for people, a JSON file for programs, the rejected rows as CSV."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.product import Rejected
from catalog.text.csv_export import csv_text
from indexer.feed_changes import Changes, NoteCount, RetainedProducts
from indexer.generations.gates import Gate
from indexer.generations.manifest import Manifest
from indexer.run_warnings import RunWarnings
from indexer.step_times import Step

BUILD, UPDATE = "build", "update"
MAX_LINES = 10  # rejected rows printed
log = logging.getLogger(__name__)
REPORT_FIELDS = {  # fields of the JSON file, in order
    BUILD: "generation encoder products pictures indexed encoded reused rejected steps seconds peak_memory_mb index"
    " recall words_gate gates pictures_per_second retained notes warnings",
    UPDATE: "generation made would_make changes encoded titles copied rows rejected gates seconds peak_memory_mb"
    " retained notes warnings",
}


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build or an update (`kind`) did.

    `generation` is the current one afterwards. `made` says whether it is new, `would_make` whether a dry run would make
    one; `manifest` is that of the generation made or compared. `pictures` counts the different pictures that were
    read, `reused` those of them whose vector the cache had, `copied` rows taken from the generation before. `retained`
    are products that stay although the feed has no usable row of them, `notes` values that were not understood.
    `warnings` are what could not be written once the changes were published.
    """

    kind: str
    generation: int
    made: bool
    changes: Changes
    manifest: Manifest | None
    pictures: int
    encoded: int
    reused: int
    titles: int
    copied: int
    rejected: tuple[Rejected, ...]
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    seconds: float
    peak_memory_mb: float
    would_make: bool = False
    retained: RetainedProducts = field(default_factory=RetainedProducts)
    notes: tuple[NoteCount, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the generation made, one for each picture of each product; 0 without one."""
        return 0 if self.manifest is None else self.manifest.rows

    @property
    def products(self) -> int:
        """Products of the generation made; 0 without one."""
        return 0 if self.manifest is None else self.manifest.products

    def body(self) -> dict[str, Any]:
        """Return the report as JSON values; rejected rows as a count only, the CSV file has them."""
        values: dict[str, Any] = {"rejected": len(self.rejected), "gates": [gate.body() for gate in self.gates]}
        values |= {"retained": self.retained.body(), "notes": [asdict(note) for note in self.notes]}
        if self.kind == UPDATE:
            values["changes"] = self.changes.body()
            values |= {"seconds": round(self.seconds, 3), "peak_memory_mb": round(self.peak_memory_mb, 1)}
        elif self.manifest is not None:
            values |= asdict(self.manifest) | {"encoder": self.manifest.encoder.name, "indexed": self.rows}
            values["pictures_per_second"] = round(self.pictures / self.seconds, 1) if self.seconds > 0 else 0.0
            values["steps"] = {step.name: step.body() for step in self.steps}
        return {
            name: values[name] if name in values else getattr(self, name) for name in REPORT_FIELDS[self.kind].split()
        }

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.body(), indent=2) + "\n"

    def plan(self) -> str:
        """Return what a dry run found, to print."""
        target = "a new generation of the index" if self.would_make else "the catalogue alone"
        changed = self.changes.total or self.would_make
        first = f"An update would change {target}:" if changed else "Nothing has changed."
        return "\n".join([first, *self.changes.lines(), *self._attention_lines(), *self._rejected_lines()])

    def table(self) -> str:
        """Return what was done, to print."""
        total = f"  {self.seconds:.1f} s in all, peak memory {self.peak_memory_mb:,.0f} MB"
        gates = [f"  {gate.line()}" for gate in self.gates]
        built = self.manifest if self.kind == BUILD else None
        return "\n".join([*(self._build_lines(built, gates) if built else self._update_lines(gates)), total])

    def _build_lines(self, manifest: Manifest, gates: list[str]) -> list[str]:
        index, recall = manifest.index, manifest.recall
        fewer = f" ({index.filled_nprobe} for pictures)" if index.filled_nprobe else ""
        probes = f", {index.nprobe}{fewer} of {index.lists} lists probed" if index.lists else ""
        text_recall = "" if recall.text is None else f", words {recall.text:.3f}"
        return [
            f"Generation {self.generation:06d}, encoder {manifest.encoder.name}",
            f"  {self.products:,} products with {self.rows:,} pictures indexed, {len(self.rejected):,} rejected",
            f"  {self.encoded:,} different pictures encoded, {self.reused:,} reused",
            *self._attention_lines(),
            *(f"  {s.name:<9} {s.items:>9,} {s.seconds:>9.1f} s {s.rate:>11,.0f} a second" for s in self.steps),
            *gates,
            f"  index {index.kind}{probes}",
            f"  recall@10 against exact search: pictures {recall.picture:.3f}{text_recall}",
        ]

    def _update_lines(self, gates: list[str]) -> list[str]:
        if self.made:
            first = f"Generation {self.generation:06d}: {self.rows:,} rows, {self.copied:,} of them copied"
        elif self.changes.total:
            first = f"The catalogue is up to date; generation {self.generation:06d} of the index stays, no row changed"
        else:
            first = f"Nothing has changed; generation {self.generation:06d} stays"
        work = f"  {self.encoded:,} different pictures and {self.titles:,} titles encoded"
        return [first, *self.changes.lines(), *self._attention_lines(), work, *gates, *self._rejected_lines()]

    def _attention_lines(self) -> list[str]:
        """Return lines on what was not written, products that stay without a usable row, and values not understood."""
        warnings = [f"  Warning: {line}" for line in self.warnings]
        return [*warnings, *self.retained.lines(), *note_lines(self.notes)]

    def _rejected_lines(self) -> list[str]:
        lines = rejection_lines(self.rejected, "    ")
        return [f"  {len(self.rejected):,} rejected:", *lines] if lines else []


@dataclass(frozen=True, slots=True)
class SavedReport:
    """A report file that an earlier run wrote, with its JSON values."""

    home: ShopHome
    path: Path
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """BUILD or UPDATE; an update also writes the report of the generation that it makes."""
        return UPDATE if self.path == self.home.update_report or "changes" in self.body else BUILD

    @property
    def rejected_path(self) -> Path:
        """The CSV file of the rows that the run rejected; a build without any writes none."""
        return self.home.update_rejected if self.kind == UPDATE else self.home.rejected(int(self.path.stem))


def note_lines(notes: Sequence[NoteCount]) -> list[str]:
    """Return a line for each of the notes that most rows have, and one that counts the rest."""
    most = sorted(notes, key=lambda note: -note.rows)[:MAX_LINES]
    lines = [f"  {note.rows:>9,} {_place(note)}: {note.message}" for note in most]
    more = len(notes) - len(lines)
    return [*lines, f"  ... and {more:,} more kinds of notes"] if more else lines


def _place(note: NoteCount) -> str:
    place = f"{note.source}:{note.line}"
    return f"row, {place}" if note.rows == 1 else f"rows, the first at {place}"


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


def save_report(home: Path, report: IndexReport, warnings: RunWarnings) -> IndexReport:
    """Write the report with these warnings, and its rejected rows; return it.

    A build is written under its generation, an update also as the newest update. Where the files cannot be written,
    that is another warning, and the rejected rows are logged.
    """
    report = replace(report, warnings=tuple(warnings.lines))
    with warnings.warn_on_error("The changes are published, but the report of this run is not written."):
        _write_report(home, report)
        return report
    for row in report.rejected:
        log.warning("Rejected: %s:%d: %s", row.source, row.line, row.reason)
    return replace(report, warnings=tuple(warnings.lines))


def _write_report(home: Path, report: IndexReport) -> None:
    names, updated = ShopHome(home), report.kind == UPDATE
    names.reports.mkdir(parents=True, exist_ok=True)
    if report.rejected or updated:
        table = rejected_table(report.rejected).encode("utf-8", "backslashreplace")
        target = names.update_rejected if updated else names.rejected(report.generation)
        write_atomically(target, lambda path: path.write_bytes(table))
    for target, wanted in ((names.update_report, updated), (names.report(report.generation), report.made)):
        if wanted:
            write_atomically(target, lambda path: path.write_text(report.to_json(), encoding="utf-8"))


def newest_report(home: Path) -> SavedReport | None:
    """Return the newest report that can be read, None when there is none."""
    names = ShopHome(home)
    found = [path for path in names.reports.glob("*.json") if path.stem.isdigit() or path == names.update_report]
    found.sort(key=lambda path: (path.stat().st_mtime, path == names.update_report), reverse=True)
    bodies = ((path, read_report(path)) for path in found)
    return next((SavedReport(names, path, body) for path, body in bodies if body is not None), None)


def read_report(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a report file; None when there is none that can be read."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) else None


def rejected_table(rows: Iterable[Rejected]) -> str:
    """Return rejected rows as CSV that is safe to open in a spreadsheet."""
    table = ((row.source, row.line, row.reason, row.product_id) for row in rows)
    return csv_text(("source", "line", "reason", "id"), table)
