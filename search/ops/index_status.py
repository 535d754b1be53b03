"""Index status for the operator, as JSON values: the generations, the last report, and moves to other generations."""

from __future__ import annotations

import csv
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery, GenerationError
from catalog.home import ShopHome
from catalog.storage.restoration import Restoration
from indexer.build.report import newest_report, read_report, rejected_table
from indexer.generations import store
from indexer.generations.manifest import read_manifest
from indexer.generations.publishing import GenerationMove, build_lock, preview_rollback, rollback

MAX_REJECTED_ROWS = 50  # shown; the file has all of them


def generations_of(home: Path) -> list[dict[str, Any]]:
    """Return all generations, newest first; one whose manifest cannot be read has only the message `damaged`.

    `bytes` is the size of its files, `recall` is at 10 against exact search, `gates` are those of its report.
    """
    current = store.current_number_or_none(home)
    return [_generation(home, number, number == current) for number in reversed(store.numbers(home))]


def way_back(home: Path) -> int | None:
    """Return the generation before the current one; None when there is none."""
    try:
        return store.previous_number(home)
    except GenerationError:
        return None


def preview_move(home: Path, generation: int | None) -> dict[str, Any]:
    """Return what `move_to` would do to the products now, by default to the generation before: numbers of products.

    Without a generation before, nothing would happen. Raises BadQuery.
    """
    try:
        if generation is None and (generation := way_back(home)) is None:
            current = store.current_number(home)
            return _move_body(GenerationMove(current, current, Restoration()))
        return _move_body(preview_rollback(home, generation))
    except GenerationError as error:
        raise _refused(home, error) from error


def move_to(home: Path, generation: int) -> dict[str, Any]:
    """Make another generation current and restore its products; return what that did to the products.

    Raises BadQuery when it is current already, when a build is running, or when that generation is damaged or gone.
    """
    try:
        with build_lock(home):
            return _move_body(rollback(home, generation))
    except GenerationError as error:
        raise _refused(home, error) from error


def _move_body(move: GenerationMove) -> dict[str, Any]:
    return {"left": move.left, "current": move.current, **asdict(move.restoration)}


def _refused(home: Path, error: GenerationError) -> BadQuery:
    message = f"The current generation stays. {_without_path(home, error.message)}"
    return BadQuery(message, _without_path(home, error.hint))


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
        **{name: body.get(name) for name in ("encoded", "seconds", "changes")},
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
    status: dict[str, Any] = {"number": number, "current": current, "damaged": ""}
    try:
        manifest = read_manifest(ShopHome(home).generation(number))
    except GenerationError as error:
        return status | {"damaged": _without_path(home, error.message)}
    report = read_report(ShopHome(home).report(number)) or {}
    return status | {
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


def _without_path(home: Path, text: str) -> str:
    """Remove the path of the home from a message, which an HTTP answer must not reveal."""
    return text.replace(f"{home}/", "").replace(str(home), "the shop")
