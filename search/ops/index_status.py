"""What a shop's operator asks of its home: the generations kept, the last report, and the way back. JSON values all."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery, GenerationError
from catalog.home import ShopHome
from indexer.build.report import newest_report, read_report
from indexer.build.report import rejected_csv as rejected_table
from indexer.generations import store
from indexer.generations.manifest import read_manifest
from indexer.generations.publishing import build_lock, rollback

MAX_REJECTED_ROWS = 50  # shown; the file has all of them


def generations_of(home: Path) -> list[dict[str, Any]]:
    """Every generation kept, the newest first; of one whose manifest cannot be read, only `damaged`, in words.

    `bytes` of its files on disk, `recall` at 10 against exact search, `gates` as its report has them.
    """
    try:
        current = store.current_number(home)
    except GenerationError:
        current = 0
    return [_generation(home, number, number == current) for number in reversed(store.numbers(home))]


def way_back(home: Path) -> int | None:
    """The generation that `go_back` would make current; None when there is none."""
    try:
        return store.previous_number(home)
    except GenerationError:
        return None


def go_back(home: Path, generation: int) -> tuple[int, int]:
    """Make the generation before the current one current, provided that it is this one: (from, to).

    Raises BadQuery when it is another by now, a build is running, or that generation is damaged.
    """
    if way_back(home) != generation:
        raise BadQuery(
            f"Generation {generation} is not the one before the current one.",
            "Load the page anew; somebody went back, or published an index, meanwhile.",
        )
    try:
        with build_lock(home):
            if store.previous_number(home) != generation:  # what a crash left has just been published
                raise BadQuery("The current generation has just changed.", "Load the page anew.")
            return rollback(home)
    except GenerationError as error:
        raise BadQuery(f"The shop stays as it is. {_told(home, error.message)}", _told(home, error.hint)) from error


def last_report(home: Path) -> dict[str, Any] | None:
    """Return the newest report of a build or an update, with the first rows it rejected; None when there is none.

    `at` is when it was written (unix seconds), `changes` how many products changed in which way (of an update only).
    """
    report = newest_report(home)
    if report is None:
        return None
    body = report.body
    rejected = body.get("rejected") or 0
    return {
        "kind": report.kind,
        "at": int(report.path.stat().st_mtime),
        "generation": body.get("generation"),
        "made": bool(body.get("made", True)),
        "rows": body.get("indexed", body.get("rows")),
        "encoded": body.get("encoded"),
        "seconds": body.get("seconds"),
        "changes": body.get("changes"),
        "gates": body.get("gates") or [],
        "rejected": rejected,
        "rejected_rows": _rejected_rows(report.rejected_path) if rejected else [],
    }


def rejected_csv(home: Path) -> str:
    """Return the CSV file of the rows that the newest build or update rejected: no cell runs in a spreadsheet."""
    report = newest_report(home)
    if report is None or not report.body.get("rejected") or not report.rejected_path.is_file():
        return rejected_table(())
    return report.rejected_path.read_text(encoding="utf-8", errors="replace")


def _generation(home: Path, number: int, current: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"number": number, "current": current, "damaged": ""}
    try:
        manifest = read_manifest(store.folder_of(home, number))
    except GenerationError as error:
        return told | {"damaged": _told(home, error.message)}
    report = read_report(ShopHome(home).report(number)) or {}
    return told | {
        "created": manifest.created,
        "encoder": manifest.encoder.name,
        "products": manifest.products,
        "pictures": manifest.rows,
        "bytes": sum(file.bytes for file in manifest.files.values()),
        "index": manifest.index.kind,
        "recall": {"picture": manifest.recall.picture, "text": manifest.recall.text},
        "gates": report.get("gates", []),
        "rejected": report.get("rejected"),
    }


def _rejected_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        first = islice(csv.DictReader(file), MAX_REJECTED_ROWS)
        return [{name: row.get(name) or "" for name in ("source", "line", "reason")} for row in first]


def _told(home: Path, words: str) -> str:
    """Words without the place of the home, which an answer over HTTP need not tell."""
    return words.replace(f"{home}/", "").replace(str(home), "the shop")
