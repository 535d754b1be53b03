"""Only an id that is not in the feed leaves the shop: a row that went bad leaves its product as it was."""

import csv
import json

import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.product import Rejected
from indexer.__main__ import main
from indexer.build.build import UpdateOptions, build_index, dry_run, update_index
from tests.fake_encoder import FakeEncoder
from tests.indexer.build.test_update import old, state
from tests.indexer.shop_fixtures import write_picture

COUNT = 6
HEADER = "id,title,image,price,availability"


class TextShop:
    """A shop whose feed a test writes as text, and its state before."""

    def __init__(self, folder):
        self.home, self.folder = folder / "home", folder / "feed"
        for i in range(COUNT):
            old(write_picture(self.folder / f"p{i}.png", (i * 40, 255 - i * 40, (i * 70) % 255)))
        self.rows = {f"p{i}": f"p{i},shirt {i},p{i}.png,{i + 1} EUR,in stock" for i in range(COUNT)}
        self.header = HEADER
        build_index(self.home, self.write(), FakeEncoder())
        self.before = state(self.home)

    def write(self, name="products.csv"):
        path = self.folder / name
        path.write_text("\n".join([self.header, *self.rows.values(), ""]), encoding="utf-8")
        return path

    def run(self, how):
        feed = self.write()
        if how == "build":
            return build_index(self.home, feed, FakeEncoder())
        return update_index(self.home, FakeEncoder(), UpdateOptions())


@pytest.fixture
def shop(tmp_path):
    return TextShop(tmp_path)


BAD_ROWS = {
    "price": "p1,shirt 1,p1.png,tbd,in stock",
    "negative price": "p1,shirt 1,p1.png,-5 EUR,in stock",
    "no title": "p1,,p1.png,2 EUR,in stock",
    "long title": f"p1,{'x' * 2_001},p1.png,2 EUR,in stock",
    "no picture": "p1,shirt 1,,2 EUR,in stock",
    "picture missing": "p1,shirt 1,gone.png,2 EUR,in stock",
    "picture outside": "p1,shirt 1,../p1.png,2 EUR,in stock",
    "picture on the web": "p1,shirt 1,https://cdn.example/p1.png,2 EUR,in stock",
    "too many pictures": f'p1,shirt 1,"{"p1.png;" * 300}",2 EUR,in stock',
    "broken picture": "p1,shirt 1,broken.png,2 EUR,in stock",
    "open quote": 'p1,"shirt 1,p1.png,2 EUR,in stock',
    "too many cells": "p1,shirt 1,p1.png,2,50 EUR,in stock",
    "NUL": "p1,shi\0rt,p1.png,2 EUR,in stock",
    "two currencies": "p1,shirt 1,p1.png,EUR 2 USD,in stock",
}


@pytest.mark.parametrize("how", ["update", "build"])
@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_leaves_its_product_as_it_was(shop, kind, how):
    (shop.folder / "broken.png").write_bytes(b"broken")
    shop.rows["p1"] = BAD_ROWS[kind]
    shop.rows["p2"] = "p2,shirt 2,p2.png,77 EUR,in stock"
    report = shop.run(how)
    after = state(shop.home)
    assert after["p1"] == shop.before["p1"]
    assert after["p2"][0].price == 77 and after.keys() == shop.before.keys()
    assert [(row.line, row.product_id) for row in report.rejected] == [(3, "p1")]
    assert report.retained.body() == {"rejected": 1, "uncertain": 0, "ids": ["p1"]}
    assert "1 left as they were, because their rows were rejected" in report.table() and "p1" in report.table()
    saved = shop.home / "reports" / ("update.json" if how == "update" else "000002.json")
    if saved.exists():
        assert json.loads(saved.read_text())["retained"]["ids"] == ["p1"]


def test_a_rehearsal_says_what_stays(shop):
    shop.rows["p1"] = BAD_ROWS["price"]
    shop.write()
    report = dry_run(shop.home, FakeEncoder(), UpdateOptions())
    assert report.changes.total == 0 and report.retained.ids == ["p1"]
    assert "1 left as they were" in report.plan()


@pytest.mark.parametrize("how", ["update", "build"])
def test_a_row_that_is_gone_removes_its_product_beside_a_bad_one(shop, how):
    shop.rows["p1"] = BAD_ROWS["price"]
    del shop.rows["p3"]
    report = shop.run(how)
    assert state(shop.home).keys() == shop.before.keys() - {"p3"}
    assert report.changes.ids["removed"] == ["p3"]


UNREADABLE_IDS = {
    "no id": ",shirt 1,p1.png,2 EUR,in stock",
    "an open quote before it": '"p1,shirt 1,p1.png,2 EUR,in stock',
    "control characters": "p\x1b1,shirt 1,p1.png,2 EUR,in stock",
}


@pytest.mark.parametrize("how", ["update", "build"])
@pytest.mark.parametrize("kind", UNREADABLE_IDS)
def test_without_the_id_of_a_bad_row_nothing_is_removed(shop, kind, how):
    shop.rows["p1"] = UNREADABLE_IDS[kind]
    del shop.rows["p3"]
    report = shop.run(how)
    assert state(shop.home) == shop.before
    assert report.retained.body() == {"rejected": 0, "uncertain": 2, "ids": ["p1", "p3"]}
    assert "2 not in the feed and not removed, because the id of a rejected row cannot be read" in report.table()


def test_a_certain_operator_removes_what_is_missing(shop):
    shop.rows["p1"] = UNREADABLE_IDS["no id"]
    shop.write()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(allow_shrink=True))
    assert report.changes.ids["removed"] == ["p1"] and state(shop.home).keys() == shop.before.keys() - {"p1"}


def test_a_row_of_totals_prevents_no_removal(shop):
    shop.rows["totals"] = ",,,21 EUR,"
    del shop.rows["p3"]
    assert shop.run("update").changes.ids["removed"] == ["p3"]


def test_many_bad_rows_are_no_feed_that_was_cut_short(shop):
    for i in range(COUNT - 1):
        shop.rows[f"p{i}"] = f"p{i},shirt {i},p{i}.png,tbd,in stock"
    report = shop.run("update")
    assert state(shop.home) == shop.before and report.retained.rejected == COUNT - 1


def test_a_feed_that_lost_more_than_half_is_refused_also_beside_a_bad_row(shop):
    for i in range(1, COUNT):
        del shop.rows[f"p{i}"]
    shop.rows["bad"] = UNREADABLE_IDS["no id"]
    with pytest.raises(BadFeed, match="more than half"):
        shop.run("update")
    assert state(shop.home) == shop.before


def test_a_feed_of_bad_rows_alone_changes_nothing(shop):
    shop.rows = {key: f"{key},shirt,gone.png,1 EUR,in stock" for key in shop.rows}
    for how in ("update", "build"):
        with pytest.raises(BadFeed, match="no product that can be indexed"):
            shop.run(how)
        assert state(shop.home) == shop.before


def test_what_is_missing_may_stay_and_a_bad_row_is_reported(shop):
    shop.rows["p1"] = BAD_ROWS["price"]
    del shop.rows["p3"]
    shop.write()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(keep_missing=True))
    assert state(shop.home) == shop.before and report.retained.ids == ["p1"]


@pytest.mark.parametrize("how", ["update", "build"])
def test_another_encoder_encodes_what_stays_again(shop, how):
    shop.rows["p1"] = BAD_ROWS["price"]
    other = FakeEncoder(fingerprint="fb" * 32)
    feed = shop.write()
    if how == "build":
        build_index(shop.home, feed, other)
    else:
        update_index(shop.home, other, UpdateOptions())
    assert other.pictures_encoded == COUNT
    assert {key: value[0] for key, value in state(shop.home).items()} == {k: v[0] for k, v in shop.before.items()}


@pytest.mark.parametrize("how", ["update", "build"])
def test_another_encoder_takes_the_picture_that_the_file_holds_by_now(shop, how):
    shop.rows["p1"] = BAD_ROWS["price"]
    write_picture(shop.folder / "p1.png", (1, 2, 3))
    other, feed = FakeEncoder(fingerprint="fb" * 32), shop.write()
    built = how == "build"
    report = build_index(shop.home, feed, other) if built else update_index(shop.home, other, UpdateOptions())
    (picture,) = state(shop.home)["p1"][0].pictures
    assert picture.sha256 != shop.before["p1"][0].pictures[0].sha256
    assert [row.product_id for row in report.rejected] == ["p1"]


def test_a_bad_row_of_a_new_product_loses_nobody_else(shop):
    shop.rows["new"] = "new,shirt,gone.png,1 EUR,in stock"
    report = shop.run("update")
    assert state(shop.home) == shop.before and report.retained.body()["ids"] == []


def test_the_first_build_of_a_feed_with_bad_rows(tmp_path):
    shop = TextShop(tmp_path)
    shop.rows["p1"] = BAD_ROWS["price"]
    report = build_index(tmp_path / "other", shop.write(), FakeEncoder())
    assert state(tmp_path / "other").keys() == shop.before.keys() - {"p1"}
    assert report.retained.body() == {"rejected": 0, "uncertain": 0, "ids": []}


def test_the_row_comes_back_and_is_read_as_ever(shop):
    shop.rows["p1"] = BAD_ROWS["price"]
    shop.run("update")
    shop.rows["p1"] = "p1,shirt 1,p1.png,99 EUR,in stock"
    report = shop.run("update")
    assert report.changes.counts["facts"] == 1 and state(shop.home)["p1"][0].price == 99
    del shop.rows["p1"]
    assert shop.run("update").changes.ids["removed"] == ["p1"]


def test_a_second_row_of_an_id_counts_when_the_first_is_bad(shop):
    shop.rows["p1"] = BAD_ROWS["price"] + "\np1,shirt 1,p1.png,9 EUR,in stock"
    report = shop.run("update")
    assert state(shop.home)["p1"][0].price == 9 and report.retained.ids == []


def test_an_unpublished_product_leaves_the_shop(tmp_path):
    """Its row is read well: it says that the product is not for sale."""
    shop = TextShop(tmp_path)
    shop.header = "Handle,Title,Variant Price,Image Src,Status"
    shop.rows = {f"p{i}": f"p{i},shirt {i},{i + 1},p{i}.png,active" for i in range(COUNT)}
    shop.run("update")
    shop.rows["p1"] = "p1,shirt 1,2,p1.png,draft"
    shop.rows["p2"] = "p2,shirt 2,2,gone.png,active"
    report = shop.run("update")
    assert report.changes.ids["removed"] == ["p1"] and report.retained.ids == ["p2"]


@pytest.mark.parametrize(
    ("line", "product_id"),
    [
        ('{"id": "p1", "title": "Shirt", ', "p1"),
        ('{"id": 7, "title": "Shirt" "image": "1.png"}', "7"),
        ('{"title": "Shirt" "id": "p1"}', ""),
        ('{"id": "p1", "variants": [{"id": "x"}, ', ""),
        ('{"id": "p1", "id": "p2"}', ""),
    ],
)
def test_a_broken_json_line_is_the_products_where_its_id_is_certain(tmp_path, line, product_id):
    path = tmp_path / "feed.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    assert [item.product_id for item in read_feed(path) if isinstance(item, Rejected)] == [product_id]


@pytest.mark.parametrize(
    ("row", "product_id"),
    [
        ('Shirt,p1,"1.png,2', "p1"),
        ('Shirt,"p1","1.png,2', "p1"),
        ('"Shirt, blue","p ""1""","1.png,2', 'p "1"'),
        ('"Shirt,p1,1.png,2', ""),
        ("Shirt,p1,1.png,2,blue,red", ""),
    ],
)
def test_the_id_of_a_broken_table_row_is_read_where_it_is_certain(tmp_path, row, product_id):
    path = tmp_path / "feed.csv"
    path.write_text(f"title,id,image,price\n{row}\n", encoding="utf-8")
    assert [item.product_id for item in read_feed(path) if isinstance(item, Rejected)] == [product_id]


def test_the_command_says_what_stays_and_exits_with_3(shop):
    shop.rows["p1"] = BAD_ROWS["price"]
    build_index(shop.home, shop.write(), "colour")
    done = CliRunner().invoke(main, ["update", "--home", str(shop.home), "--json"])
    assert done.exit_code == 3
    assert json.loads(done.stdout)["retained"] == {"rejected": 1, "uncertain": 0, "ids": ["p1"]}
    with (shop.home / "reports" / "rejected-update.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["p1"]


def test_notes_are_counted_by_message(shop):
    for key in ("p1", "p2"):
        shop.rows[key] = shop.rows[key].replace("in stock", "perhaps")
    report = shop.run("update")
    (note,) = report.notes
    assert (note.rows, note.line, note.source) == (2, 3, "products.csv") and "'perhaps'" in note.message
    assert "2 rows, the first at products.csv:3: availability is 'perhaps'" in report.table()
    assert not report.rejected and state(shop.home).keys() == shop.before.keys()


def test_products_that_are_added_alone_have_notes_too(shop):
    build_index(shop.home, shop.write(), "colour")
    shop.rows = {"p1": "p1,shirt 1,p1.png,2 EUR,perhaps", "p2": BAD_ROWS["price"].replace("p1", "p2")}
    before = state(shop.home)["p2"]
    done = CliRunner().invoke(main, ["add", "--home", str(shop.home), "--feed", str(shop.write("few.csv"))])
    assert done.exit_code == 3 and "1 row, few.csv:2: availability is 'perhaps'" in done.stdout
    assert state(shop.home)["p2"] == before
