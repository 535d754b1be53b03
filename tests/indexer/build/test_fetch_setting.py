"""Feeds that name pictures by web address, from the command line to the index, served by a picture server."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog.storage.catalogue import Catalogue
from indexer import __main__ as command
from indexer.build.feed_settings import ChosenFeed, choose_feed, remember_feed
from indexer.cli import index_commands, maintenance_commands, product_commands
from indexer.generations.store import current_number, open_current
from tests.catalog.picture_server import local_rules, picture, reply, serving
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_feed, write_picture

COUNT = 6


class Shop:
    """A feed of web addresses, the server of its pictures, and the shop made of it."""

    def __init__(self, folder, server):
        self.home, self.folder, self.server = folder / "home", folder / "feed", server
        self.encoder = FakeEncoder()
        self.rows = {f"p{i}": (f"red {i}", self.show(i, (40 * i, 200 - 30 * i, 70))) for i in range(COUNT)}

    def show(self, number, colour):
        """Let the server have a picture of that colour, in a version of its own."""
        data, tag = picture(colour), '"{}-{}-{}"'.format(*colour)

        def answer(headers):
            known = headers.get("if-none-match") == tag
            return reply(status="304 Not Modified", ETag=tag) if known else reply(data, ETag=tag)

        self.server.answers[f"/{number}.png"] = answer
        return self.server.url(f"/{number}.png")

    def fail(self, number, status="503 Service Unavailable"):
        self.server.answers[f"/{number}.png"] = reply(status=status)

    def feed(self):
        return write_feed(self.folder, [(key, *row) for key, row in self.rows.items()])

    def run(self, *words):
        self.server.requests.clear()
        self.encoder.pictures_encoded = 0
        home = ("--home", self.home)
        return CliRunner().invoke(command.main, [str(word) for word in (words[0], *home, *words[1:])])

    def request_counts(self):
        """How many requests the last command made, and how many of them were for what had changed only."""
        return len(self.server.requests), sum("if-none-match" in headers for _, headers in self.server.requests)

    def products(self):
        with closing(Catalogue.open(self.home / "catalog.sqlite")) as catalogue:
            return {product.id: product for _, product in catalogue.iterate()}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    with serving() as server:
        made = Shop(tmp_path, server)
        monkeypatch.setattr("indexer.build.feed_settings._rules", lambda: local_rules(server.port))
        for module in (maintenance_commands, product_commands, index_commands):
            monkeypatch.setattr(module, "open_encoder", lambda name, **_: made.encoder)
        yield made


@pytest.fixture
def built(shop):
    assert shop.run("build", "--feed", shop.feed(), "--fetch-pictures").exit_code == 0
    return shop


def whole(shop):
    checked = shop.run("verify", "--deep")
    assert checked.exit_code == 0, checked.output
    return True


@pytest.mark.promise("S10")
@pytest.mark.parametrize("words", [("build",), ("add",)])
def test_nothing_is_asked_unless_that_was_allowed(shop, words):
    if words == ("add",):
        write_picture(shop.folder / "red.png", (255, 0, 0))
        shop.run("build", "--feed", write_feed(shop.folder, [("x", "red", "red.png")]))
    refused = shop.run(*words, "--feed", shop.feed())
    assert refused.exit_code == 1 and "--fetch-pictures" in refused.stderr and refused.stderr.count("Error") == 1
    assert shop.server.connections == 0
    assert not (shop.home / "fetched").exists()


def test_a_feed_of_web_addresses_becomes_a_shop(built):
    assert built.encoder.pictures_encoded == COUNT and built.request_counts() == (COUNT, 0)
    products = built.products()
    assert len(products) == COUNT
    for product in products.values():
        (shown,) = product.pictures
        assert Path(shown.path).is_relative_to(built.home / "fetched") and Path(shown.path).name == shown.sha256
    assert whole(built)


def test_an_update_asks_again_and_encodes_what_changed(built):
    """Neither the feed nor the permission has to be named again."""
    same = built.run("update")
    assert same.exit_code == 0 and "Nothing has changed" in same.output
    assert built.request_counts() == (COUNT, COUNT) and built.encoder.pictures_encoded == 0
    built.show(2, (9, 9, 200))
    changed = built.run("update", "--json")
    assert json.loads(changed.stdout)["changes"]["pictures"] == {"count": 1, "ids": ["p2"]}
    assert built.encoder.pictures_encoded == 1 and current_number(built.home) == 2
    again = built.run("update")
    assert built.encoder.pictures_encoded == 0 and "Nothing has changed" in again.output
    assert whole(built)


def test_a_rehearsal_asks_and_leaves_the_shop_as_it_is(built):
    built.show(2, (9, 9, 200))
    built.show(COUNT, (1, 2, 3))
    built.rows["new"] = ("new", built.server.url(f"/{COUNT}.png"))
    built.feed()
    shop_files = [p for p in built.home.rglob("*") if p.is_file() and "fetched" not in p.parts]
    before = {path: path.read_bytes() for path in shop_files}
    planned = built.run("update", "--dry-run")
    assert "changed pictures: p2" in planned.stdout and "added: new" in planned.stdout
    assert {path: path.read_bytes() for path in before} == before and built.encoder.pictures_encoded == 0
    done = built.run("update")
    assert "changed pictures: p2" in done.stdout and built.request_counts() == (COUNT + 1, COUNT + 1)
    assert built.encoder.pictures_encoded == 2


def test_a_bad_night_of_the_picture_server_takes_nothing_away(built):
    before = built.products()
    for number in range(COUNT):
        built.fail(number)
    night = built.run("update")
    assert night.exit_code == 3 and "Nothing has changed" in night.stdout
    assert "products.csv:2: The picture" in night.stdout and "the one fetched before stays" in night.stdout
    assert built.products() == before
    report = (built.home / "reports" / "rejected-update.csv").read_text().splitlines()
    assert len(report) == 1 + COUNT
    rebuilt = built.run("build", "--feed", built.feed())
    assert rebuilt.exit_code == 3 and built.encoder.pictures_encoded == 0
    assert built.products() == before and whole(built)


def test_a_price_changes_while_the_picture_server_is_down(built):
    built.rows["p1"] = ("red renamed", built.rows["p1"][1])
    built.feed()
    built.server.shutdown()
    built.server.server_close()
    done = built.run("update")
    assert done.exit_code == 3 and "1 changed titles: p1" in done.stdout
    assert built.products()["p1"].title == "red renamed" and len(built.products()) == COUNT


def test_a_picture_that_is_gone_does_not_take_its_product_with_it(built):
    """It once did. But the row is in the feed: the shop has the product, and somebody has to look at its picture."""
    before = built.products()
    built.fail(1, "404 Not Found")
    built.fail(2, "410 Gone")
    done = built.run("update")
    assert done.exit_code == 3 and "2 left as they were, because their rows were rejected" in done.stdout
    assert "p1, p2" in done.stdout
    assert open_current(built.home).manifest.products == COUNT and built.products() == before


def test_the_permission_is_for_one_feed_and_can_be_taken_back(built):
    refused = built.run("update", "--no-fetch-pictures")
    assert refused.exit_code == 1 and "--fetch-pictures" in refused.stderr and built.request_counts() == (0, 0)
    assert built.run("update").exit_code == 0, "a refused run is not remembered"
    other = write_feed(built.folder, [(key, *row) for key, row in built.rows.items()], "other.csv")
    refused = built.run("update", "--feed", other)
    assert refused.exit_code == 1 and built.request_counts() == (0, 0)
    assert built.run("update", "--feed", other, "--fetch-pictures").exit_code == 0
    assert built.run("update").exit_code == 0 and built.request_counts() == (COUNT, COUNT)
    refused = built.run("update", "--feed", built.folder / "products.csv")
    assert refused.exit_code == 1, "the permission went with the other feed"


def test_a_build_of_the_same_feed_fetches_as_before(built):
    assert built.run("build", "--feed", built.feed()).exit_code == 0
    assert built.request_counts() == (COUNT, COUNT) and built.encoder.pictures_encoded == 0
    assert built.run("build", "--feed", built.feed(), "--no-fetch-pictures").exit_code == 1


def test_single_products_by_web_address(built):
    built.show(COUNT, (1, 2, 3))
    small = write_feed(built.folder, [("new", "red new", built.server.url(f"/{COUNT}.png"))], "small.csv")
    added = built.run("add", "--feed", small, "--fetch-pictures")
    assert (added.exit_code, added.stdout) == (0, "1 products added or changed, 0 rows rejected.\n")
    assert len(built.products()) == COUNT + 1 and built.encoder.pictures_encoded == 1
    assert choose_feed(built.home) == ChosenFeed(built.folder / "products.csv", True), "which add does not change"
    built.fail(COUNT)
    again = built.run("add", "--feed", small, "--fetch-pictures")
    assert again.exit_code == 3 and "the one fetched before stays" in again.stderr
    assert len(built.products()) == COUNT + 1


def test_a_lost_folder_of_fetched_pictures_is_filled_again(built):
    before = built.products()
    for path in (built.home / "fetched").rglob("*"):
        if path.is_file():
            path.unlink()
    done = built.run("update")
    assert done.exit_code == 0 and built.request_counts() == (COUNT, 0) and built.encoder.pictures_encoded == 0
    assert built.products() == before and whole(built)


def test_a_restored_shop_fetches_its_pictures_again_and_is_the_same(built, tmp_path):
    assert built.run("backup", "--to", tmp_path / "copy").exit_code == 0
    old, built.home = built.home, tmp_path / "again"
    assert (
        CliRunner().invoke(command.main, ["restore", "--from", f"{tmp_path}/copy", "--home", f"{built.home}"]).exit_code
        == 0
    )
    old.rename(tmp_path / "lost")
    done = built.run("update")
    assert done.exit_code == 0 and "Nothing has changed" in done.stdout and built.request_counts() == (COUNT, 0)
    assert whole(built)


def test_what_is_remembered_of_the_feed(tmp_path):
    tmp_path.joinpath("a.csv").touch()
    for damaged in (b"\xff\xfe", b"[]", b"{}", b'{"feed": '):
        (tmp_path / "feed.json").write_bytes(damaged)
        assert choose_feed(tmp_path, Path("b.csv")) == ChosenFeed(Path("b.csv"), False)
        remember_feed(tmp_path, ChosenFeed(tmp_path / "a.csv", True))
        assert choose_feed(tmp_path) == ChosenFeed(tmp_path / "a.csv", True)
    for value in ("1", '"yes"', "null"):
        (tmp_path / "feed.json").write_text(f'{{"feed": "/a.csv", "fetch_pictures": {value}}}')
        assert not choose_feed(tmp_path).fetch, "only a plain true is a permission"
    (tmp_path / "feed.json").write_text('{"feed": "/a.csv"}\n')
    assert choose_feed(tmp_path) == ChosenFeed(Path("/a.csv"), False), "as older versions wrote it"
