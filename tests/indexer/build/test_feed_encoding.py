"""The encoding of a feed: named on the command line, remembered with the feed, and in the report."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed
from catalog.storage.catalogue import Catalogue
from indexer import __main__ as command
from indexer.build.feed_settings import ChosenFeed, choose_feed, remember_feed
from indexer.cli import index_commands, product_commands
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_picture

TITLES = ["Crème bowl", "Jalapeño sauce"]  # too few letters to tell in which of several encodings


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Runs commands on a shop whose feed is written with `write`."""
    encoder = FakeEncoder()
    for module in (index_commands, product_commands):
        monkeypatch.setattr(module, "open_encoder", lambda *_, **__: encoder)
    return Shop(tmp_path)


class Shop:
    def __init__(self, folder):
        self.home, self.folder = folder / "home", folder / "feed"
        self.folder.mkdir()

    def write(self, titles, encoding, name="products.csv"):
        rows = []
        for number, title in enumerate(titles):
            write_picture(self.folder / f"{number}.png", (40 * number, 90, 200 - 40 * number))
            rows.append(f"p{number},{title},{number}.png\n")
        path = self.folder / name
        path.write_bytes(("id,title,image\n" + "".join(rows)).encode(encoding))
        return path

    def run(self, *words):
        home = ("--home", self.home)
        return CliRunner().invoke(command.main, [str(word) for word in (words[0], *home, *words[1:])])

    def titles(self):
        with closing(Catalogue.open(self.home / "catalog.sqlite")) as catalogue:
            return [product.title for _, product in catalogue.iterate()]


def test_a_feed_that_can_be_in_several_encodings_needs_its_name_once(shop):
    feed = shop.write(TITLES, "cp1252")
    refused = shop.run("build", "--feed", feed)
    assert refused.exit_code == 1
    assert "It may be in cp1250 (Windows Central European) or cp1252" in refused.stderr
    assert "--encoding" in refused.stderr
    assert not (shop.home / "catalog.sqlite").exists()

    built = shop.run("build", "--feed", feed, "--encoding", "Windows-1252")
    assert (built.exit_code, shop.titles()) == (0, TITLES)
    assert "the feed is not UTF-8: it is read as cp1252" in built.stdout

    shop.write([*TITLES, "Piñata"], "cp1252")
    planned = shop.run("update", "--dry-run", "--json")
    assert planned.exit_code == 0 and json.loads(planned.stdout)["changes"]["added"]["count"] == 1
    assert shop.run("update").exit_code == 0
    assert shop.titles() == [*TITLES, "Piñata"]

    again = shop.run("update", "--encoding", "auto")
    assert again.exit_code == 1 and "It may be in" in again.stderr


def test_the_name_belongs_to_its_feed(shop):
    assert shop.run("build", "--feed", shop.write(TITLES, "cp1252"), "--encoding", "cp1252").exit_code == 0
    other = shop.write(["Größe für Käse", "Öllampe"], "utf-8", "other.csv")
    assert shop.run("update", "--feed", other).exit_code == 0
    assert shop.titles() == ["Größe für Käse", "Öllampe"]


def test_an_encoding_that_nobody_has_changes_nothing(shop):
    refused = shop.run("build", "--feed", shop.write(TITLES, "cp1252"), "--encoding", "klingon")
    assert refused.exit_code == 1
    assert (
        refused.stderr
        == "Error: 'klingon' is not an encoding that can be read. Try cp1250, cp1252, gbk or shift_jis.\n"
    )


def test_single_products_in_an_encoding(shop):
    assert shop.run("build", "--feed", shop.write(["Plain teapot"], "utf-8")).exit_code == 0
    added = shop.run("add", "--feed", shop.write(TITLES, "cp1252", "small.csv"), "--encoding", "cp1252")
    assert added.exit_code == 0
    assert shop.titles() == TITLES


def test_what_is_remembered_of_the_encoding(tmp_path):
    feed = tmp_path / "a.csv"
    remember_feed(tmp_path, ChosenFeed(feed, encoding="gb18030"))
    assert choose_feed(tmp_path) == ChosenFeed(feed, False, "gb18030")
    assert choose_feed(tmp_path, encoding="auto").encoding == ""
    assert choose_feed(tmp_path, tmp_path / "b.csv").encoding == ""
    (tmp_path / "feed.json").write_text(json.dumps({"feed": str(feed), "encoding": "klingon"}))
    with pytest.raises(BadFeed, match="klingon"):
        choose_feed(tmp_path)
