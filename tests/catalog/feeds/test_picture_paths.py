"""A feed's pictures come from its own folder, or, with a fetcher, from the web; from nowhere else."""

import json
import os
import sys
from pathlib import Path

import pytest

from catalog.feeds.picture_paths import PictureResolver
from tests.catalog.feed_writer import item, read, rss, write

OUTSIDE = {
    "../secret.png": "outside the feed's folder",
    "images/../../secret.png": "outside the feed's folder",
    "./../secret.png": "outside the feed's folder",
    "..\\secret.png": "outside the feed's folder",
    "images\\..\\..\\secret.png": "outside the feed's folder",
    "images//..//..//secret.png": "outside the feed's folder",
    "gone/../../secret.png": "outside the feed's folder",
    "../../../../../../../../etc/hostname": "outside the feed's folder",
    "..": "outside the feed's folder",
    "link.png": "outside the feed's folder",
    "linked/secret.png": "outside the feed's folder",
    "linked/shop/../secret.png": "outside the feed's folder",
    "round/round/secret.png": "does not exist",
    "/etc/hostname": "absolute path",
    "//host/share/secret.png": "absolute path",
    "\\\\host\\share\\secret.png": "absolute path",
    "\\\\?\\C:\\secret.png": "absolute path",
    "C:\\secret.png": "absolute path",
    "c:/secret.png": "absolute path",
    "file:///etc/hostname": "an address, not a path",
    "FILE:../secret.png": "an address, not a path",
    "data:image/png;base64,AAAA": "not a path",
    "ftp://host/secret.png": "an address, not a path",
    "gopher://host:70/x": "an address, not a path",
    "%2e%2e/secret.png": "does not exist",
    "..%2fsecret.png": "does not exist",
    "~/secret.png": "does not exist",
    "~root/secret.png": "does not exist",
    "$HOME/secret.png": "does not exist",
    "....//secret.png": "does not exist",
    ".\u2024/secret.png": "does not exist",
    "\uff0e\uff0e/secret.png": "does not exist",
    "images/1.png/../../../secret.png": "outside the feed's folder",
    "images/1.png/": "is a folder",
    "images": "is not a file",
    "pipe.png": "is not a file",
    "x" * 5_000: "does not exist",
    "a/" * 3_000 + "1.png": "does not exist",
    "images/" + "x" * 300 + ".png": "does not exist",
    "images/1\x1f.png": "does not exist",
}

OPENED = []
sys.addaudithook(lambda event, arguments: OPENED.append(arguments[0]) if event == "open" else None)


@pytest.fixture
def traps(shop):
    (shop / "link.png").symlink_to(shop.parent / "secret.png")
    (shop / "linked").symlink_to(shop.parent)
    (shop / "round").symlink_to(shop / "round")
    os.mkfifo(shop / "pipe.png")
    return shop


def as_json(name):
    return json.dumps({"id": "bad", "title": "Hat", "image": name}), "feed.jsonl"


def as_xml(name):
    return rss(item("bad", image=name.replace("\x1f", "&#10;x"))), "feed.xml"


def as_table(name):
    return f'id,title,image\nbad,Hat,"{name}"\n', "feed.csv"


def as_export(name):
    return f'Handle,Title,Image Src\nbad,Hat,"{name}"\n', "products_export.csv"


@pytest.mark.promise("S9")
@pytest.mark.parametrize("writer", [as_table, as_json, as_xml, as_export])
@pytest.mark.parametrize("name", OUTSIDE, ids=lambda name: ascii(name[:30]))
def test_nothing_outside_the_feeds_folder_is_read(traps, writer, name):
    OPENED.clear()
    products, rejected = read(write(traps, *writer(name)))
    assert not products
    assert "; ".join(entry.reason for entry in rejected).count("picture") >= 1
    if writer is not as_xml:
        assert OUTSIDE[name] in rejected[0].reason
    opened = {str(path) for path in OPENED if isinstance(path, str | Path)}
    assert {path for path in opened if Path(path).name in ("secret.png", "hostname", "pipe.png")} == set()


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", [name for name in OUTSIDE if ".." in name and "link" not in name])
def test_a_path_upwards_is_refused_without_a_look(traps, name, monkeypatch):
    looked = []
    folder = PictureResolver(traps)
    for function in ("lstat", "readlink"):
        real = getattr(os, function)
        monkeypatch.setattr(os, function, lambda path, real=real: (looked.append(os.fspath(path)), real(path))[1])
    assert not folder._exists(name)
    root = str(traps.resolve())
    assert not [path for path in looked if not path.startswith(root) and not root.startswith(path)]


def test_long_folder_names_are_not_remembered(shop):
    folder = PictureResolver(shop)
    for number in range(100):
        folder._exists(f"{number}{'/x' * 1_500}/1.png")
    assert not folder._folders


@pytest.mark.parametrize(
    ("cell", "pieces"),
    [
        ("https://a.example/1.png", ["https://a.example/1.png"]),
        ("https://a.example/1.png,https://a.example/2.png", ["https://a.example/1.png", "https://a.example/2.png"]),
        ("https://a.example/1.png | http://b.example/2.png", ["https://a.example/1.png", "http://b.example/2.png"]),
        ("https://a.example/w_300,h_200/1.png", ["https://a.example/w_300,h_200/1.png"]),
        (
            "https://a.example/1.png;v=2, https://a.example/2.png",
            ["https://a.example/1.png;v=2", "https://a.example/2.png"],
        ),
        ("https://a.example/?src=https://b.example/1.png", ["https://a.example/?src=https://b.example/1.png"]),
        ("images/1.png, https://a.example/2.png", ["images/1.png", "https://a.example/2.png"]),
        ("https://a.example/1.png\nhttps://a.example/2.png,", ["https://a.example/1.png", "https://a.example/2.png"]),
    ],
)
def test_web_addresses_are_split_where_the_next_begins(shop, cell, pieces):
    assert PictureResolver(shop).split(cell) == pieces


def test_without_a_fetcher_the_reason_says_how_to_switch_it_on(shop):
    _, (rejected,) = read(write(shop, "id,title,image\n7,Hat,https://a.example/1.png\n"))
    assert "fetching is off" in rejected.reason and "--fetch-pictures" in rejected.reason
