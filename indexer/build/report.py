"""Report a build or an update: a table for people, a JSON file for programs, the rejected rows as CSV."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.product import Rejected
from catalog.text.csv_export import csv_text
from indexer.build.feed_diff import Changes
from indexer.generations.gates import Gate
from indexer.generations.manifest import Manifest

BUILD, UPDATE = "build", "update"
MAX_LINES = 10  # rejected rows printed


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work: how many items, and how long. Decoding is summed over threads and runs alongside encoding."""

    name: str
    items: int
    seconds: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build or an update (`kind`) did.

    `generation` is the current one afterwards. `made` says whether it is new, `would_make` whether a dry run would make
    one; `manifest` is that of the generation made or compared. `pictures` counts the different pictures that were
    read, `reused` those of them whose vector the cache had, `copied` rows taken from the generation before.
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
        if self.kind == BUILD:
            return self._build_body()
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
            "gates": [gate.body() for gate in self.gates],
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
        }

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.body(), indent=2) + "\n"

    def plan(self) -> str:
        """Return what a dry run found, to print."""
        target = "a new generation of the index" if self.would_make else "the catalogue alone"
        changed = self.changes.total or self.would_make
        first = f"An update would change {target}:" if changed else "Nothing has changed."
        return "\n".join([first, *self.changes.lines(), *self._rejected_lines()])

    def table(self) -> str:
        """Return what was done, to print."""
        total = f"  {self.seconds:.1f} s in all, peak memory {self.peak_memory_mb:,.0f} MB"
        gates = [f"  {gate.line()}" for gate in self.gates]
        return "\n".join([*(self._build_lines(gates) if self.kind == BUILD else self._update_lines(gates)), total])

    def _build_body(self) -> dict[str, Any]:
        manifest = self._require_manifest()
        steps = {
            step.name: {"items": step.items, "seconds": round(step.seconds, 3), "per_second": round(step.rate, 1)}
            for step in self.steps
        }
        return {
            "generation": self.generation,
            "encoder": manifest.encoder.name,
            "products": self.products,
            "pictures": self.pictures,
            "indexed": self.rows,
            "encoded": self.encoded,
            "reused": self.reused,
            "rejected": len(self.rejected),
            "steps": steps,
            "seconds": self.seconds,
            "peak_memory_mb": self.peak_memory_mb,
            "index": asdict(manifest.index),
            "recall": asdict(manifest.recall),
            "words_gate": manifest.words_gate,
            "gates": [gate.body() for gate in self.gates],
            "pictures_per_second": round(self.pictures / self.seconds, 1) if self.seconds > 0 else 0.0,
        }

    def _build_lines(self, gates: list[str]) -> list[str]:
        manifest = self._require_manifest()
        index, recall = manifest.index, manifest.recall
        probes = f", {index.nprobe} of {index.lists} lists probed" if index.lists else ""
        text_recall = "" if recall.text is None else f", words {recall.text:.3f}"
        return [
            f"Generation {self.generation:06d}, encoder {manifest.encoder.name}",
            f"  {self.products:,} products with {self.rows:,} pictures indexed, {len(self.rejected):,} rejected",
            f"  {self.encoded:,} different pictures encoded, {self.reused:,} reused",
            *(f"  {s.name:<7} {s.items:>9,} {s.seconds:>9.1f} s {s.rate:>11,.0f} a second" for s in self.steps),
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
        return [first, *self.changes.lines(), work, *gates, *self._rejected_lines()]

    def _rejected_lines(self) -> list[str]:
        lines = rejection_lines(self.rejected, "    ")
        return [f"  {len(self.rejected):,} rejected:", *lines] if lines else []

    def _require_manifest(self) -> Manifest:
        assert self.manifest is not None, "a build makes a generation"
        return self.manifest


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


def save_report(home: Path, report: IndexReport) -> None:
    """Write the report and its rejected rows: a build under its generation, an update also as the newest update."""
    names = ShopHome(home)
    names.reports.mkdir(parents=True, exist_ok=True)
    of_generation = [names.report(report.generation)] if report.made else []
    updated = report.kind == UPDATE
    if report.rejected or updated:
        text = rejected_csv(report.rejected)
        write_atomically(
            names.update_rejected if updated else names.rejected(report.generation),
            lambda path: path.write_text(text, encoding="utf-8", errors="backslashreplace", newline=""),
        )
    for target in [names.update_report, *of_generation] if updated else of_generation:
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


def rejected_csv(rows: Iterable[Rejected]) -> str:
    """Return rejected rows as CSV that is safe to open in a spreadsheet."""
    return csv_text(("source", "line", "reason"), ((row.source, row.line, row.reason) for row in rows))


def peak_memory_mb() -> float:
    """Return the most memory this process has used, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB
