"""A shop moves between a file and PostgreSQL with the same keys, changes, histories, prices and words."""

from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest
from click.testing import CliRunner

from catalog.errors import BadInput, StoreError
from catalog.files.failpoints import VARIABLE, Failed
from catalog.home import ShopHome
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import IN_FILE, SETTING, copy_catalogue, has_catalogue, open_catalogue
from indexer.__main__ import main

MUG = Product("mug", "Red mug", (Picture("/a.jpg", "aa", 2, 3),), "Mugs", Decimal("9.50"), "EUR", in_stock=False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home whose catalogue has seen changes, a removal of the last product, an import and a rollback."""
    monkeypatch.delenv(SETTING, raising=False)
    with closing(open_catalogue(tmp_path / "shop", create=True)) as catalogue:
        catalogue.replace([replace(MUG, id=f"p{number}", title=f"Mug {number}") for number in range(620)])
        catalogue.put([replace(MUG, id="p3", price=Decimal(4), attributes={"colour": "blå"})])
        with catalogue.applying([MUG], ["p7"], 1):
            catalogue.set_meta("note", "5")
        with catalogue.history.restoring(620, 1):
            pass
        catalogue.remove(["mug"])
    return tmp_path / "shop"


def state(catalogue):
    with catalogue.words() as words:
        vocabulary = words.vocabulary()
        postings = {
            (word, field): words.postings((word,), field) for word, _ in vocabulary[:50] for field in ("name", "code")
        }
    return {
        "products": [(key, product, product.origin) for key, product in catalogue.iterate()],
        "changes": catalogue.changes(),
        "prices": [*catalogue.price_history.of_all()],
        "undone": [*catalogue.history.undone()],
        "rollback": catalogue.history.preview(620, 1),
        "meta": catalogue.get_meta("note"),
        "ranges": catalogue.key_ranges(100),
        "words": (vocabulary, postings),
    }


def test_there_and_back(home, address, monkeypatch):
    with closing(open_catalogue(home)) as catalogue:
        before = state(catalogue)
    with closing(copy_catalogue(home, address)) as copy:
        assert state(copy) == before and copy.faults() == []
    monkeypatch.setenv(SETTING, address)
    with closing(open_catalogue(home)) as catalogue:
        catalogue.put([Product("new", "New", ())])
        key = catalogue.key_of("new")
        assert key == 622  # that of the removed mug is not given again
        after = state(catalogue)
    with pytest.raises(StoreError, match="already"):
        copy_catalogue(home, IN_FILE)
    ShopHome(home).catalogue.rename(home / "old.sqlite")
    copy_catalogue(home, IN_FILE).close()
    monkeypatch.delenv(SETTING)
    with closing(open_catalogue(home)) as catalogue:
        assert state(catalogue) == after and catalogue.faults() == []


def test_nothing_is_overwritten_and_a_broken_copy_leaves_nothing(home, address, monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgres.table-copied*3:raise")
    with pytest.raises(Failed):
        copy_catalogue(home, address)
    monkeypatch.delenv(VARIABLE)
    copy_catalogue(home, address).close()
    with pytest.raises(StoreError, match="are in a database"):
        copy_catalogue(home, address)
    ShopHome(home).shared_catalogue.unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match="already"):
            copy_catalogue(home, address)
        monkeypatch.setenv(SETTING, address)
    for place in ("mysql://host/db", ""):
        with pytest.raises(BadInput, match="no place"):
            copy_catalogue(home, place)


def test_between_two_schemas(home, address, postgres_server, monkeypatch):
    with closing(copy_catalogue(home, address)) as copy:
        before = state(copy)
    monkeypatch.setenv(SETTING, address)
    with closing(copy_catalogue(home, postgres_server.address(postgres_server.new_schema()))) as copy:
        assert state(copy) == before
    assert [path.name for path in home.glob(".*")] == []


def test_the_command(home, address, monkeypatch):
    result = CliRunner().invoke(main, ["catalogue", "copy", "--home", str(home), "--to", address])
    assert result.exit_code == 0, result.output
    assert "Copied 619 products, as of change" in result.output and "s3cret-pw" not in result.output
    monkeypatch.setenv(SETTING, address)
    assert has_catalogue(home)
    with closing(Catalogue.open(ShopHome(home).catalogue)) as file, closing(open_catalogue(home)) as catalogue:
        assert catalogue.changes() == file.changes()


def test_without_the_setting_no_command_makes_another_catalogue(home, address, monkeypatch):
    copy_catalogue(home, address).close()
    ShopHome(home).catalogue.unlink()
    for use in (open_catalogue, lambda home: open_catalogue(home, create=True), has_catalogue):
        with pytest.raises(StoreError, match=r"are in a database: postgresql://.*WINDOWSHOP_CATALOGUE") as raised:
            use(home)
        assert "s3cret-pw" not in str(raised.value)
    monkeypatch.setenv(SETTING, address)
    ShopHome(home).shared_catalogue.unlink()
    open_catalogue(home, create=True).close()  # as an import does
    assert ShopHome(home).shared_catalogue.is_file()
    copy_catalogue(home, IN_FILE).close()
    monkeypatch.delenv(SETTING)
    open_catalogue(home).close()
