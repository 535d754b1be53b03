"""The store of experiments: one runs at a time, what it compares stays, and a forgotten visitor is in no byte of it."""

import sqlite3
from contextlib import closing

import pytest

from catalog.errors import BadInput, DamagedStore, UnknownExperiment
from catalog.home import ShopHome
from search.recommend.experiments.assignment import Experiments
from search.recommend.experiments.experiment import Arm, Experiment, FeedSettings
from search.recommend.experiments.experiment_store import ExperimentStore, Exposure
from search.recommend.experiments.surfaces import FOR_YOU

ANNA, BERT = b"anna-keyed-hash!", b"bert-keyed-hash!"
REPEATS = Experiment("repeats", (Arm("control"), Arm("few", 1.0, FeedSettings(repeat_share=0.2))))


@pytest.fixture
def store(tmp_path):
    return ExperimentStore(tmp_path)


def test_an_experiment_begins_and_ends_once(store):
    assert store.all() == () and store.running() is None
    assert store.save(REPEATS).state == "draft"
    assert store.start("repeats", 100).due == 100 + 14 * 86_400
    assert store.running().name == "repeats"
    with pytest.raises(BadInput, match="begun before"):
        store.start("repeats")
    store.save(Experiment("other", REPEATS.arms))
    with pytest.raises(BadInput, match="'repeats' runs"):
        store.start("other")
    assert store.stop("repeats", 200).stopped == 200 and store.running() is None
    with pytest.raises(BadInput, match="does not run"):
        store.stop("repeats")
    assert [one.name for one in store.all()] == ["other", "repeats"]


def test_while_it_runs_only_shares_change(store):
    store.save(REPEATS)
    store.start("repeats")
    changed = Experiment("repeats", (Arm("control", 3.0), REPEATS.arms[1]))
    assert store.save(changed).arms[0].share == 3.0
    for other in (
        Experiment("repeats", (Arm("control"), Arm("few"))),
        Experiment("repeats", REPEATS.arms, days=3),
        Experiment("repeats", (*REPEATS.arms, Arm("third"))),
    ):
        with pytest.raises(BadInput, match="stays"):
            store.save(other)
    store.stop("repeats")
    with pytest.raises(BadInput, match="stays"):
        store.save(changed)


@pytest.mark.parametrize("call", ["get", "start", "stop", "remove"])
def test_an_unknown_experiment_is_named(store, call):
    with pytest.raises(UnknownExperiment, match="'nothing'"):
        getattr(store, call)("nothing")


def test_an_exposure_is_recorded_once_and_the_first_time_stays(store, tmp_path):
    experiments = Experiments(tmp_path)
    assert experiments.assign(ANNA, FOR_YOU) is None  # and no file was made
    assert not ShopHome(tmp_path).experiments.exists()
    store.save(REPEATS)
    store.start("repeats")
    experiments = Experiments(tmp_path)
    arm = experiments.assign(ANNA, FOR_YOU)
    assert (
        experiments.assign(ANNA, FOR_YOU) == Experiments(tmp_path).assign(ANNA, FOR_YOU) == arm == REPEATS.assign(ANNA)
    )
    (seen,) = store.of_visitor(ANNA)
    store.expose(store.running(), ANNA, arm.name, seen.at + 99)
    assert store.exposures("repeats") == {ANNA: Exposure("repeats", arm.name, seen.at)}
    store.expose(store.running(), ANNA, "another", 5)
    assert store.exposures("repeats")[ANNA].arm == ""  # in no arm: what she did next is of neither
    store.remove("repeats")
    assert store.of_visitor(ANNA) == []


def test_an_experiment_made_again_counts_those_who_saw_the_first_one(store, tmp_path, monkeypatch):
    monkeypatch.setattr("search.recommend.experiments.assignment.REREAD_SECONDS", 0.0)
    experiments = Experiments(tmp_path)
    store.save(REPEATS)
    first = store.start("repeats", 100)
    experiments.assign(ANNA, FOR_YOU)
    store.remove("repeats")
    store.save(REPEATS)
    store.start("repeats", 200)
    store.expose(first, BERT, "control")  # by a server that has not read of the removal yet
    assert store.exposures("repeats") == {}
    experiments.assign(ANNA, FOR_YOU)
    assert set(store.exposures("repeats")) == {ANNA}


@pytest.mark.promise("P2")
def test_a_forgotten_visitor_is_in_no_byte_of_the_store(store, tmp_path):
    store.save(REPEATS)
    store.start("repeats")
    experiments = Experiments(tmp_path)
    for visitor in (ANNA, BERT):
        experiments.assign(visitor, FOR_YOU)

    def stored():
        return b"".join(path.read_bytes() for path in tmp_path.glob("experiments.sqlite*"))

    assert ANNA in stored()
    experiments.forget(ANNA)
    assert ANNA not in stored() and BERT in stored()
    assert experiments.assign(ANNA, FOR_YOU) is not None and store.of_visitor(ANNA)  # who comes back is counted again


def test_a_file_that_cannot_be_read_runs_no_experiment(tmp_path, caplog):
    ShopHome(tmp_path).experiments.write_bytes(b"no database at all, but of some length" * 99)
    experiments = Experiments(tmp_path)
    assert experiments.assign(ANNA, FOR_YOU) is None is experiments.assign(BERT, FOR_YOU)
    assert len(caplog.records) == 1
    with pytest.raises(DamagedStore):
        experiments.store.all()


def test_a_locked_file_counts_nobody_and_changes_no_arm(store, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("search.recommend.experiments.assignment.RETRY_SECONDS", 600.0)
    store.save(REPEATS)
    store.start("repeats")
    experiments = Experiments(tmp_path)
    with closing(sqlite3.connect(ShopHome(tmp_path).experiments, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert experiments.assign(ANNA, FOR_YOU) == REPEATS.assign(ANNA)
        assert experiments.assign(BERT, FOR_YOU) == REPEATS.assign(BERT)
        other.execute("ROLLBACK")
    assert len(caplog.records) == 1  # the second visitor waited for nothing
    assert store.exposures("repeats") == {}
    experiments = Experiments(tmp_path)
    experiments.assign(ANNA, FOR_YOU)
    assert set(store.exposures("repeats")) == {ANNA}
