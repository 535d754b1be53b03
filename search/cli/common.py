"""Share options and output among the commands of `python -m search`."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from indexer.cli.common import SOME_REJECTED, home_option, runtime_option
from indexer.progress import progress
from search.importing.import_counts import ImportCounts

FILE_TYPE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER_TYPE = click.Path(file_okay=False, path_type=Path)
OUTPUT_TYPE = click.Path(dir_okay=False, path_type=Path)
GAP = "  "
INTERVAL = "_interval"  # ends the name of a figure's interval
SHOWN_REJECTED = 5  # rows of a report that are printed
MIN_SHRUNK_WIDTH = 12  # terminal columns: a table column is not made narrower

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def shop_options(command: Any) -> Any:
    """Add the options of every command that opens a shop: --home, --runtime and --json."""
    return home_option(runtime_option(json_option(command)))


def print_json(value: Mapping[str, Any]) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value))


def print_figures(figures: Mapping[str, Any], as_json: bool = False) -> None:
    """Print one figure a line, except lists; or all as one line of JSON."""
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        if not isinstance(value, list):
            text = f"{value:.4f}" if isinstance(value, float) else "-" if value is None else value
            click.echo(f"{name + GAP:<24}{text}")


def print_measured(figures: Mapping[str, Any]) -> None:
    """Print a table of the figures that have an interval, each language's below, and the worst failures."""
    rows = list(_measured_rows(figures, ""))
    for language, own in figures.get("languages", {}).items():
        rows += _measured_rows(own, language)
    print_table(("measured", "figure", "95 % interval", "n", "lang"), rows, ("figure", "n"))
    for name, kinds in figures.get("verdicts", {}).items():
        click.echo(f"{name}: {', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}")
    if figures.get("ece_perfect") is not None:
        click.echo(f"By chance alone, ece would be {figures['ece_perfect']:.3f}.")
    if figures["failures"]:
        click.echo("\nThe worst:")
    for failure in figures["failures"]:
        click.echo(printable("; ".join(f"{name}: {_shown(value)}" for name, value in failure.items())))


def _measured_rows(figures: Mapping[str, Any], language: str) -> Iterable[tuple[str, ...]]:
    for name, interval in figures.items():
        if name.endswith(INTERVAL):
            measure = name.removesuffix(INTERVAL)
            count = figures.get(f"{measure}_queries", figures["queries"])
            figure = "-" if figures[measure] is None else f"{figures[measure]:.3f}"
            shown = "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
            yield measure, figure, shown, f"{count:,}", language


def _shown(value: object) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    """Print a table that fits the terminal; the columns named in `right` are aligned right."""
    click.echo(format_table(header, rows, shutil.get_terminal_size((120, 24)).columns, right))


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[str] = ()) -> str:
    """Return rows under their header, in `width` terminal columns where possible; those in `right` align right."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(header))]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > MIN_SHRUNK_WIDTH:
        widths[widths.index(max(widths))] -= 1
    lines.insert(1, ["-" * size for size in widths])
    aligned = [name in right for name in header]
    return "\n".join(GAP.join(map(_fit, line, widths, aligned)).rstrip() for line in lines)


def printable(cell: str) -> str:
    """Replace control characters, so that a product's title cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _fit(text: str, size: int, align_right: bool) -> str:
    if cell_len(text) > size:
        text = set_cell_size(text, size - 1).rstrip() + "…"
    return " " * (size - cell_len(text)) + text if align_right else set_cell_size(text, size)


def report_rejected(rejected: Sequence[Mapping[str, Any]]) -> None:
    """Print the rejected rows of a labelled CSV, with their reasons, on stderr."""
    for row in rejected:
        name = row.get("photo") or row.get("query") or ""
        click.echo(f"line {row['line']}: {name!r}: {row['reason']}", err=True)


def show_progress(keys: Sequence[str]) -> Iterable[str]:
    """Yield the keys, and show how many are done."""
    with progress("queries", len(keys)) as tick:
        for key in keys:
            yield key
            tick(1)


def print_import(
    counts: ImportCounts, figures: Mapping[str, Any], rejected: Path, as_json: bool, note: str = ""
) -> None:
    """Print what an import did, as `figures` of its `counts`; `rejected` is where rejected rows are listed.

    `note` follows the names of products that the shop does not have.
    """
    if as_json:
        print_json({**figures, "report": str(rejected) if counts.rejected else None})
        return
    print_figures(figures)
    if figures["examples"]:
        click.echo(f"The shop has no such products: {', '.join(map(repr, figures['examples']))}.{note}")


def exit_if_rejected(counts: ImportCounts, rejected: Path) -> None:
    """Print the first rejected rows and where all of them are, and exit with SOME_REJECTED; return without any."""
    if not counts.rejected:
        return
    with rejected.open(encoding="utf-8", newline="") as file:
        for row in itertools.islice(csv.DictReader(file), SHOWN_REJECTED):
            click.echo(f"line {row['line']}: {row['reason']}", err=True)
    click.echo(f"All rejected rows: {rejected}", err=True)
    raise click.exceptions.Exit(SOME_REJECTED)
