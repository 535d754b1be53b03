"""Versions of fitted models: published whole or not at all, checked on every open, and rolled back."""

import os

import numpy as np
import pytest

from catalog.errors import BadQuery, DamagedStore, NewerStore, TrainingError
from catalog.files.failpoints import KILLED, VARIABLE
from search.recommend.learning import model_store
from search.recommend.learning.background.fit_progress import is_fitting
from search.recommend.learning.model_store import (
    fit_lock,
    model_versions,
    open_current,
    open_serving,
    open_version,
    rollback,
    stored_versions,
)
from tests.search.recommend.learning.fitted import PRODUCTS, publish_one, recommended, store_one_product

# The steps of publishing, each of which may be the last of a process; "prune.dropped" needs older versions.
STEPS = (
    *("seal.files-synced", "file.written", "file.replaced", "seal.manifest-written", "adopt.renamed"),
    *("pointer.moved", "prune.dropped", "pointer.pruned"),
)


@pytest.fixture(autouse=True)
def stored_model(monkeypatch):
    store_one_product(monkeypatch)


def test_a_shop_without_models_serves_none(tmp_path):
    assert open_current(tmp_path) is None
    assert open_serving(tmp_path).degraded == ""
    assert stored_versions(tmp_path) == []


def test_published_models_open_as_they_were(tmp_path):
    published = publish_one(tmp_path, 5)
    opened = open_current(tmp_path)
    assert (opened.version, opened.fitted_at, opened.figures) == (1, 1_000, {"new": {"n": 5}})
    assert opened.manifest == published.manifest
    assert recommended(opened) == 5
    assert opened.table.ids == tuple(f"p{i}" for i in range(PRODUCTS))
    np.testing.assert_array_equal(opened.codes(["p3", "later", "p0"]), [3, -1, 0])
    assert opened.outlook is None


def test_versions_count_up_and_three_stay(tmp_path):
    assert [publish_one(tmp_path, n).version for n in range(1, 6)] == [1, 2, 3, 4, 5]
    assert [(each.version, each.current) for each in stored_versions(tmp_path)] == [(5, True), (4, False), (3, False)]


def test_a_rollback_goes_back_and_the_next_fit_removes_what_was_withdrawn(tmp_path):
    for product in (1, 2, 3):
        publish_one(tmp_path, product)
    assert rollback(tmp_path) == (3, 2)
    assert recommended(open_current(tmp_path)) == 2
    assert rollback(tmp_path, 3) == (2, 3)
    assert rollback(tmp_path, 1) == (3, 1)
    assert publish_one(tmp_path, 4).version == 4
    assert [each.version for each in stored_versions(tmp_path)] == [4, 1]


@pytest.mark.parametrize(
    ("to", "message"), [(None, "no earlier version"), (1, "is the current one already"), (7, "no version 7.*disk: 1")]
)
def test_a_rollback_that_cannot_be_says_why(tmp_path, to, message):
    publish_one(tmp_path, 1)
    with pytest.raises(BadQuery, match=message):
        rollback(tmp_path, to)


def test_a_rollback_to_a_damaged_version_is_refused(tmp_path):
    publish_one(tmp_path, 1)
    publish_one(tmp_path, 2)
    flip(model_versions(tmp_path).path(1) / "two_stage" / "scored.npy")
    with pytest.raises(DamagedStore, match="make recommend"):
        rollback(tmp_path)
    assert recommended(open_current(tmp_path)) == 2


def flip(path, position=-3):
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(data)


@pytest.mark.promise("R6")
@pytest.mark.parametrize("how", ["missing", "short", "flipped"])
def test_every_damaged_file_is_refused_and_the_newest_whole_version_served(tmp_path, how):
    for product in (1, 2, 3):
        publish_one(tmp_path, product)
    folder = model_versions(tmp_path).path(3)
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(whole) >= 7
    for path, data in whole.items():
        if how == "missing":
            path.unlink()
        elif how == "short":
            path.write_bytes(data[:-5])
        else:
            flip(path, len(data) // 2)
        with pytest.raises(DamagedStore, match=path.name):
            open_version(tmp_path, 3)
        assert [path.name in each.damaged for each in stored_versions(tmp_path)] == [True, False, False]
        served = open_serving(tmp_path)
        assert recommended(served.models) == 2
        assert served.degraded == "version 3 of the recommender models is damaged; version 2 is served"
        path.write_bytes(data)
    assert open_serving(tmp_path).degraded == ""


@pytest.mark.parametrize("pointer", ["", "../../etc", "12", "\xff\n", "000009\n"])
def test_a_senseless_pointer_is_damage(tmp_path, pointer):
    publish_one(tmp_path, 1)
    (tmp_path / "recommend" / "current").write_text(pointer, encoding="latin-1")
    served = open_serving(tmp_path)
    assert recommended(served.models) == 1
    assert served.degraded.endswith("version 1 is served")
    publish_one(tmp_path, 2)
    assert open_serving(tmp_path).degraded == ""


def test_when_no_version_is_whole_none_is_served(tmp_path):
    publish_one(tmp_path, 1)
    (model_versions(tmp_path).path(1) / "manifest.json").unlink()
    served = open_serving(tmp_path)
    assert served.models is None
    assert "and there is no other" in served.degraded
    assert "cannot be read" in stored_versions(tmp_path)[0].damaged


def test_models_of_a_newer_windowshop_are_not_guessed_at(tmp_path):
    publish_one(tmp_path, 1)
    path = model_versions(tmp_path).path(1) / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(NewerStore, match="another version of Windowshop"):
        open_version(tmp_path, 1)
    assert open_current(tmp_path) is None


def test_two_fits_at_once_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(model_store, "LOCK_TIMEOUT_S", 0.05)
    publish_one(tmp_path, 1)
    assert not is_fitting(tmp_path)
    with fit_lock(tmp_path):
        assert is_fitting(tmp_path)
        with pytest.raises(TrainingError, match="Another fit"):
            publish_one(tmp_path, 2)
        with pytest.raises(TrainingError, match="Another fit"):
            rollback(tmp_path)
    assert recommended(open_current(tmp_path)) == 1


@pytest.mark.promise("R2", "every step of publishing recommender models")
@pytest.mark.parametrize("step", STEPS)
def test_a_fit_killed_at_any_step_leaves_whole_models(tmp_path, step):
    for product in (1, 2, 3):
        publish_one(tmp_path, product)
    child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = f"{step}:exit"
        publish_one(tmp_path, 4)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED

    served = open_serving(tmp_path)
    assert served.degraded == ""
    moved = step in ("pointer.moved", "prune.dropped", "pointer.pruned")
    assert recommended(served.models) == (4 if moved else 3)
    assert not is_fitting(tmp_path)  # a dead process holds no lock
    number = publish_one(tmp_path, 5).version
    assert recommended(open_current(tmp_path)) == 5
    on_disk = [path.name for path in (tmp_path / "recommend").iterdir() if path.is_dir()]
    assert len(on_disk) == model_store.MAX_VERSIONS
    assert f"{number:06d}" in on_disk
