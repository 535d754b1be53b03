import sqlite3
import threading
from contextlib import closing

import pytest

from catalog.database import StoreBusy
from catalog.errors import DamagedStore, StoreError
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction

SCHEMA = ("CREATE TABLE IF NOT EXISTS notes (name TEXT)", "INSERT INTO notes VALUES ('first')")


def errors(damaged_hint="", **options):
    return store_errors("The notes", "Look at the disk.", damaged_hint, **options)


def names(db):
    return [row[0] for row in db.execute("SELECT name FROM notes")]


def test_the_schema_runs_once_with_the_precautions_of_every_database(tmp_path):
    for _ in range(2):
        with closing(open_database(tmp_path / "notes.sqlite", ("PRAGMA foreign_keys = ON",), SCHEMA)) as db:
            assert names(db) == ["first"]
            pragmas = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "trusted_schema")]
            assert (pragmas, db.execute("PRAGMA foreign_keys").fetchone()[0]) == (["wal", 0], 1)


def test_a_failed_schema_leaves_no_part_of_itself(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        open_database(tmp_path / "notes.sqlite", schema=(*SCHEMA, "no statement"))
    with closing(open_database(tmp_path / "notes.sqlite", schema=SCHEMA)) as db:
        assert names(db) == ["first"]


def test_a_transaction_is_rolled_back_on_any_error(tmp_path):
    with closing(open_database(tmp_path / "notes.sqlite", schema=SCHEMA)) as db:
        with pytest.raises(KeyboardInterrupt), transaction(db):
            db.execute("INSERT INTO notes VALUES ('second')")
            raise KeyboardInterrupt
        with transaction(db):
            db.execute("INSERT INTO notes VALUES ('third')")
        assert names(db) == ["first", "third"]


def test_many_may_make_a_database_at_once(tmp_path):
    failures = []

    def open_one():
        try:
            open_database(tmp_path / "notes.sqlite", schema=SCHEMA[:1]).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_errors_of_sqlite_and_of_the_disk_are_ours(tmp_path):
    (tmp_path / "bad").write_bytes(b"certainly no database" * 100)
    with pytest.raises(DamagedStore, match=r"^The notes cannot be read: .* Move it away\.$"), errors("Move it away."):
        open_database(tmp_path / "bad")
    with pytest.raises(StoreError, match="Look at the disk") as caught, errors():
        open_database(tmp_path / "bad")
    assert not isinstance(caught.value, DamagedStore)
    with pytest.raises(StoreError, match=r"^The notes cannot be used: .* Look at the disk\.$"), errors("Move it."):
        open_database(tmp_path / "nowhere" / "notes.sqlite")
    with pytest.raises(StoreError), errors(errors=DISK_ERRORS):
        raise PermissionError
    with pytest.raises(PermissionError), errors():
        raise PermissionError


def test_a_lock_that_another_holds_is_named_apart(tmp_path):
    path = tmp_path / "notes"
    with closing(open_database(path, timeout_s=0)) as one, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"), errors(), transaction(one):
            pass
