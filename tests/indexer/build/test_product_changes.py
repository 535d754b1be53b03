"""python -m indexer add and remove: the catalogue changes, the index does not, and vectors wait in the cache."""

from contextlib import closing

import pytest
from click.testing import CliRunner

from catalog.errors import NoGeneration
from catalog.storage.catalogue import Catalogue
from indexer.__main__ import main
from indexer.build.build import build_index
from indexer.build.product_changes import add, remove
from indexer.cli import product_commands
from indexer.generations import store
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop, write_feed, write_picture


@pytest.fixture
def encoder(monkeypatch):
    encoder = FakeEncoder()
    monkeypatch.setattr(product_commands, "open_encoder", lambda name, **_: encoder)
    return encoder


@pytest.fixture
def home(tmp_path):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    return tmp_path / "home"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def products(home):
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        return {product.id: product for _, product in catalogue.iterate()}


def test_add_puts_and_changes_and_leaves_the_rest(home, encoder, tmp_path):
    write_picture(tmp_path / "small" / "pink.png", (255, 100, 100))
    write_picture(tmp_path / "small" / "red.png", (255, 0, 0))
    feed = write_feed(tmp_path / "small", [("p-pink", "pink cup", "pink.png"), ("p-red", "crimson cup", "red.png")])
    done = run("add", "--home", home, "--feed", feed)
    assert (done.exit_code, done.stdout) == (0, "2 products added or changed, 0 rows rejected.\n")
    after = products(home)
    assert len(after) == 5 and after["p-red"].title == "crimson cup" and after["p-pink"].pictures[0].sha256
    assert store.current_number(home) == 1
    assert encoder.pictures_encoded == 1, "the red one was in the cache"


def test_add_tells_what_it_left_out(home, encoder, tmp_path):
    picture = write_picture(tmp_path / "small" / "pink.png", (255, 100, 100))
    (tmp_path / "small" / "broken.png").write_bytes(picture.read_bytes()[:40])
    rows = [("a", "", "pink.png"), ("b", "cup", "broken.png"), ("c", "cup", "pink.png")]
    done = run("add", "--home", home, "--feed", write_feed(tmp_path / "small", rows))
    assert done.exit_code == 3 and "1 products added or changed, 2 rows rejected" in done.stdout
    assert "products.csv:2" in done.stderr and "products.csv:3" in done.stderr
    rows[2:] = []
    nothing = run("add", "--home", home, "--feed", write_feed(tmp_path / "small", rows))
    assert nothing.exit_code == 1 and "no product that can be added" in nothing.stderr


def test_remove(home):
    done = run("remove", "--home", home, "p-red", "p-blue")
    assert (done.exit_code, done.stdout) == (0, "2 products removed.\n")
    assert set(products(home)) == {"p-green", "p-yellow"}
    again = run("remove", "--home", home, "p-red", "p-green")
    assert again.exit_code == 3 and again.stdout == "1 products removed.\n" and "'p-red'" in again.stderr


def test_a_home_without_a_shop(tmp_path):
    with pytest.raises(NoGeneration, match="no shop"):
        remove(tmp_path, ["a"])
    with pytest.raises(NoGeneration, match="no shop"):
        add(tmp_path, tmp_path / "feed.csv", FakeEncoder())
    assert run("add", "--home", tmp_path, "--feed", "x.csv").exit_code == 1
    assert not list(tmp_path.iterdir())
