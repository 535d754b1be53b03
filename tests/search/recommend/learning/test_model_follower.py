"""A server follows the current version without a restart, and frees the former one."""

import gc
import weakref

import pytest

from catalog.errors import DamagedStore
from search.recommend.learning.model_follower import ModelFollower
from search.recommend.learning.model_store import fit_lock, model_versions, open_version, publish, rollback
from search.trees.tree_ensemble import TreeEnsemble
from tests.search.recommend.learning.fitted import make_models, publish_one, recommended, store_one_product


@pytest.fixture(autouse=True)
def stored_model(monkeypatch):
    store_one_product(monkeypatch)


def test_trees_that_cannot_be_opened_and_other_features_are_damage(tmp_path, monkeypatch):
    with pytest.raises(DamagedStore, match="holds no trees"):
        TreeEnsemble(b"no trees")
    publish_one(tmp_path, 1)
    with fit_lock(tmp_path):
        publish(tmp_path, make_models(2, settings={"features": {"two_stage": ["colour_of_the_moon"]}}))
    follower = ModelFollower(tmp_path)
    assert recommended(follower.models) == 1
    assert follower.degraded == ("version 2 of the recommender models is damaged; version 1 is served",)
    assert "other features" in raised_by(lambda: open_version(tmp_path, 2)).message


def raised_by(action):
    with pytest.raises(DamagedStore) as raised:
        action()
    return raised.value


def test_models_are_opened_at_the_first_use(tmp_path):
    publish_one(tmp_path, 1)
    follower = ModelFollower(tmp_path)
    follower.follow()
    assert not follower._opened
    assert recommended(follower.models) == 1


def test_a_new_version_and_a_rollback_are_followed_and_the_old_version_is_freed(tmp_path):
    follower = ModelFollower(tmp_path)
    assert follower.models is None
    publish_one(tmp_path, 1)
    follower.follow()
    first = follower.models
    assert recommended(first) == 1
    assert follower.follow() is None and follower.models is first  # unchanged: nothing is read again
    old = weakref.ref(first.ranking)
    publish_one(tmp_path, 2)
    follower.follow()
    assert (recommended(follower.models), recommended(first)) == (2, 1)  # a request goes on with what it took
    del first
    gc.collect()
    assert old() is None
    rollback(tmp_path)
    follower.follow()
    assert recommended(follower.models) == 1


def test_a_damaged_version_is_reported_until_it_can_be_used(tmp_path, monkeypatch):
    publish_one(tmp_path, 1)
    publish_one(tmp_path, 2)
    path = model_versions(tmp_path).path(2) / "two_stage" / "scored.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    follower = ModelFollower(tmp_path)
    assert recommended(follower.models) == 1
    assert follower.degraded == ("version 2 of the recommender models is damaged; version 1 is served",)
    path.write_bytes(whole)
    follower.follow()
    assert follower.degraded  # not looked at again yet
    monkeypatch.setattr(follower, "_retry_at", 0.0)
    follower.follow()
    assert (recommended(follower.models), follower.degraded) == (2, ())
