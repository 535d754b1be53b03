"""The store of rules: all or none, one rule for one key, and a log that nobody rewrites."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from catalog.errors import BadInput, StoreError
from catalog.home import ShopHome
from indexer.maintenance.backup import _LIVE_DATABASES
from search.merchandising import rule_store
from search.merchandising.rule_follower import RuleFollower
from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import Rule

PIN = Rule("pin", "red mug", "m1", number=1.0)
HIDE = Rule("hide", "", "brand=Puma", "every")


@pytest.fixture
def store(tmp_path):
    return RuleStore(tmp_path)


def test_rules_are_added_changed_and_removed_and_every_change_is_logged(store):
    assert store.all() == () and store.log() == []
    before = int(time.time())
    assert store.save([PIN, HIDE], "till").counts() == {"added": 2, "changed": 0, "removed": 0, "unchanged": 0}
    moved = Rule("pin", "red  mug", "m1", number=3, ends="2027-01-01")
    assert store.save([moved, HIDE], "anna").counts() == {"added": 0, "changed": 1, "removed": 0, "unchanged": 1}
    pin, hide = store.all()
    assert (pin.id, pin.number, pin.ends, pin.question) == (1, 3.0, "2027-01-01", "red mug")
    assert store.remove([hide.id], "till") == (hide,)
    assert store.all() == (pin,)
    removed, changed, second, first = store.log()
    assert [entry.kind for entry in (first, second, changed, removed)] == ["added", "added", "changed", "removed"]
    assert [entry.by for entry in (first, changed, removed)] == ["till", "anna", "till"]
    assert before <= first.at <= removed.at
    assert (first.before, first.after["number"], changed.before["number"], changed.after["number"]) == (None, 1, 1, 3)
    assert removed.before["target"] == "brand=Puma" and removed.after is None
    assert [entry.number for entry in store.log(2, before=3)] == [2, 1]


def test_all_or_none(store):
    store.save([PIN], "till")
    with pytest.raises(BadInput, match="no action"):
        store.save([HIDE, Rule("push", "mug", "m1")], "till")
    with pytest.raises(BadInput, match="no rule 99"):
        store.remove([1, 99], "till")
    assert store.all() == (PIN,) and len(store.log()) == 1


def test_only_these_rules_and_a_dry_run(store):
    store.save([PIN, HIDE], "till")
    new = Rule("boost", "mug", "brand=Nike")
    dry = store.save([PIN, new], "till", only=True, dry_run=True).counts()
    assert store.all() == (PIN, HIDE) and len(store.log()) == 2
    assert store.save([PIN, new], "till", only=True).counts() == dry
    assert dry == {"added": 1, "changed": 0, "removed": 1, "unchanged": 1}
    assert [rule.action for rule in store.all()] == ["pin", "boost"]


def test_too_many_rules(store, monkeypatch):
    monkeypatch.setattr(rule_store, "MAX_RULES", 1)
    store.save([PIN], "till")
    with pytest.raises(BadInput, match="2 rules; the limit is 1"):
        store.save([HIDE], "till")


def test_nobody_rewrites_the_log(store, tmp_path):
    store.save([PIN], "till")
    with closing(sqlite3.connect(ShopHome(tmp_path).rules)) as db:
        for statement in ("UPDATE changes SET made_by = 'x'", "DELETE FROM changes"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


def test_a_damaged_file_is_named(store, tmp_path):
    ShopHome(tmp_path).rules.write_bytes(b"no database" * 1_000)
    for call in (store.all, lambda: store.save([PIN], "till"), store.log):
        with pytest.raises(StoreError, match=r"rules\.sqlite"):
            call()


def test_a_backup_copies_the_database_and_not_its_files():
    assert {"rules.sqlite", "rules.sqlite-wal", "rules.sqlite-shm"} <= _LIVE_DATABASES


def test_the_next_look_sees_what_another_process_saved(store, tmp_path):
    follower = RuleFollower(tmp_path)
    assert len(follower.current()) == 0
    code = "import sys; from pathlib import Path; from search.merchandising.rule_store import RuleStore as S; "
    code += "from search.merchandising.rules import Rule as R; S(Path(sys.argv[1])).save([R('pin', 'mug', 'm1')], 'x')"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    seen = follower.current()
    assert seen.for_query("mugs").pins == ((1, "m1"),)
    assert follower.current() is seen  # nothing changed, so nothing is read
    for number in range(2, 12):  # faster than any file's clock
        store.save([Rule("pin", "mug", "m1", number=number)], "till")
        assert follower.current().for_query("mug").pins == ((number, "m1"),)
    assert follower.current().number > seen.number
    follower.close()


def test_a_file_that_is_gone_or_damaged_or_another_one(store, tmp_path, caplog):
    follower, path = RuleFollower(tmp_path), ShopHome(tmp_path).rules
    store.save([PIN], "till")
    assert len(follower.current()) == 1
    path.rename(path.with_name("away"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert len(follower.current()) == 0
    store.save([PIN, HIDE], "till")
    assert len(follower.current()) == 2
    follower.close()
    path.unlink()
    path.write_bytes(b"no database" * 1_000)
    assert len(follower.current()) == 2 and len(follower.current()) == 2
    assert caplog.text.count("stay as they were") == 1
    follower.close()


def test_rules_begin_and_end_without_a_change_of_the_file(store, tmp_path, monkeypatch):
    store.save([Rule("pin", "mug", "m1", ends="2026-02-01")], "till")
    follower = RuleFollower(tmp_path)

    class Today:
        day = "2026-02-01"

        @classmethod
        def today(cls):
            from datetime import date

            return date.fromisoformat(cls.day)

    for module in ("rule_follower", "rule_set"):
        monkeypatch.setattr(f"search.merchandising.{module}.date", Today)
    assert len(follower.current()) == 1
    Today.day = "2026-02-02"
    assert len(follower.current()) == 0
    follower.close()
