"""A feed's pictures come from its own folder, or, with a fetcher, from the web; from nowhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from catalog.errors import BadRow
from catalog.feeds.picture_paths import PictureResolver
from tests.catalog.feed_writer import item, names, read, rss, write

ROOT = Path(__file__).parents[3]
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
    "%2e%2e%2fsecret.png": "does not exist",
    "%2e%2e%5csecret.png": "does not exist",
    "images/%2e%2e/%2e%2e/secret.png": "does not exist",
    "images/..%2f..%2fsecret.png": "does not exist",
    "..%c0%afsecret.png": "does not exist",
    "images/1.png%00": "does not exist",
    "%2Fetc%2Fhostname": "does not exist",
    "&#46;&#46;/secret.png": "outside the feed's folder",
    "LINK.png": "outside the feed's folder",
    "Linked/secret.png": "outside the feed's folder",
    "linked/SECRET.png": "outside the feed's folder",
    "Round/round/secret.png": "does not exist",
    "PIPE.png": "is not a file",
}

READER = """
import json, sys
from pathlib import Path
from tests.catalog.feed_writer import read

opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
for line in sys.stdin:
    opened.clear()
    products, rejected = read(Path(json.loads(line)))
    paths = [str(path) for path in opened if isinstance(path, (str, Path))]
    print(json.dumps([len(products), [entry.reason for entry in rejected], paths]), flush=True)
"""


@pytest.fixture(scope="module")
def read_and_tell():
    """Reads a feed in a process of its own: how many products, why rows were rejected, and every path that was opened.

    Nothing ends an audit hook but the end of its process: here it would slow all later tests of the worker.
    """
    with subprocess.Popen([sys.executable, "-c", READER], stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as reader:

        def read_and_tell(path):
            print(json.dumps(str(path)), file=reader.stdin, flush=True)
            return json.loads(reader.stdout.readline())

        yield read_and_tell
        reader.stdin.close()


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
def test_nothing_outside_the_feeds_folder_is_read(traps, writer, name, read_and_tell):
    feed = write(traps, *writer(name))
    products, reasons, opened = read_and_tell(feed)
    assert not products
    assert "; ".join(reasons).count("picture") >= 1
    if writer is not as_xml:
        assert OUTSIDE[name] in reasons[0]
    assert str(feed) in opened
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
    assert set(folder._folders) <= {""}  # the feed's own folder


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
        ("//cdn.example/1.png", ["https://cdn.example/1.png"]),
        ("//cdn.example/1.png,//cdn.example/2.png", ["https://cdn.example/1.png", "https://cdn.example/2.png"]),
        ("images/1.png|//CDN.example:443/2.png", ["images/1.png", "https://CDN.example:443/2.png"]),
        ("https://a.example//b.example/1.png", ["https://a.example//b.example/1.png"]),
        ("images/1.png\nhttps://a.example/2.png", ["images/1.png", "https://a.example/2.png"]),
        ("https://a.example/1.png\nhttps://a.example/2.png,", ["https://a.example/1.png", "https://a.example/2.png"]),
    ],
)
def test_web_addresses_are_split_where_the_next_begins(shop, cell, pieces):
    assert PictureResolver(shop).split(cell) == pieces


def test_without_a_fetcher_the_reason_says_how_to_switch_it_on(shop):
    _, (rejected,) = read(write(shop, "id,title,image\n7,Hat,https://a.example/1.png\n"))
    assert "fetching is off" in rejected.reason and "--fetch-pictures" in rejected.reason


CAFE = "caf\u00e9.png"
CAFE_APART = "cafe\u0301.png"


@pytest.fixture
def named(tmp_path):
    """A folder of files by the names in a test: the same letters in both cases where the test wants it."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        return PictureResolver(tmp_path)

    return make


@pytest.mark.parametrize(
    ("there", "name"),
    [
        (CAFE, CAFE_APART),
        (CAFE_APART, CAFE),
        (f"im/{CAFE_APART}", f"im/{CAFE}"),
        ("caf\u00e9s/1.png", "cafe\u0301s/1.png"),
        ("\ud55c.png", "\u1112\u1161\u11ab.png"),
        ("IMG_0001.JPG", "img_0001.jpg"),
        ("img_0001.jpg", "IMG_0001.JPG"),
        ("Images/Red.png", "images/red.PNG"),
        ("\u00c9t\u00e9.png", "e\u0301t\u00e9.png"),
        ("Stra\u00dfe.png", "STRASSE.PNG"),
        ("my photo.png", "my%20photo.png"),
        ("im ages/1.png", "im%20ages/1.png"),
        ("im/1.png", "im%2F1.png"),
        (CAFE_APART, "caf%C3%A9.png"),
        (CAFE, "caf%E9.png"),
        ("My Photo.PNG", "my%20photo.png"),
        ("salt & pepper.png", "salt &amp; pepper.png"),
        ("100%.png", "100%25.png"),
        ("im/1.png", ".\\im\\1.png"),
        ("im/1.png", ".//im//1.png"),
        ("im/1.png", "IM\\1.PNG"),
    ],
    ids=ascii,
)
def test_a_name_that_is_spelled_otherwise_finds_its_file(named, tmp_path, there, name):
    assert named(there).find(name) == str((tmp_path / there).resolve())


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (("a.png", "A.png"), "a.png"),
        (("my%20photo.png", "my photo.png"), "my%20photo.png"),
        ((CAFE, CAFE_APART), CAFE_APART),
        ((CAFE, "CAFE\u0301.png"), CAFE),
    ],
    ids=ascii,
)
def test_the_file_of_exactly_that_name_comes_first(named, tmp_path, names, name):
    folder = named(*names)
    if len(list(tmp_path.iterdir())) < len(names):
        pytest.skip("this file system takes them for one name")
    assert folder.find(name) == str((tmp_path / name).resolve())


def test_two_files_that_a_name_may_mean_are_named(named, tmp_path):
    folder = named("A.png", "a.PNG")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes them for one name")
    with pytest.raises(BadRow, match=r"'a\.png' does not exist, and 'A\.png' and 'a\.PNG' are spelled alike"):
        folder.find("a.png")


def test_a_folder_is_listed_once_however_many_names_are_missing(named, monkeypatch):
    folder = named("IMG.PNG", *(f"{n}.png" for n in range(20)))
    listed = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(path), real(path))[1])
    for n in range(100):
        assert not folder._exists(f"gone{n}.png")
        assert folder._exists("img.png")
    assert len(listed) == 1


def test_a_folder_of_too_many_names_is_not_remembered(named, monkeypatch):
    monkeypatch.setattr("catalog.feeds.picture_names.MAX_LISTED", 3)
    folder = named(*(f"{n}.png" for n in range(9)), CAFE_APART)
    assert not folder._exists("0.PNG")
    assert folder._exists(CAFE), "the other normal form needs no list"
    assert folder._names._folders == {next(iter(folder._names._folders)): {}}


@pytest.mark.parametrize(
    ("cell", "pieces"),
    [
        ("1.png\n2.png", ["1.png", "2.png"]),
        ("1.png\r\n2.png\r\n", ["1.png", "2.png"]),
        (" 1.png ;\n 2.png | 3.png", ["1.png", "2.png", "3.png"]),
        ("1.png\n\n2.png, 3.png", ["1.png", "2.png", "3.png"]),
        ("1.png , 2.png", ["1.png", "2.png"]),
        ("1.png, 2.PNG", ["1.png", "2.PNG"]),
    ],
)
def test_the_names_of_a_cell(named, cell, pieces):
    assert named("1.png", "2.png", "3.png").split(cell) == pieces


def test_a_cell_of_two_lines_is_two_pictures(shop):
    (product,), rejected = read(write(shop, 'id,title,image\n7,Hat,"images/1.png\nimages/2.png"\n'))
    assert names(product) == ["1.png", "2.png"] and not rejected


def test_an_address_without_a_scheme_is_one(shop):
    _, (rejected,) = read(write(shop, "id,title,image\n7,Hat,//cdn.example/1.png\n"))
    assert "'https://cdn.example/1.png' is a web address: fetching is off" in rejected.reason
