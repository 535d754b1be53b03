"""Rows that were read before are not read into products again, and an update does what it would do without that."""

import errno
import os
import random
import shutil
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.feeds import known_rows, reader
from catalog.feeds.known_rows import KnownRows
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations.publishing import build_lock, rollback
from tests.fake_encoder import FakeEncoder
from tests.indexer.build.test_update import Shop, old
from tests.indexer.shop_fixtures import write_picture

COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (90, 90, 90))


@pytest.fixture
def read(monkeypatch):
    """The ids of the rows that were read into products."""
    ids, make = [], reader.product_from_row
    monkeypatch.setattr(
        reader, "product_from_row", lambda cells, *others: ids.append(cells["id"][0]) or make(cells, *others)
    )
    return ids


@pytest.fixture
def shop(tmp_path, read):
    shop = Shop(tmp_path, 6)
    shop.build()
    read.clear()
    return shop


def catalogue_of(shop):
    return closing(Catalogue.open(ShopHome(shop.home).catalogue))


def changed(report):
    return {kind: found["ids"] for kind, found in report.changes.body().items() if kind != "unchanged" and found["ids"]}


def test_only_rows_that_differ_are_read(shop, read):
    shop.rows["p1"]["price"] = "7 EUR"
    shop.set("new", "red new", (1, 2, 3))
    del shop.rows["p2"]
    report = shop.update()
    assert sorted(read) == ["new", "p1"]
    assert changed(report) == {"added": ["new"], "facts": ["p1"], "removed": ["p2"]}
    assert report.changes.unchanged == 4
    read.clear()
    assert shop.update().changes.total == 0 and sorted(read) == ["new", "p1"]  # which the update itself has written
    read.clear()
    assert shop.update().changes.total == 0 and read == []


def test_a_row_is_read_when_somebody_has_changed_its_product(shop, read):
    with catalogue_of(shop) as catalogue:
        (_, product) = catalogue.find(["p3"])["p3"]
        catalogue.put([replace(product, price=Decimal(1))])
        catalogue.remove(["p4"])
    assert changed(shop.update()) == {"added": ["p4"], "facts": ["p3"]}
    assert sorted(read) == ["p3", "p4"]


def test_a_row_is_read_when_its_picture_is_another(shop, read):
    old(write_picture(shop.folder / "p2.png", (9, 9, 9)), seconds=50)
    assert changed(shop.update()) == {"pictures": ["p2"]}
    assert read == ["p2"]


def test_a_picture_that_is_gone_rejects_its_row(shop):
    (shop.folder / "p2.png").unlink()
    report = shop.update()
    assert [row.product_id for row in report.rejected] == ["p2"] and report.retained.rejected == 1


@pytest.mark.parametrize("folder", [False, True])
def test_rows_whose_pictures_are_links_are_always_read_and_no_others(tmp_path, read, folder):
    shop = Shop(tmp_path, 4)
    if folder:
        (shop.folder / "pictures").symlink_to(shop.folder, target_is_directory=True)
        shop.rows["p0"]["image"], shop.rows["p2"]["image"] = "pictures/p0.png", "pictures/p2.png"
    else:
        for name in ("p0", "p2"):
            (shop.folder / f"other-{name}.png").symlink_to(shop.folder / f"{name}.png")
            shop.rows[name]["image"] = f"other-{name}.png"
    shop.build()
    read.clear()
    shop.update()
    assert read == ["p0", "p2"]


@pytest.mark.parametrize("image", ["P0.PNG", "%700.png", "p0.png;p1.png", "p0.png, p1.png"])
def test_a_row_is_read_again_whose_pictures_are_others_when_the_file_that_it_names_appears(tmp_path, read, image):
    shop = Shop(tmp_path, 3)
    shop.rows["p0"]["image"] = image
    shop.build()
    read.clear()
    assert shop.update().changes.total == 0 and read == ([] if "p1" in image else ["p0"])
    old((shop.folder / "p2.png").rename(shop.folder / "spare.png"))
    (shop.folder / "spare.png").rename(shop.folder / image)
    assert changed(shop.update())["pictures"] == ["p0"]


def test_a_row_with_several_pictures_in_a_cell_is_read_when_any_of_them_is_another(tmp_path, read):
    shop = Shop(tmp_path, 4)
    shop.rows["p0"]["image"], shop.rows["p1"]["image"] = "p0.png|p2.png", "p1.png,p3.png"
    shop.build()
    read.clear()
    assert shop.update().changes.unchanged == 4 and read == []
    old(write_picture(shop.folder / "p3.png", (9, 9, 9)), seconds=50)
    assert changed(shop.update()) == {"pictures": ["p1", "p3"]} and read == ["p1", "p3"]


def test_rows_that_differ_only_in_where_cells_end_have_different_digests():
    rows = KnownRows()
    rows.begin(["id", "brand", "color"], "/feed")
    cells = [
        ("1", "A\x1fB", "C"),
        ("1", "A", "B\x1fC"),
        ("1", "A\x1fBC", ""),
        ("1A\x1fBC", "", ""),
        ("1", "A", "B", "C"),
    ]
    assert len({rows.digest(row) for row in cells}) == len(cells)
    digest = rows.digest(cells[0])
    for header, folder in ((["id", "brandcolor"], "/feed"), (["/feedid", "brand", "color"], "")):
        rows.begin(header, folder)
        assert rows.digest(cells[0]) != digest


def test_all_rows_are_read_after_the_code_that_reads_them_has_changed(shop, read, tmp_path, monkeypatch):
    package = tmp_path / "catalog"
    (package / "money").mkdir(parents=True)
    found = []
    for name, text in (("product.py", ""), ("money/prices.py", ""), ("money/prices.py", "1"), ("money/words.csv", "")):
        (package / name).write_text(text)
        found.append(known_rows.code_digest(package))
    assert len(set(found)) == 4 and known_rows.code_digest(package) == found[-1]
    monkeypatch.setattr(known_rows, "_CODE", found[0])
    shop.update()
    assert len(read) == 6


def test_a_product_without_one_of_its_pictures_is_read_again(tmp_path, read):
    shop = Shop(tmp_path, 3)
    (shop.folder / "broken.png").write_bytes(b"no picture")
    shop.rows["p0"]["image"] = "p0.png|broken.png"
    shop.build()
    read.clear()
    assert len(shop.update().rejected) == 1 and read == ["p0"]
    old(write_picture(shop.folder / "broken.png", (3, 3, 3)), seconds=50)
    assert changed(shop.update()) == {"pictures": ["p0"]}


def test_all_rows_are_read_in_another_table_and_without_the_cache(shop, read):
    for row in shop.rows.values():
        row["price"] = row["price"].replace("5", "6")
    shop.update()
    shop.update()
    read.clear()
    shop.update()
    assert read == []
    cache = ShopHome(shop.home).feed_rows
    data = bytearray(cache.read_bytes())
    data[-1] ^= 1
    cache.write_bytes(data)
    shop.update()
    assert len(read) == 6


def test_an_update_is_made_where_the_cache_has_no_room(shop, monkeypatch, caplog):
    def full(path, data):
        with path.open("wb") as file:
            if "feed-rows" in path.name:
                raise OSError(errno.ENOSPC, "No space left on device")
            file.write(data)

    shop.set("new", "red new", (1, 2, 3))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert shop.update().made
    assert "cannot be written" in caplog.text and not list(shop.home.rglob("*.tmp"))


def test_a_known_row_of_a_product_that_came_before_is_a_duplicate(shop):
    path = shop.write()
    path.write_text(path.read_text() + "p0,red again,p1.png,3 EUR\n")
    report = update_index(shop.home, FakeEncoder(), UpdateOptions())
    assert [row.reason for row in report.rejected] == ["duplicate id 'p0': line 2 has it too"]


def act(shop, chance):
    """Change the feed, and sometimes the shop."""
    ids = [*shop.rows, f"n{chance.randrange(100)}"]
    for product_id in chance.sample(ids, min(len(ids), chance.randrange(4))):
        shop.set(product_id, f"red {chance.randrange(3)}", chance.choice(COLOURS), f"{chance.randrange(1, 4)} EUR")
        os.utime(shop.folder / f"{product_id}.png", ns=(0, chance.randrange(10**9, 10**10) * 10**6))
    if len(shop.rows) > 5 and chance.random() < 0.5:
        del shop.rows[chance.choice([*shop.rows])]
    return chance.choice(("nothing", "put", "remove", "build", "roll back")), chance.choice([*shop.rows])


@pytest.mark.parametrize("seed", range(3))
def test_an_update_does_what_it_would_do_without_known_rows(tmp_path, seed):
    chance, shop = random.Random(seed), Shop(tmp_path, 8)
    shop.build()
    homes = [shop.home, tmp_path / "other"]
    shutil.copytree(*homes)
    for _ in range(6):
        what, product_id = act(shop, chance)
        reports = []
        for home in homes:
            shop.home = home
            with catalogue_of(shop) as catalogue:
                found = catalogue.find([product_id])
                if what == "put" and found:
                    catalogue.put([replace(found[product_id][1], brand="Kirsi")])
                elif what == "remove":
                    catalogue.remove([product_id])
            if what == "roll back" and (home / "generations" / "000002").exists():
                with build_lock(home):
                    rollback(home, 1 if home.joinpath("current").read_text().strip() != "000001" else 2)
            elif what == "build":
                build_index(home, shop.write(), FakeEncoder())
            if home == homes[1]:
                ShopHome(home).feed_rows.unlink(missing_ok=True)
            reports.append(changed(shop.update(force=True, allow_shrink=True)))
        assert reports[0] == reports[1]
        states = []
        for home in homes:
            shop.home = home
            with catalogue_of(shop) as catalogue:
                states.append([product for _, product in catalogue.iterate()])
        assert states[0] == states[1]
