"""Files that cannot be read, addresses that change and calls that fail, without a server."""

import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from catalog.errors import VectorsUnavailable
from catalog.home import ShopHome
from indexer.build.generation_builder import GenerationBuilder
from indexer.vectors.milvus import generations
from indexer.vectors.milvus.address import MilvusAddress
from indexer.vectors.milvus.collections import RECORD_FILE, CollectionRecord, ShopCollections
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.milvus_vectors import MilvusVectors

SHOP = "0123456789abcdef"
USED, LEFT = f"ws_{SHOP}_000001_00000000", f"ws_{SHOP}_000002_00000000"
A, B = "milvus://127.0.0.1:1", "milvus://127.0.0.1:1/other"


class FakeMilvus:
    """Has two collections, and remembers what was called."""

    calls: ClassVar[list] = []

    def __init__(self, address=None):
        self.address = address

    def write(self, name, *arguments, **options):
        self.calls.append((name, *arguments))
        return [USED, LEFT] if name == "list_collections" else {"aliases": []}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", A)
    monkeypatch.setattr(FakeMilvus, "calls", [])
    monkeypatch.setattr(generations, "MilvusConnection", FakeMilvus)
    ShopHome(tmp_path).vectors_identity.write_text(json.dumps({"shop": SHOP, "home": str(tmp_path.resolve())}))
    folder = ShopHome(tmp_path).generation(1)
    folder.mkdir(parents=True)
    CollectionRecord(A, USED, 3, 2).write(folder)
    return tmp_path


def dropped():
    return [arguments for name, *arguments in FakeMilvus.calls if name == "drop_collection"]


def unreadable(monkeypatch, name):
    """Let reading files of this name fail as a process does that has too many files open."""
    read_text = Path.read_text

    def failing(path, *arguments, **options):
        if path.name == name:
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", failing)


@pytest.mark.parametrize("remove", [generations.remove_unnamed, lambda home: generations.follow_pointer(home, 1)])
@pytest.mark.parametrize("name", [RECORD_FILE, "vectors.json", None])
def test_where_a_file_cannot_be_read_nothing_is_removed(home, monkeypatch, remove, name):
    if name is not None:
        unreadable(monkeypatch, name)
    remove(home)
    assert dropped() == ([] if name else [[LEFT]])


def test_a_folder_that_cannot_be_listed_keeps_every_collection(home, monkeypatch):
    def failing(path):
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    monkeypatch.setattr(Path, "iterdir", failing)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))  # what it gives where a folder cannot be read
    generations.remove_unnamed(home)
    assert dropped() == []


def test_an_identity_that_cannot_be_read_is_not_replaced(home, monkeypatch):
    before = ShopHome(home).vectors_identity.read_bytes()
    unreadable(monkeypatch, "vectors.json")
    with pytest.raises(OSError, match="Too many open files"):
        ShopCollections(home, FakeMilvus()).new_name(3)
    assert ShopHome(home).vectors_identity.read_bytes() == before


def opened(written):
    """The vectors of a generation that was written to an address."""
    address = generations._address(CollectionRecord(written, USED, 3, 2))
    return MilvusVectors(MilvusConnection(address), USED, 3, SimpleNamespace(lists=0), SimpleNamespace(dim=2))


@pytest.mark.parametrize(
    ("written", "setting", "moves", "password"),
    [
        (A, A, False, ""),
        (A, B, True, ""),
        (B, A, True, ""),
        (A, "embedded", True, ""),
        (A, A.replace("//", "//me:secret@"), False, "secret"),
        (A, B.replace("//", "//me:secret@"), True, ""),  # a password is for the server that the setting names
    ],
)
def test_a_generation_is_opened_where_it_was_written(monkeypatch, written, setting, moves, password):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", setting)
    vectors = opened(written)
    assert str(vectors.connection.address) == written and vectors.connection.address.password == password
    assert GenerationBuilder.moves(None, SimpleNamespace(vectors=vectors)) is moves


class FakeClient:
    """A client of pymilvus whose calls fail."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    def search(self, *arguments, **options):
        raise self.error

    def close(self):
        self.closed = True


def errors():
    """What pymilvus raises by name, and whether the server was reached."""
    pymilvus, grpc = pytest.importorskip("pymilvus"), pytest.importorskip("grpc")

    class RpcError(grpc.RpcError):
        def __init__(self, status):
            self.status = status

        def code(self):
            return self.status

    late, gone = grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE
    closed = pymilvus.MilvusException(message="Unexpected error")
    closed.__cause__ = ValueError("Cannot invoke RPC on closed channel!")
    itself = RpcError(late)
    itself.__cause__ = itself  # pymilvus raises errors from themselves
    return {
        "answered": (pymilvus.MilvusException(65_535, "no such field"), True),
        "late": (itself, True),
        "tried too long": (pymilvus.MilvusException(late, "Retry timeout: 3s"), True),
        "refused": (RpcError(grpc.StatusCode.PERMISSION_DENIED), True),
        "gone": (RpcError(gone), False),
        "gone too long": (pymilvus.MilvusException(gone, "Retry timeout: 3s"), False),
        "not connected": (pymilvus.MilvusException(2, "Fail connecting to server"), False),
        "closed": (closed, False),
    }


@pytest.mark.parametrize(
    "name", ["answered", "late", "tried too long", "refused", "gone", "gone too long", "not connected", "closed"]
)
def test_a_client_is_dropped_only_where_it_did_not_reach_the_server(name):
    error, reached = errors()[name]
    connection = MilvusConnection(MilvusAddress.parse(A))
    client = connection._client = FakeClient(error)
    with pytest.raises(VectorsUnavailable, match="failed to search"):
        connection.read("search", USED)
    assert (connection._client is client, client.closed) == (reached, not reached)


def test_a_search_begins_to_load_a_collection_and_does_not_wait():
    pymilvus = pytest.importorskip("pymilvus")
    connection = MilvusConnection(MilvusAddress.parse(A))
    client = connection._client = FakeClient(pymilvus.MilvusException(101, "collection not loaded"))
    loaded = []
    client.load_collection = lambda name, **options: loaded.append((name, options["_async"], options["timeout"] <= 3))
    with pytest.raises(VectorsUnavailable, match="has not loaded"):
        connection.read("search", USED)
    assert loaded == [(USED, True, True)] and connection._client is client
