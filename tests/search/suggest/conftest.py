"""Shops that are a catalogue and its columns, which is all that suggestions are made from."""

from types import SimpleNamespace

import pytest

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.columns.column_files import write_table
from indexer.columns.product_table import ShopTable
from indexer.suggestions.segment_files import map_suggestions, write_suggestions
from search.query.glossary import Glossary
from search.state.column_store import ProductColumns
from search.suggest.suggester import Suggester


class Shop:
    """A catalogue with a suggester; `suggest` sees all changes so far."""

    def __init__(self, home, products):
        self.catalogue = Catalogue.open(home / "catalog.sqlite")
        self.catalogue.put(products)
        self.columns = ProductColumns.read(self.catalogue)
        self.glossary = Glossary.of(home)
        self.suggester = Suggester(self.catalogue, self.glossary)
        self.words = None

    def suggest(self, text, limit=6, logged=None):
        return self.suggester.suggest(text, self.columns, limit, logged or {}, self.words)

    def texts(self, text, limit=6, logged=None):
        return [word.text for word in self.suggest(text, limit, logged).words]

    def follow(self):
        """Take the catalogue's changes into the columns, as the engine does."""
        changes = self.catalogue.changes(self.columns.seq)
        ids = [change.product_id for change in changes]
        found = self.catalogue.find(ids)
        present = {key for key, _ in found.values()}
        gone = self.columns.keys_of(ids) - present
        self.columns = self.columns.changed(dict(found.values()), gone, self.catalogue.seq)

    def close(self):
        self.suggester.wait()
        self.catalogue.close()


def mapped_words(shop, folder):
    """Write the words of a shop beside its columns, as a build does, and return them mapped."""
    folder.mkdir()
    table = ShopTable.read(shop.catalogue)
    write_table(folder, table, shop.catalogue.product_changed_at(table.seq))
    write_suggestions(folder, table, shop.catalogue)
    return map_suggestions(folder, SimpleNamespace(files=[path.name for path in folder.iterdir()], seq=table.seq))


@pytest.fixture
def open_shop(tmp_path):
    """Opens shops of the given titles or products."""
    shops = []

    def make(*products):
        listed = [
            Product(f"p{number}", product, ()) if isinstance(product, str) else product
            for number, product in enumerate(products)
        ]
        shops.append(Shop(tmp_path / str(len(shops)), listed))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()
