"""Fetching another machine's generation: by digest, resumed, checked, and never half current."""

import shutil
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from catalog.errors import DamagedGeneration, GenerationError, NoGeneration, StoreError
from catalog.files.failpoints import Failed
from catalog.home import ShopHome
from catalog.storage.opening import open_catalogue
from indexer.build.build import build_index
from indexer.generations import store
from indexer.maintenance.generation_fetch import FolderSource, ServerSource, fetch_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, write_feed, write_picture
from web.cli.windowshop import main


def shop(folder, *names):
    """A feed of products of these colours."""
    for name in names:
        write_picture(folder / f"{name}.png", COLOURS[name])
    return write_feed(folder, [(name, f"{name} shirt", f"{name}.png") for name in names])


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A shop of which two generations were built, and its home as of the first."""
    folder = tmp_path_factory.mktemp("fetch")
    build_index(folder / "first", shop(folder / "feed", "red", "blue"), FakeEncoder())
    shutil.copytree(folder / "first", folder / "second")
    build_index(folder / "second", shop(folder / "more", "red", "green"), FakeEncoder())
    return folder


@pytest.fixture
def other(indexed, tmp_path):
    """A second machine: the catalogue of the shop as it is now, and the first generation."""
    home = tmp_path / "other"
    shutil.copytree(indexed / "first", home)
    shutil.copy(ShopHome(indexed / "second").catalogue, ShopHome(home).catalogue)
    return home


class Interrupted(FolderSource):
    """A source that breaks off in the middle of one file."""

    @contextmanager
    def reading(self, number, name, start):
        with FolderSource.reading(self, number, name, start) as file:
            yield file if name != store.ROWS_FILE else Ending(file)


class Ending:
    def __init__(self, file):
        self._file, self._left = file, 100

    def read(self, size, /):
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block


def test_the_current_generation_is_fetched_and_becomes_current(indexed, other):
    report = fetch_current(other, FolderSource(indexed / "second"))
    assert report.generation == store.current_number(other) == 2
    fetched, source = store.open_current(other), store.open_current(indexed / "second")
    assert fetched.manifest == source.manifest
    assert fetched.product_keys.tolist() == source.product_keys.tolist()
    assert fetch_current(other, FolderSource(indexed / "second")).fetched == 0


def test_a_file_that_a_generation_here_has_already_is_not_fetched(indexed, other):
    rows, (before, after) = store.ROWS_FILE, (ShopHome(home).generations for home in (other, indexed / "second"))
    shutil.copy(after / "000002" / rows, before / "000001" / rows)
    files = store.current_manifest(indexed / "second").files
    contents = {
        name: [folder / number / name for folder, number in ((before, "000001"), (after, "000002"))] for name in files
    }
    same = {
        name for name, (here, there) in contents.items() if here.exists() and here.read_bytes() == there.read_bytes()
    }
    report = fetch_current(other, FolderSource(indexed / "second"))
    assert rows in same != files.keys()
    assert report.present == len(same)
    assert report.bytes == sum(file.bytes for name, file in files.items() if name not in same)


def test_an_interrupted_fetch_goes_on_and_changes_nothing_before(indexed, other):
    with pytest.raises(GenerationError, match="early"):
        fetch_current(other, Interrupted(indexed / "second"))
    assert store.current_number(other) == 1
    rows = store.current_manifest(indexed / "second").files[store.ROWS_FILE].bytes
    whole = sum(file.bytes for file in store.current_manifest(indexed / "second").files.values())
    assert fetch_current(other, FolderSource(indexed / "second")).bytes <= whole - min(rows, 100)
    assert store.open_current(other).number == 2


class Altered(Ending):
    def read(self, size, /):
        return bytes(255 - byte for byte in self._file.read(size))


class Altering(FolderSource):
    """A source that gives other bytes than it has."""

    @contextmanager
    def reading(self, number, name, start):
        with FolderSource.reading(self, number, name, start) as file:
            yield Altered(file) if name == store.ROWS_FILE else file


def test_a_file_that_was_changed_on_its_way_never_becomes_current(indexed, other):
    with pytest.raises(DamagedGeneration, match=r"rows\.npy"):
        fetch_current(other, Altering(indexed / "second"))
    assert store.current_number(other) == 1
    assert fetch_current(other, FolderSource(indexed / "second")).generation == 2


@pytest.mark.parametrize("point", ["fetch.file-fetched", "fetch.renamed"])
def test_every_step_of_a_fetch_may_be_the_last(indexed, other, point, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_FAILPOINT", f"{point}:raise")
    with pytest.raises(Failed, match=point):
        fetch_current(other, FolderSource(indexed / "second"))
    monkeypatch.delenv("WINDOWSHOP_FAILPOINT")
    assert store.open_current(other).number == 1
    fetch_current(other, FolderSource(indexed / "second"))
    assert store.open_current(other).number == 2
    assert [path.name for path in ShopHome(other).generations.iterdir() if path.name.startswith(".")] == []


def test_going_back_on_one_machine_is_followed_without_fetching(indexed, other):
    fetch_current(other, FolderSource(indexed / "second"))
    report = fetch_current(other, FolderSource(indexed / "first"))
    assert (report.fetched, store.current_number(other)) == (0, 1)


def test_a_catalogue_that_is_older_or_missing_is_refused(indexed, tmp_path):
    shutil.copytree(indexed / "first", tmp_path / "old")
    with pytest.raises(GenerationError, match="at change"):
        fetch_current(tmp_path / "old", FolderSource(indexed / "second"))
    with pytest.raises(NoGeneration):
        fetch_current(tmp_path / "none", FolderSource(indexed / "second"))


def test_another_generation_of_the_same_number_is_not_overwritten(indexed, other):
    build_index(other, shop(other.parent / "own", "yellow"), FakeEncoder())
    with pytest.raises(GenerationError, match="another one here"):
        fetch_current(other, FolderSource(indexed / "second"))


@pytest.mark.parametrize("address", ["http://shop.example", "ftp://10.0.0.5", "http://8.8.8.8:8000", "nonsense://"])
def test_no_key_is_sent_unencrypted_over_the_internet(address):
    with pytest.raises(GenerationError):
        ServerSource(address, "wsk_key")


@pytest.mark.parametrize("address", ["https://shop.example", "http://10.0.0.5:8000", "http://localhost:8000"])
def test_own_networks_may_do_without_encryption(address):
    assert ServerSource(address, "wsk_key").address == address


def test_the_command_fetches_once_and_says_what_it_did(indexed, other):
    result = CliRunner().invoke(main, ["fetch", "--home", str(other), "--from", str(indexed / "second")])
    assert result.exit_code == 0
    assert "Generation 000002 is current" in result.stdout


def test_a_follower_goes_on_when_the_catalogue_was_away_for_a_moment(indexed, other, monkeypatch, caplog):
    attempts = []

    def opened(home):
        attempts.append(home)
        if len(attempts) == 1:
            raise StoreError("The catalogue cannot be used: the server is starting.")
        return open_catalogue(home)

    def waited(seconds):
        if len(attempts) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("indexer.maintenance.generation_fetch.open_catalogue", opened)
    monkeypatch.setattr("indexer.cli.maintenance_commands.time.sleep", waited)
    CliRunner().invoke(main, ["fetch", "--home", str(other), "--from", str(indexed / "second"), "--every", "1"])
    assert len(attempts) == 2 and "the server is starting" in caplog.text
    assert store.current_number(other) == 2


def test_a_manifest_that_names_a_file_elsewhere_is_refused(indexed, other):
    text = FolderSource(indexed / "second").manifest().replace("rows.npy", "../rows.npy")

    class Hostile(FolderSource):
        def manifest(self):
            return text

    with pytest.raises(GenerationError):
        fetch_current(other, Hostile(indexed / "second"))
