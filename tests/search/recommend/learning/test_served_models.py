"""The engine serves fitted models: it follows versions, reports damage, and a backup brings them to another machine."""

import pytest

from indexer.maintenance.backup import backup, restore
from search.recommend.learning.model_store import model_versions, open_current, rollback, stored_versions
from tests.search.recommend.learning.fitted import publish_one, recommended, store_one_product


@pytest.fixture(autouse=True)
def stored_model(monkeypatch):
    store_one_product(monkeypatch)


def test_an_open_shop_follows_a_fit_and_reports_damage(engine):
    assert engine.recommender.models is None
    publish_one(engine.home, 1)
    engine.follow()
    assert recommended(engine.recommender.models) == 1
    publish_one(engine.home, 2)
    (model_versions(engine.home).path(2) / "table" / "prices.npy").unlink()
    engine.follow()
    assert recommended(engine.recommender.models) == 1
    assert engine.status().degraded == ("version 2 of the recommender models is damaged; version 1 is served",)


@pytest.mark.promise("R8")
def test_a_backup_has_the_served_models(engine, tmp_path):
    for product in (1, 2, 3):
        publish_one(engine.home, product)
    rollback(engine.home)
    manifest = backup(engine.home, tmp_path / "copy")
    assert "recommend/current" in manifest.files
    publish_one(engine.home, 4)
    restore(tmp_path / "copy", tmp_path / "restored")
    assert recommended(open_current(tmp_path / "restored")) == 2
    assert [each.version for each in stored_versions(tmp_path / "restored")] == [2]
