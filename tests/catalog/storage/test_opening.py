"""A shop's catalogue is opened where its settings say."""

from contextlib import closing

import pytest

from catalog.errors import BadInput, NoGeneration
from catalog.home import ShopHome
from catalog.storage.opening import SETTING, has_catalogue, open_catalogue, require_catalogue
from catalog.storage.sqlite_catalogue import SqliteCatalogue


@pytest.fixture(autouse=True)
def no_setting(monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)


def test_without_a_setting_it_is_the_file_in_the_home(tmp_path):
    assert not has_catalogue(tmp_path)
    for use in (open_catalogue, require_catalogue):
        with pytest.raises(NoGeneration, match="no shop"):
            use(tmp_path)
    with closing(open_catalogue(tmp_path, create=True)) as catalogue:
        assert isinstance(catalogue, SqliteCatalogue) and ShopHome(tmp_path).catalogue.is_file()
    assert has_catalogue(tmp_path)
    require_catalogue(tmp_path)
    open_catalogue(tmp_path).close()


def test_an_address_of_another_kind_is_refused_and_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv(SETTING, "mysql://shop:secret@host/db")
    with pytest.raises(BadInput, match="postgresql://user@host") as raised:
        open_catalogue(tmp_path)
    assert "secret" not in str(raised.value)
