"""What of a shop lies in Milvus: collections named by shop and generation, the alias, and what is removed when."""

import json
import shutil

import numpy as np
import pytest

from catalog.errors import BadInput, DamagedGeneration
from catalog.home import ShopHome
from indexer.vectors.milvus.address import MilvusAddress, configured
from indexer.vectors.milvus.collections import CollectionRecord, ShopCollections
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.expressions import MAX_LABELS, UNKNOWN_LABELS, label_code, label_codes
from indexer.vectors.milvus.generations import follow_pointer, open_generation_vectors, remove_unnamed
from tests.indexer.vectors.engines import MilvusEngine, Rows

SMALL = Rows(count=60, seed=4)


@pytest.fixture
def server(milvus_server, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", milvus_server.address)
    return milvus_server


@pytest.fixture
def shop(server, tmp_path):
    return MilvusEngine(tmp_path / "shop")


@pytest.fixture
def connection(server):
    return MilvusConnection(MilvusAddress.parse(server.address))


def collection_of(shop, number):
    return CollectionRecord.read(shop.folder(number)).collection


def current_of(connection, shop):
    """The collection that the shop's alias stands for."""
    identity = collection_of(shop, max(shop.records)).split("_")[1]
    return connection.write("describe_alias", f"ws_{identity}_current")["collection_name"]


def test_a_generation_is_a_collection_and_the_pointer_an_alias(shop, connection):
    shop.write(1, SMALL)
    assert current_of(connection, shop) == collection_of(shop, 1)
    shop.write(2, SMALL)
    assert current_of(connection, shop) == collection_of(shop, 2)
    assert connection.write("has_collection", collection_of(shop, 1))


def test_going_back_moves_the_alias_back(shop, connection):
    shop.write(1, SMALL)
    shop.write(2, SMALL)
    follow_pointer(shop.home, 1)
    assert current_of(connection, shop) == collection_of(shop, 1)
    assert shop.open(2).search(SMALL.queries(1)[0], 3)[1].tolist() == SMALL.best(SMALL.queries(1)[0], 3)[1].tolist()


def test_a_crash_between_pointer_and_alias_is_made_up_for(shop, connection, monkeypatch):
    shop.write(1, SMALL)
    with monkeypatch.context() as patch:
        patch.setattr("tests.indexer.vectors.engines.follow_pointer", lambda *_: None)  # the crash
        shop.write(2, SMALL)
    assert current_of(connection, shop) == collection_of(shop, 1)
    follow_pointer(shop.home, 2)
    assert current_of(connection, shop) == collection_of(shop, 2)


def test_a_collection_goes_with_its_generation(shop, connection):
    shop.write(1, SMALL)
    old = collection_of(shop, 1)
    shop.write(2, SMALL)
    shutil.rmtree(shop.folder(1))
    follow_pointer(shop.home, 2)
    assert not connection.write("has_collection", old)
    assert connection.write("has_collection", collection_of(shop, 2))


def test_what_a_build_left_is_removed_by_the_next(shop, connection):
    shop.write(1, SMALL)
    left = collection_of(shop, 1)
    shutil.rmtree(shop.folder(1))  # as after a build that was killed
    shop.write(2, SMALL)
    assert not connection.write("has_collection", left)
    shutil.rmtree(shop.folder(2))
    remove_unnamed(shop.home)
    assert [name for name in connection.write("list_collections") if name.startswith(left[:19])] == []


def test_two_shops_share_one_server(shop, connection, tmp_path):
    other = MilvusEngine(tmp_path / "other")
    other_rows = Rows(count=60, seed=9)
    shop.write(1, SMALL)
    other.write(1, other_rows)
    for engine, rows in ((shop, SMALL), (other, other_rows)):
        query = rows.queries(1)[0]
        assert engine.open(1).search(query, 10)[1].tolist() == rows.best(query, 10)[1].tolist()
    shutil.rmtree(shop.folder(1))
    shop.write(2, SMALL)
    remove_unnamed(shop.home)
    assert connection.write("has_collection", collection_of(other, 1))
    assert current_of(connection, other) == collection_of(other, 1)


def test_a_copy_of_a_home_reads_the_collections_and_removes_none(shop, connection, tmp_path):
    shop.write(1, SMALL)
    shutil.copytree(shop.home, tmp_path / "copy")
    copy = MilvusEngine(tmp_path / "copy")
    copy.records = dict(shop.records)
    assert len(copy.open(1).rows) == 60
    shutil.rmtree(copy.folder(1))
    copy.write(2, SMALL)
    assert connection.write("has_collection", collection_of(shop, 1))
    assert collection_of(copy, 2).split("_")[1] != collection_of(shop, 1).split("_")[1]
    assert current_of(connection, shop) == collection_of(shop, 1)


def test_a_collection_that_is_gone_is_a_damaged_generation(shop, connection):
    shop.write(1, SMALL)
    vectors = shop.open(1)
    ShopCollections(shop.home, connection).remove(collection_of(shop, 1))
    with pytest.raises(DamagedGeneration, match="no collection"):
        vectors.search(SMALL.queries(1)[0], 3)
    with pytest.raises(DamagedGeneration, match="no collection"):
        shop.open(1)


def test_rows_that_are_gone_are_named(shop, connection):
    vectors = shop.write(1, SMALL)
    connection.write("delete", collection_of(shop, 1), ids=[3])
    with pytest.raises(DamagedGeneration, match="1 of 2 rows are missing"):
        vectors.rows[np.array([2, 3])]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"collection": "x"}', '{"address": "", "collection": "y", "rows": 1, "dim": 2}']
)
def test_a_record_that_cannot_be_read_is_a_damaged_generation(tmp_path, text):
    (tmp_path / "milvus.json").write_text(text)
    with pytest.raises(DamagedGeneration, match=r"milvus.json is damaged"):
        CollectionRecord.read(tmp_path)
    with pytest.raises(DamagedGeneration):
        open_generation_vectors(tmp_path, None)


def test_no_file_of_a_shop_has_the_password(shop, server, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", server.address.replace("//", "//me:s%40cret@"))
    shop.write(1, SMALL)
    assert CollectionRecord.read(shop.folder(1)).address == server.address
    files = [path.read_bytes() for path in shop.home.rglob("*") if path.is_file()]
    assert len(files) >= 2 and not any(b"cret" in content for content in files)


def test_an_address_is_shown_without_its_password():
    address = MilvusAddress.parse("milvuss://me:s%40cret@milvus.example:19531/shops")
    assert (address.user, address.password, address.uri) == ("me", "s@cret", "https://milvus.example:19531")
    assert str(address) == "milvuss://milvus.example:19531/shops" and "cret" not in repr(address)


@pytest.mark.parametrize(
    "text", ["milvus://", "http://host", "milvus://host:x", "milvus://h/a/b", "milvus://h?a=1", "postgresql://h", "x"]
)
def test_an_unusable_setting_is_refused_without_repeating_it(monkeypatch, text):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", text)
    with pytest.raises(BadInput, match="does not say where vectors are") as raised:
        configured()
    assert "milvus://host:19530" in raised.value.hint


@pytest.mark.parametrize("text", ["", "embedded", "  "])
def test_unset_is_the_embedded_default(monkeypatch, text):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", text)
    assert configured() is None


def test_an_identity_that_somebody_edited_is_made_again(shop, connection):
    path = ShopHome(shop.home).vectors_identity
    shop.write(1, SMALL)
    before = json.loads(path.read_text())["shop"]
    path.write_text('{"shop": "../../*", "home": 5}')
    shop.write(2, SMALL)
    assert json.loads(path.read_text())["shop"] not in (before, "../../*")


def test_the_recall_of_the_build_is_measured(shop):
    shop.write(1, Rows(count=600, seed=4), "ivf_sq8")
    assert shop.recall.picture >= 0.95 and shop.records[1].nprobe >= 1


def test_codes_of_labels_are_numbers_above_zero():
    codes = {label_code(field, label) for field in ("a", "b") for label in ("", "x", '"', "\udcff")}
    assert len(codes) == 8 and all(0 < code < 2**63 for code in codes)
    assert label_codes({"a": [str(number) for number in range(MAX_LABELS + 1)]}) == [UNKNOWN_LABELS]
