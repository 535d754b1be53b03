"""Tables of the products beside an index: one pass feeds all writers, and the manifest has what they write."""

import json
from contextlib import closing

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build import generation_builder
from indexer.build.build import build_index
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop


class IdTable:
    """Writes the ids by key."""

    def __init__(self):
        self.ids = {}

    def add(self, key, product):
        assert not self.ids or key > max(self.ids)
        self.ids[key] = product.id

    def write(self, folder, changed):
        (folder / "ids.json").write_text(json.dumps(self.ids))


def test_tables_of_all_products_are_files_of_the_generation(tmp_path, monkeypatch):
    monkeypatch.setattr(generation_builder, "TABLES", (IdTable,))
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    generation = open_current(tmp_path / "home")
    assert "ids.json" in generation.manifest.files
    with closing(Catalogue.open(ShopHome(tmp_path / "home").catalogue)) as catalogue:
        expected = {str(key): product.id for key, product in catalogue.iterate()}
    assert json.loads((generation.folder / "ids.json").read_text()) == expected
