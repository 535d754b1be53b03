"""Pictures by web address: fetched, stored, fetched again only when changed, then used like files."""

import hashlib
import os
import shutil
import sqlite3
import ssl
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from catalog.errors import BadAddress, FetchFailed, NoAnswer, StoreError
from catalog.feeds.reader import read_feed
from catalog.product import Product
from tests.catalog.feed_writer import item, names, read, rss, write
from tests.catalog.picture_server import open_fetcher, picture, reply

PNG = picture()


def paths(server):
    return [path for path, _ in server.requests]


def test_a_picture_is_stored_under_its_hash(server, fetcher, tmp_path):
    server.answers["/a%20b.png?v=1"] = reply(PNG, ETag='"1"')
    path = fetcher.fetch(server.url("/a b.png?v=1#top"))
    assert path.read_bytes() == PNG
    assert path.name == hashlib.sha256(PNG).hexdigest()
    assert path.is_relative_to(tmp_path / "fetched")
    ((requested, headers),) = server.requests
    assert requested == "/a%20b.png?v=1"
    assert headers == {
        "host": f"pictures.example:{server.port}",
        "user-agent": "Windowshop",
        "accept": "image/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


@pytest.mark.parametrize(
    "answer",
    [
        reply(PNG, Content_Type="text/html"),
        reply(PNG, Content_Length=None),
        reply(PNG, Content_Encoding="identity"),
        reply(b"%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG), Content_Length=None, Transfer_Encoding="chunked"),
        b"HTTP/1.0 200 OK\r\n\r\n" + PNG,
    ],
)
def test_ways_to_send_a_picture(server, fetcher, answer):
    server.answers["/1.png"] = answer
    assert fetcher.fetch(server.url("/1.png")).read_bytes() == PNG


def versioned(content, **version):
    """Answers 304 to those who have this version already."""

    def answer(headers):
        known = headers.get("if-none-match"), headers.get("if-modified-since")
        if known != (None, None) and known == (version.get("ETag"), version.get("Last_Modified")):
            return reply(status="304 Not Modified", **version)
        return reply(content, **version)

    return answer


@pytest.mark.parametrize(
    "version",
    [
        {"ETag": '"abc"'},
        {"ETag": 'W/"abc"', "Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
    ],
)
def test_the_next_import_asks_only_whether_it_changed(server, tmp_path, version):
    server.answers["/1.png"] = versioned(PNG, **version)
    fetched = []
    for _ in range(3):
        with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
            fetched.append([fetcher.fetch(server.url("/1.png")) for _ in range(4)])
    assert len({path for found in fetched for path in found}) == 1
    conditions = [headers.get("if-none-match", headers.get("if-modified-since")) for _, headers in server.requests]
    assert conditions == [None, *[version.get("ETag", version.get("Last_Modified"))] * 2]
    server.answers["/1.png"] = versioned(picture((0, 0, 9)), ETag='"new"')
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
        path = fetcher.fetch(server.url("/1.png"))
    assert path != fetched[0][0] and path.read_bytes() == picture((0, 0, 9))


def test_without_a_version_it_is_fetched_again(server, tmp_path):
    server.answers["/1.png"] = reply(PNG)
    for _ in range(2):
        with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
            fetcher.fetch(server.url("/1.png"))
    assert [headers.get("if-none-match") for _, headers in server.requests] == [None, None]


def test_an_odd_version_is_not_sent_back(server, tmp_path):
    server.answers["/1.png"] = reply(PNG, ETag="\xe9" + "x" * 600)
    for _ in range(2):
        with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
            fetcher.fetch(server.url("/1.png"))
    assert [headers.get("if-none-match") for _, headers in server.requests] == [None, None]


@pytest.mark.parametrize("damage", ["removed", "cut", "emptied"])
def test_a_damaged_file_is_fetched_again(server, tmp_path, damage):
    server.answers["/1.png"] = versioned(PNG, ETag='"abc"')
    for number in range(2):
        with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
            path = fetcher.fetch(server.url("/1.png"))
            assert path.read_bytes() == PNG
        if number == 0:
            path.unlink() if damage == "removed" else os.truncate(path, 10 if damage == "cut" else 0)
    assert [headers.get("if-none-match") for _, headers in server.requests] == [None, None]


def test_a_kill_between_file_and_table_loses_nothing(server, tmp_path, monkeypatch):
    server.answers["/1.png"] = versioned(PNG, ETag='"abc"')
    folder = tmp_path / "fetched"
    with closing(open_fetcher(folder, server.port)) as fetcher, monkeypatch.context() as patch:
        patch.setattr(fetcher._store, "_db", ReadOnly(fetcher._store._db))
        with pytest.raises(StoreError):
            fetcher.fetch(server.url("/1.png"))
    (folder / "partial" / "old").write_bytes(b"half")
    (folder / "partial" / "young").write_bytes(b"half")
    os.utime(folder / "partial" / "old", (0, 0))
    with closing(open_fetcher(folder, server.port)) as fetcher:
        assert fetcher.fetch(server.url("/1.png")).read_bytes() == PNG
    assert [path.name for path in (folder / "partial").iterdir()] == ["young"]


class ReadOnly:
    """A connection on which reading works and writing does not."""

    def __init__(self, db):
        self._db = db

    def execute(self, statement, *more):
        if statement.startswith("INSERT"):
            raise sqlite3.OperationalError("killed here")
        return self._db.execute(statement, *more)

    def close(self):
        self._db.close()


def test_a_folder_that_cannot_be_used(tmp_path, server):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        open_fetcher(tmp_path / "file", server.port)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "fetched.sqlite").write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match="it may be removed"):
        open_fetcher(tmp_path / "folder", server.port)


def test_a_full_disk_is_no_bad_row(server, fetcher, monkeypatch, shop):
    server.answers["/1.png"] = reply(PNG)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("catalog.files.atomic.os.fsync", full)
    feed = write(shop, f"id,title,image\n7,Hat,{server.url('/1.png')}\n")
    with pytest.raises(StoreError, match="No space left"):
        list(read_feed(feed, fetcher))
    assert not list((shop.parent / "fetched" / "partial").iterdir())


def test_many_at_once_ask_once(server, fetcher):
    def slow(_):
        time.sleep(0.2)
        return reply(PNG)

    server.answers["/1.png"] = slow
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(fetcher.fetch, [server.url("/1.png")] * 40))
    assert len(found) == 1 and paths(server) == ["/1.png"]


def test_several_imports_may_share_a_folder(server, tmp_path):
    server.answers |= {f"/{n}.png": reply(picture((n, 0, 0))) for n in range(8)}

    def one_import(number):
        with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
            return [fetcher.fetch(server.url(f"/{n}.png")) for n in (number, 0)]

    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            assert len({path for found in pool.map(one_import, range(8)) for path in found}) == 8
        shutil.rmtree(tmp_path / "fetched")


def test_a_feed_with_web_addresses(server, fetcher, shop):
    server.answers |= {f"/{n}.png": reply(picture((n, 0, 0))) for n in range(5)}
    feed = write(
        shop,
        "id,title,image\n"
        f'a,Hat,"{server.url("/0.png")},{server.url("/1.png")}"\n'
        f"b,Hat,images/1.png|{server.url('/2.png')}\n"
        f"c,Hat,{server.url('/gone.png')}\n"
        f"d,Hat,{server.url('/3.png')}|{server.url('/gone.png')}\n"
        f"d,Hat,{server.url('/4.png')}\n"
        f"e,Hat,http://pictures.example:1/1.png\n",
    )
    products, rejected = read(feed, fetcher)
    assert [(product.id, len(product.pictures)) for product in products] == [("a", 2), ("b", 2), ("d", 1)]
    assert names(products[1])[0] == "1.png"
    assert [entry.line for entry in rejected] == [4, 5, 6, 7]
    assert "the server answered 404" in rejected[0].reason
    assert "the server answered 404" in rejected[1].reason
    assert rejected[2].reason == "duplicate id 'd': line 5 has it too"
    assert f"port 1 is not allowed, only {server.port}" in rejected[3].reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("feed.xml", rss(item(image="ADDRESS"))),
        ("feed.jsonl", '{"id": "good", "title": "Hat", "images": ["ADDRESS"]}'),
        ("feed.tsv", "id\ttitle\timage link\ngood\tHat\tADDRESS\n"),
        ("feed.csv", "Handle,Title,Image Src\ngood,Hat,ADDRESS\n"),
    ],
)
def test_every_reader_fetches(server, fetcher, shop, name, content):
    server.answers["/1.png"] = reply(PNG)
    (product,), rejected = read(write(shop, content.replace("ADDRESS", server.url("/1.png")), name), fetcher)
    assert (names(product), rejected) == ([hashlib.sha256(PNG).hexdigest()], [])


def test_a_feed_is_fetched_ahead_in_order(server, fetcher, shop):
    def slow(_):
        time.sleep(0.05)
        return reply(PNG)

    server.answers |= {f"/{n}.png": slow for n in range(40)}
    rows = "".join(f"p{n},Hat,{server.url(f'/{n}.png')}\n" for n in range(40))
    products, _ = read(write(shop, f"id,title,image\n{rows}"), fetcher)
    assert [product.id for product in products] == [f"p{n}" for n in range(40)]
    assert 2 <= server.most_at_once <= 8
    assert Counter(paths(server)) == {f"/{n}.png": 1 for n in range(40)}


def test_a_reader_that_stops_stops_the_fetching(server, fetcher, shop):
    server.answers |= {f"/{n}.png": reply(PNG) for n in range(500)}
    rows = "".join(f"p{n},Hat,{server.url(f'/{n}.png')}\n" for n in range(500))
    entries = read_feed(write(shop, f"id,title,image\n{rows}"), fetcher)
    assert isinstance(next(entries), Product)
    entries.close()
    assert len(server.requests) <= 20


@pytest.mark.promise("R21")
def test_a_hundred_bad_addresses_of_a_thousand(server, fetcher, shop):
    server.answers |= {"/1.png": reply(PNG), "/page": reply(b"<html></html>"), "/moved": reply(status="301 Moved")}
    bad = [server.url("/gone"), server.url("/page"), server.url("/moved"), "http://10.0.0.1/1.png", "http:///1.png"]
    bad += ["https://user@pictures.example/1.png", "http://pictures.example:22/1.png", "../1.png", "", "gone.png"]
    rows = [f"p{n},Hat,{bad[n // 10 % 10] if n % 10 == 3 else server.url('/1.png')}" for n in range(1000)]
    products, rejected = read(write(shop, "id,title,image\n" + "\n".join(rows)), fetcher)
    assert [p.id for p in products] == [f"p{n}" for n in range(1000) if n % 10 != 3]
    assert [entry.line for entry in rejected] == [n + 2 for n in range(1000) if n % 10 == 3]
    assert paths(server).count("/1.png") == 1


def test_a_host_that_is_down_is_given_up(server, tmp_path):
    server.answers["/1.png"] = reply(PNG)
    down = server.port
    requested = []

    def resolve(host, _):
        requested.append(host)
        return ["127.0.0.1"] if host == "up.example" else ["203.0.113.1"][:0]

    with closing(open_fetcher(tmp_path / "fetched", down, resolve=resolve)) as fetcher:
        for number in range(30):
            with pytest.raises(FetchFailed) as caught:
                fetcher.fetch(server.url(f"/{number}.png", "down.example"))
        assert "so no more requests are sent" in str(caught.value) and not isinstance(caught.value, NoAnswer)
        assert requested.count("down.example") == 10
        for number in range(30):
            with pytest.raises(FetchFailed, match="404"):
                fetcher.fetch(server.url(f"/gone{number}.png", "up.example"))
        assert fetcher.fetch(server.url("/1.png", "up.example")).read_bytes() == PNG


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for pictures.example and its key, made for this run."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    made = (folder / "cert.pem", folder / "key.pem")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example", "-days", "2"]
    subprocess.run([*command, "-out", made[0], "-keyout", made[1]], check=True, capture_output=True)
    return made


@pytest.mark.promise("S10")
def test_https_goes_to_the_checked_address_and_verifies_the_name(server, certificate, tmp_path, monkeypatch):
    named = []
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(*certificate)
    server.tls.sni_callback = lambda _connection, name, _context: named.append(name)
    server.answers["/1.png"] = reply(PNG)
    with (
        closing(open_fetcher(tmp_path / "strangers", server.port)) as fetcher,
        pytest.raises(FetchFailed, match="its certificate is not valid: self-signed"),
    ):
        fetcher.fetch(server.url("/1.png", scheme="https"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with closing(open_fetcher(tmp_path / "friends", server.port)) as fetcher:
        assert fetcher.fetch(server.url("/1.png", scheme="https")).read_bytes() == PNG
        with pytest.raises(FetchFailed, match="its certificate is not valid: Hostname mismatch"):
            fetcher.fetch(server.url("/1.png", "other.example", "https"))
        with pytest.raises(FetchFailed, match="its certificate is not valid: IP address mismatch"):
            fetcher.fetch(server.url("/1.png", "127.0.0.1", "https"))
    assert named == ["pictures.example", "pictures.example", "other.example", None]
    assert server.requests == [("/1.png", server.requests[0][1])]


def test_errors_name_the_address_and_what_to_do(fetcher):
    with pytest.raises(BadAddress) as caught:
        fetcher.fetch("http://user@pictures.example/" + "x" * 1_000)
    assert str(caught.value).startswith("The picture 'http://user@pictures.example/xxx")
    assert len(caught.value.message) < 250 and caught.value.hint
