"""Store the experiments of a shop and who has seen which arm, in one small database that all servers share.

A visitor is stored as the keyed hash that the event log has. An exposure is the first time that a visitor saw an arm.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadInput, UnknownExperiment
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction
from search.recommend.experiments.experiment import RUNNING, STOPPED, Experiment

MAX_EXPERIMENTS = 100
_TIMEOUT_S = 0.1  # a shopper waits meanwhile
_OWNER_TIMEOUT_S = 1.0
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = NORMAL")
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS experiments (name TEXT PRIMARY KEY, definition TEXT NOT NULL,
    started INTEGER, stopped INTEGER) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS exposures (experiment TEXT NOT NULL, visitor BLOB NOT NULL, arm TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (experiment, visitor, arm)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS exposures_by_visitor ON exposures (visitor)",
)
_SELECT = "SELECT definition, started, stopped FROM experiments ORDER BY started IS NULL DESC, started DESC, name"
_SELECT_ONE = "SELECT definition, started, stopped FROM experiments WHERE name = ?"
_SELECT_RUNNING = """SELECT definition, started, stopped FROM experiments
    WHERE started IS NOT NULL AND stopped IS NULL"""
_SAVE = """INSERT INTO experiments VALUES (?, ?, NULL, NULL)
    ON CONFLICT (name) DO UPDATE SET definition = excluded.definition"""
_EXPOSE = """INSERT OR IGNORE INTO exposures SELECT name, ?, ?, ? FROM experiments
    WHERE name = ? AND started = ? AND stopped IS NULL"""
_EXPOSURES = "SELECT visitor, min(arm), count(*), min(at) FROM exposures WHERE experiment = ? GROUP BY visitor"
_OF_VISITOR = "SELECT experiment, arm, at FROM exposures WHERE visitor = ? ORDER BY at, experiment"


@dataclass(frozen=True, slots=True)
class Exposure:
    """That a visitor saw an arm of an experiment; `at` is the first time, unix seconds."""

    experiment: str
    arm: str
    at: int


class ExperimentStore:
    """The experiments of one shop. Threads and processes may share it, because every call opens the file.

    All methods raise StoreError where the file cannot be read or written.
    """

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).experiments

    def all(self) -> tuple[Experiment, ...]:
        """Return all experiments: drafts, and then the latest first."""
        if not self._path.is_file():
            return ()
        with self._db() as db:
            return tuple(_experiment(*row) for row in db.execute(_SELECT).fetchall())

    def get(self, name: str) -> Experiment:
        """Return an experiment. Raises UnknownExperiment."""
        if not self._path.is_file():
            raise _unknown(name)
        with self._db() as db:
            return _read(db, name)

    def running(self) -> Experiment | None:
        """Return the experiment that runs, if one does."""
        if not self._path.is_file():
            return None
        with self._db(_TIMEOUT_S) as db:
            row = db.execute(_SELECT_RUNNING).fetchone()
        return None if row is None else _experiment(*row)

    def save(self, experiment: Experiment) -> Experiment:
        """Store a definition. Of one that has begun, only the shares may change.

        Raises BadInput for another change, and for too many experiments.
        """
        with self._db() as db, transaction(db):
            row = db.execute(_SELECT_ONE, (experiment.name,)).fetchone()
            (count,) = db.execute("SELECT count(*) FROM experiments").fetchone()
            if row is None and count >= MAX_EXPERIMENTS:
                raise BadInput(f"There are {count} experiments, the most that may be.", "Remove one.")
            if row is not None and (stored := _experiment(*row)).started is not None:
                _check_change(stored, experiment)
            db.execute(_SAVE, (experiment.name, json.dumps(experiment.to_dict())))
            return _read(db, experiment.name)

    def start(self, name: str, now: float | None = None) -> Experiment:
        """Begin an experiment. Raises UnknownExperiment, BadInput where it has begun before or another one runs."""
        with self._db() as db, transaction(db):
            experiment = _read(db, name)
            if experiment.started is not None:
                raise BadInput(f"The experiment {name!r} has begun before.", "Save it under another name to repeat it.")
            if (other := db.execute(_SELECT_RUNNING).fetchone()) is not None:
                raise BadInput(f"The experiment {_experiment(*other).name!r} runs.", "Stop it first: one at a time.")
            db.execute("UPDATE experiments SET started = ? WHERE name = ?", (_seconds(now), name))
            return _read(db, name)

    def stop(self, name: str, now: float | None = None) -> Experiment:
        """End an experiment: everybody gets the shop's own settings. Raises UnknownExperiment, BadInput."""
        with self._db() as db, transaction(db):
            if _read(db, name).state != RUNNING:
                raise BadInput(f"The experiment {name!r} does not run.", "Only one that runs can be stopped.")
            db.execute("UPDATE experiments SET stopped = ? WHERE name = ?", (_seconds(now), name))
            return _read(db, name)

    def remove(self, name: str) -> None:
        """Remove an experiment and who has seen it. Raises UnknownExperiment."""
        with self._db() as db, transaction(db):
            _read(db, name)
            db.execute("DELETE FROM exposures WHERE experiment = ?", (name,))
            db.execute("DELETE FROM experiments WHERE name = ?", (name,))

    def expose(self, experiment: Experiment, visitor: bytes, arm: str, now: float | None = None) -> None:
        """Record that a visitor, a keyed hash, saw an arm; the first time stays.

        Nothing is recorded where the experiment ended meanwhile, even if another one of its name runs.
        """
        with self._db(_TIMEOUT_S) as db:
            db.execute(_EXPOSE, (visitor, arm, _seconds(now), experiment.name, experiment.started))

    def exposures(self, experiment: str) -> dict[bytes, Exposure]:
        """Return what each visitor saw; the arm is "" for those who saw several, after shares were changed."""
        if not self._path.is_file():
            return {}
        with self._db() as db:
            rows = db.execute(_EXPOSURES, (experiment,)).fetchall()
        return {visitor: Exposure(experiment, arm if arms == 1 else "", at) for visitor, arm, arms, at in rows}

    def of_visitor(self, visitor: bytes) -> list[Exposure]:
        """Return the exposures of a visitor, the oldest first."""
        if not self._path.is_file():
            return []
        with self._db() as db:
            return [Exposure(*row) for row in db.execute(_OF_VISITOR, (visitor,)).fetchall()]

    def forget(self, visitor: bytes) -> int:
        """Remove the exposures of a visitor, from the write-ahead log too; returns how many there were."""
        if not self._path.is_file():
            return 0
        with self._db() as db:
            with transaction(db):
                removed = db.execute("DELETE FROM exposures WHERE visitor = ?", (visitor,)).rowcount
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    @contextmanager
    def _db(self, timeout_s: float = _OWNER_TIMEOUT_S) -> Iterator[sqlite3.Connection]:
        with store_errors(f"The experiments {self._path}", "Look at the disk.", "Move that file away.", DISK_ERRORS):
            self._path.touch(mode=0o600)
            with closing(open_database(self._path, _SETUP, _SCHEMA, timeout_s=timeout_s)) as db:
                yield db


def _read(db: sqlite3.Connection, name: str) -> Experiment:
    row = db.execute(_SELECT_ONE, (name,)).fetchone()
    if row is None:
        raise _unknown(name)
    return _experiment(*row)


def _experiment(definition: str, started: int | None, stopped: int | None) -> Experiment:
    return Experiment.from_dict(json.loads(definition), started, stopped)


def _check_change(stored: Experiment, changed: Experiment) -> None:
    """Raise BadInput where more than the shares of a running experiment is to change."""
    shares = {arm.name: arm.share for arm in changed.arms}
    arms = tuple(replace(arm, share=shares.get(arm.name, arm.share)) for arm in stored.arms)
    if stored.state == STOPPED or replace(stored, arms=arms).to_dict() != changed.to_dict():
        raise BadInput(
            f"The experiment {stored.name!r} has begun, so what it compares stays.",
            "While it runs, change only the shares of its arms; else save it under another name.",
        )


def _unknown(name: str) -> UnknownExperiment:
    return UnknownExperiment(f"There is no experiment {name[:60]!r}.", "List the experiments; it may be gone.")


def _seconds(now: float | None) -> int:
    return int(time.time() if now is None else now)
