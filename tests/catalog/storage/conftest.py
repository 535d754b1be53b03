"""The databases that a catalogue can be in: the tests of the contract run once over each."""

from contextlib import closing

import pytest

from catalog.storage.catalogue import Catalogue

SQLITE, POSTGRES = "sqlite", "postgres"


class Store:
    """A place for one catalogue; `open` opens it, as another process would."""

    def __init__(self, name, opener, marks):
        self.name, self.open, self._marks = name, opener, marks

    def statement(self, text):
        """A statement with the parameters of this database."""
        return text.replace("?", self._marks)


@pytest.fixture(params=[SQLITE, POSTGRES])
def store(request, tmp_path):
    if request.param == SQLITE:
        return Store(SQLITE, lambda: Catalogue.open(tmp_path / "shop" / "catalog.sqlite"), "?")
    server = request.getfixturevalue("postgres_server")
    return Store(POSTGRES, server.opener(server.new_schema()), "%s")


@pytest.fixture
def catalogue(store):
    with closing(store.open()) as opened:
        yield opened


@pytest.fixture
def in_file(tmp_path):
    """A catalogue in a file, for what only files have."""
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as opened:
        yield opened
