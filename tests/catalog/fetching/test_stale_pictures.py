"""A picture of an earlier import that cannot be fetched today stays, is reported, and is fetched again tomorrow."""

from contextlib import closing

import pytest

from catalog.errors import BadAddress, FetchFailed, PictureGone
from catalog.fetching.fetched_store import FetchedPictures
from catalog.files.locks import exclusive_lock
from tests.catalog.feed_writer import read, write
from tests.catalog.picture_server import open_fetcher, picture, reply

PNG = picture()
BAD_NIGHT = {
    "refused": reply(status="403 Forbidden"),
    "too many": reply(status="429 Too Many Requests"),
    "broken": reply(status="500 Internal Server Error"),
    "away": reply(status="503 Service Unavailable"),
    "elsewhere": reply(status="302 Found", Location="/maintenance"),
    "a page": reply(b"<html>Back soon</html>"),
    "cut short": reply(PNG)[:-1],
    "nothing": b"",
}


@pytest.fixture
def fetched(server, tmp_path):
    """The file of a picture that an earlier import has fetched, and a fetcher of the next import."""
    server.answers["/1.png"] = reply(PNG, ETag='"1"')
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as earlier:
        path = earlier.fetch(server.url("/1.png"))
        assert earlier.why_stale(server.url("/1.png")) == ""
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
        yield path, fetcher


@pytest.mark.parametrize("night", BAD_NIGHT)
def test_a_bad_night_leaves_the_picture(server, fetched, tmp_path, night):
    path, fetcher = fetched
    server.answers["/1.png"] = BAD_NIGHT[night]
    url = server.url("/1.png")
    assert [fetcher.fetch(url) for _ in range(3)] == [path] * 3
    assert fetcher.why_stale(url).endswith("; the one fetched before stays")
    assert len(server.requests) == 2, "once an import, though three products show it"
    assert "0 fetched, 0 unchanged, 1 failed and left as they were, 0 failed" in fetcher.summary()
    server.answers["/1.png"] = lambda headers: reply(
        status="304 Not Modified" if headers.get("if-none-match") == '"1"' else "500 Oh"
    )
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as tomorrow:
        assert tomorrow.fetch(url) == path and tomorrow.why_stale(url) == ""
        assert "0 fetched, 1 unchanged" in tomorrow.summary()


def test_a_server_that_is_down_leaves_the_picture(server, fetched):
    path, fetcher = fetched
    server.shutdown()
    server.server_close()
    assert fetcher.fetch(server.url("/1.png")) == path
    assert "refused" in fetcher.why_stale(server.url("/1.png"))


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_what_its_server_calls_gone_is_gone(server, fetched, status):
    _, fetcher = fetched
    server.answers["/1.png"] = reply(status=status)
    with pytest.raises(PictureGone, match=status[:3]):
        fetcher.fetch(server.url("/1.png"))
    assert fetcher.why_stale(server.url("/1.png")) == ""
    assert "as they were, 1 failed" in fetcher.summary()


def test_an_address_that_is_no_longer_allowed_is_an_error(server, fetched, tmp_path):
    _, fetcher = fetched
    fetcher.close()
    with (
        closing(open_fetcher(tmp_path / "fetched", server.port, resolve=lambda *_: ["10.0.0.1"])) as inside,
        pytest.raises(BadAddress),
    ):
        inside.fetch(server.url("/1.png"))


def test_a_damaged_file_does_not_stay(server, fetched):
    path, fetcher = fetched
    path.write_bytes(PNG[:-1])
    server.answers["/1.png"] = reply(status="503 Service Unavailable")
    with pytest.raises(FetchFailed):
        fetcher.fetch(server.url("/1.png"))


def test_a_products_row_tells_it_and_the_product_stays(server, fetched, shop):
    path, fetcher = fetched
    server.answers["/1.png"] = reply(status="503 Service Unavailable")
    rows = f"a,Hat,{server.url('/1.png')}\nb,Hat,images/1.png\nc,Hat,{server.url('/1.png')}|{server.url('/2.png')}\n"
    products, rejected = read(write(shop, f"id,title,image\n{rows}"), fetcher)
    assert [product.id for product in products] == ["a", "b", "c"]
    assert products[0].pictures[0].path == products[2].pictures[0].path == str(path)
    assert [row.line for row in rejected] == [2, 4, 4]
    assert all("answered 503; the one fetched before stays" in row.reason for row in rejected[:2])
    assert "answered 404" in rejected[2].reason


def test_the_same_bytes_again_leave_the_file_untouched(server, tmp_path):
    server.answers["/1.png"] = server.answers["/2.png"] = reply(PNG)
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as fetcher:
        before = fetcher.fetch(server.url("/1.png")).stat()
        after = fetcher.fetch(server.url("/2.png")).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_nobody_removes_files_while_a_fetcher_is_open(server, fetcher, tmp_path):
    with closing(FetchedPictures(tmp_path / "fetched")), exclusive_lock(tmp_path / "fetched", 0.05) as free:
        assert not free
    fetcher.close()
    with exclusive_lock(tmp_path / "fetched", 0.0) as free:
        assert free


def test_what_is_forgotten_is_fetched_again(server, fetcher, tmp_path):
    server.answers |= {"/1.png": reply(PNG, ETag='"1"'), "/2.png": reply(picture((1, 2, 3)), ETag='"2"')}
    paths = [fetcher.fetch(server.url(f"/{n}.png")) for n in (1, 2)]
    with closing(FetchedPictures(tmp_path / "fetched")) as store:
        store.forget([paths[0].name])
        assert store.find(server.url("/1.png")) is None
        assert store.find(server.url("/2.png")).version.etag == '"2"'


def test_a_host_that_is_given_up_takes_no_picture_with_it(server, tmp_path):
    urls = [server.url(f"/{n}.png") for n in range(30)]
    server.answers |= {f"/{n}.png": reply(picture((n, 0, 0))) for n in range(30)}
    with closing(open_fetcher(tmp_path / "fetched", server.port)) as earlier:
        before = [earlier.fetch(url) for url in urls]
    resolved = []

    def unknown(host, _):
        resolved.append(host)
        raise OSError

    with closing(open_fetcher(tmp_path / "fetched", server.port, resolve=unknown)) as fetcher:
        assert [fetcher.fetch(url) for url in urls] == before
        assert len(resolved) == 10
        assert "is not known" in fetcher.why_stale(urls[0]) and "no more requests" in fetcher.why_stale(urls[-1])
        assert "30 failed and left as they were" in fetcher.summary()
