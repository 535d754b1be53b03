"""Store bulk jobs: a folder and a SQLite file each, so that nothing is lost whenever a server or a command stops.

home/jobs/<id>/ holds `source` (the uploaded file), `table.csv` (the table of a zip) and `job.sqlite` (its rows).
Light to import: servers use it before their engine is open.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery, StoreError, UnknownProduct
from catalog.home import ShopHome
from catalog.storage.sqlite import open_database, read_statements, store_errors, transaction
from search.bulk import input_files, job_rows
from search.bulk.job_rows import ROW_FAILED, ROW_SUGGESTED, ROW_WAITING, Outcome, RowPicture, Task

DATABASE_FILE, SOURCE_FILE, TABLE_FILE = "job.sqlite", "source", "table.csv"
MAX_JOBS = 50
MIN_FREE_BYTES = 512 * 2**20  # disk space that a new job must leave
MAX_TRIES = 3  # tries of a row before it is rejected because it ends the worker
RECEIVING, WAITING, WORKING, DONE, CANCELLED = "receiving", "waiting", "working", "done", "cancelled"
REVIEW, DECIDED, ALL = "review", "decided", "all"
FILTERS = (ALL, REVIEW, DECIDED, ROW_FAILED)

_ID = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")
_FILTER_CONDITIONS = {
    ALL: "1",
    REVIEW: f"state = '{ROW_SUGGESTED}' AND kind = '' AND NOT sure",
    DECIDED: "kind <> ''",
    ROW_FAILED: f"state = '{ROW_FAILED}'",
}
_INSERT_ROW = "INSERT INTO rows (line, id, title, pictures, cells, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SELECT_WAITING = """SELECT number, id, coalesce(json_extract(decided, '$.title'), title) AS title, pictures, tried
    FROM rows WHERE state = 'waiting' ORDER BY number LIMIT ?"""
_UPDATE_FAILED = "UPDATE rows SET state = 'failed', reason = ? WHERE state = 'waiting' AND tried >= ?"
_UPDATE_OUTCOME = """UPDATE rows SET state = ?, reason = ?, suggestion = ?, confidence = ?, sure = ?, content = ?,
    vectors = ?, thumbnail = ? WHERE number = ? AND state = 'waiting'"""
JOB_FORMAT = 3  # 0 and 1 had no publications, 2 had no index of own ids
_TABLES = read_statements(Path(__file__).with_name("job.sql"))
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS by_state ON rows (state, number)",
    "CREATE INDEX IF NOT EXISTS by_id ON rows (id)",
    f"CREATE INDEX IF NOT EXISTS by_own_id ON rows ({job_rows.OWN_ID}) WHERE {job_rows.HAS_OWN_ID}",
    "DROP INDEX IF EXISTS by_kind",  # of an earlier format; counting rows must not read their blobs
    f"CREATE INDEX by_kind ON rows (state, kind, sure, {job_rows.UNTITLED_CONDITION}, published)",
)
COUNT_DOUBLES = f"""INSERT OR REPLACE INTO about
    SELECT 'double_ids', count(*) - count(DISTINCT {job_rows.SHOWN_ID}) FROM rows WHERE {job_rows.SHOWN_ID} <> ''"""  # noqa: S608


class UnknownJob(UnknownProduct):
    """No job has that id, or it was deleted."""


class Job:
    """One job. Threads and processes may share it, because every call opens its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.source, self.table = folder / SOURCE_FILE, folder / TABLE_FILE

    @contextmanager
    def db(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the job's file, in one transaction with `write`. Raises UnknownJob, StoreError."""
        path = self.folder / DATABASE_FILE
        if not path.is_file():
            raise UnknownJob("There is no such job.", "Perhaps it was deleted; list the jobs.")
        with store_errors(f"The job {self.id}", "Look at the disk's free space."), closing(open_database(path)) as db:
            db.row_factory = sqlite3.Row
            _add_columns(db)
            with transaction(db) if write else nullcontext():
                if write:
                    _upgrade(db)
                yield db

    def about(self) -> dict[str, Any]:
        """Return the job's metadata by name."""
        with self.db() as db:
            return dict(db.execute("SELECT name, value FROM about").fetchall())

    def set_meta(self, **values: Any) -> None:
        """Store metadata of the job."""
        with self.db(write=True) as db:
            db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def receive(self, offset: int, part: bytes) -> int:
        """Write a part of the source at an offset within the bytes received; return the number of bytes received."""
        about = self.about()
        if about["state"] != RECEIVING:
            raise BadQuery("The job's file is complete.", "Create another job.")
        with self.source.open("r+b") as file:
            here = file.seek(0, 2)
            if not 0 <= offset <= here:
                raise BadQuery(f"offset is {offset}, but {here} bytes were received.", f"Continue with offset={here}.")
            if offset + len(part) > about["size"]:
                raise BadQuery(f"The parts exceed the announced {about['size']} bytes.", "Create another job.")
            file.seek(offset)
            file.write(part)
            return file.seek(0, 2)

    def begin(self) -> None:
        """Read the rows of the source and queue them; a cancelled job continues. Raises BadFeed, BadQuery."""
        about = self.about()
        if about["state"] == RECEIVING:
            if (here := self.source.stat().st_size) != about["size"]:
                raise BadQuery(f"{here} of {about['size']} bytes were received.", f"Send the rest, with offset={here}.")
            rows = input_files.read_rows(self.source, self.table)
            with self.db(write=True) as db:
                db.execute("DELETE FROM rows")
                db.executemany(_INSERT_ROW, map(_inserted, rows))
                db.execute(COUNT_DOUBLES)
                db.execute("UPDATE about SET value = ? WHERE name = 'state'", (WAITING,))
        elif about["state"] == CANCELLED:
            self.set_meta(state=WAITING)

    def cancel(self) -> None:
        """Stop the job; rows that are done stay, and `begin` continues it."""
        with self.db(write=True) as db:
            db.execute(
                "UPDATE about SET value = ? WHERE name = 'state' AND value IN (?, ?)", (CANCELLED, WAITING, WORKING)
            )

    def take(self, limit: int) -> list[Task]:
        """Return the next rows to work on; a row at which the worker ended before comes alone.

        Returns none when the job is done or cancelled.
        """
        with self.db(write=True) as db:
            if db.execute("SELECT value FROM about WHERE name = 'state'").fetchone()[0] not in (WAITING, WORKING):
                return []
            reason = f"The worker ended {MAX_TRIES} times at this row."
            db.execute(_UPDATE_FAILED, (reason, MAX_TRIES))
            found = db.execute(_SELECT_WAITING, (limit,)).fetchall()
            if found and found[0]["tried"]:
                found = found[:1]
            elif any(row["tried"] for row in found):
                found = found[: next(i for i, row in enumerate(found) if row["tried"])]
            db.executemany("UPDATE rows SET tried = tried + 1 WHERE number = ?", [(row["number"],) for row in found])
            db.execute("UPDATE about SET value = ? WHERE name = 'state'", (WORKING if found else DONE,))
        return [Task(r["number"], r["id"], r["title"], tuple(json.loads(r["pictures"])), r["tried"]) for r in found]

    def set_encoder(self, fingerprint: str) -> None:
        """Store the encoder of the rows' vectors; vectors of another one are dropped."""
        with self.db(write=True) as db:
            before = db.execute("SELECT value FROM about WHERE name = 'fingerprint'").fetchone()
            if before is not None and before[0] != fingerprint:
                db.execute("UPDATE rows SET vectors = x'' WHERE length(vectors)")
            db.execute("INSERT OR REPLACE INTO about VALUES ('fingerprint', ?)", (fingerprint,))

    def unique_rows(self) -> Iterator[RowPicture]:
        """Yield the first pictures of rows that are done and repeat no earlier row, in order."""
        query = """SELECT number, coalesce(json_extract(decided, '$.title'), title), json_extract(pictures, '$[0]'),
            content, vectors FROM rows
            WHERE content <> '' AND NOT coalesce(json_extract(suggestion, '$.repeats_row'), 0) ORDER BY number"""
        with self.db() as db:
            for row in db.execute(query):
                yield RowPicture(*row)

    def finish(self, outcomes: Iterable[Outcome], rate: float) -> None:
        """Store the outcomes of rows, all or none, durably."""
        with self.db(write=True) as db:
            db.executemany(_UPDATE_OUTCOME, map(_made, outcomes))
            db.execute("INSERT OR REPLACE INTO about VALUES ('rate', ?)", (rate,))

    def status(self) -> dict[str, Any]:
        """Return the job's progress as JSON values."""
        about = self.about()
        with self.db() as db:
            row_counts = job_rows.counts(db)
        rate = float(about.get("rate", 0.0)) * (about["state"] == WORKING)
        return {
            "id": self.id,
            "name": about["name"],
            "created": about["created"],
            "state": about["state"],
            "bytes": about["size"],
            "received": self.source.stat().st_size if self.source.is_file() else about["size"],
            **row_counts,
            "double_ids": about.get("double_ids", 0),
            "rows_per_second": round(rate, 2),
        }

    def rows(self, which: str = ALL, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Return rows after a number, in order: all, or those to review, decided or failed. Raises BadQuery."""
        if which not in FILTERS or not 1 <= limit <= 200:
            raise BadQuery(f"show is {which[:40]!r}, limit {limit}.", f"show: {', '.join(FILTERS)}; limit: 1 to 200.")
        columns, condition = job_rows.ROW_COLUMNS, _FILTER_CONDITIONS[which]
        query = f"SELECT {columns} FROM rows WHERE number > ? AND {condition} ORDER BY number LIMIT ?"  # noqa: S608
        with self.db() as db:
            return [job_rows.row_dict(row) for row in db.execute(query, (after, limit))]

    @property
    def root(self) -> Path:
        """Return the folder of the pictures that a table names; for an uploaded table a folder that never exists."""
        return Path(self.about().get("root") or self.folder / "none")


class JobStore:
    """All jobs of a shop."""

    def __init__(self, home: Path) -> None:
        self._folder = ShopHome(home).jobs

    def create(self, name: str, size: int, root: Path | None = None, source: Path | None = None) -> Job:
        """Create a job for a file of `size` bytes, which is then received in parts, or copied from `source`.

        `root` is the folder of the pictures that a table names. Raises BadQuery, StoreError.
        """
        if not 0 < size <= input_files.MAX_INPUT_BYTES:
            raise BadQuery(
                f"The file has {size:,} bytes.", f"A file may have 1 to {input_files.MAX_INPUT_BYTES:,} bytes."
            )
        if len(self.all()) >= MAX_JOBS:
            raise BadQuery(f"There are {MAX_JOBS} jobs already.", "Delete some of them.")
        self._folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < size + MIN_FREE_BYTES:
            raise StoreError("The disk has no room for that file.", "Delete other jobs, or free some.")
        job = Job(self._folder / f"{time.time_ns() // 10**6:012x}-{secrets.token_hex(4)}")
        making = self._folder / f".{job.id}"
        making.mkdir()
        with closing(open_database(making / DATABASE_FILE)) as db:
            for statement in _TABLES:
                db.execute(statement)
            _upgrade(db)
            about = {"name": name[:200], "created": int(time.time()), "state": RECEIVING, "size": size}
            about |= {} if root is None else {"root": str(root.resolve())}
            db.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        (making / SOURCE_FILE).touch() if source is None else shutil.copyfile(source, making / SOURCE_FILE)
        making.rename(job.folder)
        return job

    def get(self, job_id: str) -> Job:
        """Return the job with that id. Raises UnknownJob."""
        job = Job(self._folder / job_id)
        if not _ID.fullmatch(job_id) or not (job.folder / DATABASE_FILE).is_file():
            raise UnknownJob(f"There is no job {job_id[:40]!r}.", "Perhaps it was deleted; list the jobs.")
        return job

    def all(self) -> list[Job]:
        """Return every job, the newest first."""
        if not self._folder.is_dir():
            return []
        found = [folder for folder in self._folder.iterdir() if _ID.fullmatch(folder.name)]
        return [Job(folder) for folder in sorted(found, reverse=True) if (folder / DATABASE_FILE).is_file()]

    def delete(self, job_id: str) -> None:
        """Delete a job and its files; its decisions stay in the decision store. Raises UnknownJob."""
        job = self.get(job_id)
        gone = self._folder / f".gone-{job.id}"
        job.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def next(self) -> Job | None:
        """Return the oldest job that is not done."""
        for job in reversed(self.all()):
            try:
                if job.about()["state"] in (WAITING, WORKING):
                    return job
            except UnknownJob:  # deleted in the meantime
                continue
        return None


def _inserted(row: input_files.BulkRow) -> tuple[object, ...]:
    state = ROW_FAILED if row.fault else ROW_WAITING
    pictures, cells = json.dumps(row.pictures), json.dumps(dict(row.cells))
    return row.line, row.id, row.title, pictures, cells, state, row.fault


def _made(outcome: Outcome) -> tuple[object, ...]:
    suggestion = None if outcome.suggestion is None else json.dumps(outcome.suggestion, separators=(",", ":"))
    state, blobs = ROW_FAILED if suggestion is None else ROW_SUGGESTED, (outcome.vectors, outcome.thumbnail)
    findings = (outcome.confidence, outcome.confident, outcome.content)
    return state, outcome.reason, suggestion, *findings, *blobs, outcome.number


def _upgrade(db: sqlite3.Connection) -> None:
    """Add what an earlier version's file lacks."""
    if db.execute("PRAGMA user_version").fetchone()[0] < JOB_FORMAT:
        for statement in (*_INDEXES, COUNT_DOUBLES, f"PRAGMA user_version = {JOB_FORMAT}"):
            db.execute(statement)


def _add_columns(db: sqlite3.Connection) -> None:
    """Add what every reader needs to an earlier version's file."""
    if db.execute("PRAGMA user_version").fetchone()[0] < JOB_FORMAT:
        with transaction(db):
            if "published" not in [row["name"] for row in db.execute("PRAGMA table_info(rows)")]:
                db.execute("ALTER TABLE rows ADD COLUMN published INTEGER DEFAULT 0")
            db.execute(_TABLES[-1])
