"""No address in a feed makes this machine ask what lies behind its firewall, or wait, or fill its memory."""

import codecs
import gzip
import itertools
import resource
import socket
import threading
import time
from contextlib import closing

import pytest

from catalog.errors import BadAddress, BadInput, FetchFailed, NoAnswer
from catalog.fetching import http_download
from catalog.fetching.fetcher import PictureFetcher
from catalog.fetching.http_download import FetchRules
from tests.catalog.feed_writer import read, write
from tests.catalog.picture_server import open_fetcher, picture, reply, slowly
from tests.timing import Lateness

PNG = picture()
PUBLIC = "93.184.215.14"
NAMES = {
    "localhost": ["127.0.0.1"],
    "loop.example": ["127.0.0.1"],
    "loop6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "6to4.example": ["2002:7f00:1::1"],
    "inside.example": ["10.1.2.3"],
    "metadata.example": ["169.254.169.254"],
    "link.example": ["fe80::1%eth0"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "both6.example": ["2606:2800:21f::14", "::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "junk.example": ["not an address"],
    "xn--loclhost-5za.example": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
}
PORT = "PORT"
FORBIDDEN = [
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0x7f.1:PORT/",
    "http://127.0.0.0x1:PORT/",
    "http://00000127.0.0.1:PORT/",
    "http://4294967297:PORT/",
    "http://127.0.0.1.0:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0x0:PORT/",
    "http://127.127.127.127:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::1]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fd00:ec2::254]:PORT/",
    "http://[::1%25lo]:PORT/",
    "http://169.254.169.254:PORT/latest/meta-data/",
    "http://[::ffff:169.254.169.254]:PORT/",
    "http://2852039166:PORT/",
    "http://0xa9fea9fe:PORT/",
    "http://100.100.100.200:PORT/",
    "http://168.63.129.16:PORT/",
    "http://192.0.0.192:PORT/",
    "http://10.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    *(f"http://{name}:PORT/" for name in NAMES),
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://\uff11\uff12\uff17.0.0.1:PORT/",
    "http://127\u30020\u30020\u30021:PORT/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:PORT/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:PORT/",
    "http://loc\u00e1lhost.example:PORT/",
    "http://127.0.0.1%2f.example:PORT/",
    "http://127.0.0.1:PORT\\@shop.example/",
    "http://shop.example@127.0.0.1:PORT/",
    "http://shop.example:80@127.0.0.1:PORT/",
    "http://shop.example%40127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@shop.example/",
    "http://127.0.0.1:PORT?@shop.example/",
    "http://shop.example\\.127.0.0.1:PORT/",
    "http:\\\\127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://127.0.0.1:PORT:80/",
    "http://127.0.0.1 :PORT/",
    "http://127.0.0.1\t:PORT/",
    "http://127.0.0.1\r\n:PORT/",
    "http://[127.0.0.1]:PORT/",
    "http://1\u00ad27.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_GET",
    "dict://127.0.0.1:PORT/",
    "file://127.0.0.1:PORT/etc/hostname",
    "jar:http://127.0.0.1:PORT/!/x",
    "view-source:http://127.0.0.1:PORT/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:6379/",
]


def as_the_system_would(host, port):
    """Resolve the names above, and every odd way to write a number that the system's own resolver understands."""
    if host in NAMES:
        return NAMES[host]
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]


@pytest.fixture
def attempts(monkeypatch):
    """Every connection that is tried; none outside this machine is made."""
    tried = []
    connect = socket.create_connection

    def noted(address, timeout):
        tried.append(address)
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError(111, "Connection refused")
        return connect(address, timeout)

    monkeypatch.setattr(http_download.socket, "create_connection", noted)
    return tried


@pytest.mark.promise("S10")
@pytest.mark.parametrize("url", FORBIDDEN, ids=ascii)
def test_no_address_leads_inside(server, attempts, tmp_path, url):
    server.answers["/"] = reply(PNG)
    rules = FetchRules(ports=frozenset((80, 443, server.port)), resolve=as_the_system_would)
    with (
        Lateness() as wait,
        closing(PictureFetcher.open(tmp_path / "fetched", rules)) as fetcher,
        pytest.raises(BadInput) as caught,
    ):
        fetcher.fetch(url.replace(PORT, str(server.port)))
    assert isinstance(caught.value, BadAddress | NoAnswer) and caught.value.hint
    assert wait.within(6)
    assert (server.connections, attempts) == (0, [])


@pytest.mark.promise("S10")
def test_the_system_resolver_is_checked_too(server, attempts, tmp_path):
    rules = FetchRules(ports=frozenset((80, server.port)))
    with (
        closing(PictureFetcher.open(tmp_path / "fetched", rules)) as fetcher,
        pytest.raises(BadAddress, match="leads to"),
    ):
        fetcher.fetch(server.url("/", "localhost"))
    assert (server.connections, attempts) == (0, [])


@pytest.mark.promise("S10")
@pytest.mark.parametrize(
    "turns",
    [
        [[PUBLIC], ["127.0.0.1"]],
        [[PUBLIC, "8.8.8.8"], ["127.0.0.1"]],
        [["2606:2800:21f::14"], ["::1"]],
    ],
)
def test_a_name_that_changes_its_address_is_fetched_from_the_checked_one(server, attempts, tmp_path, turns):
    answers = itertools.cycle(turns)
    resolved = []

    def rebinding(host, _):
        resolved.append(host)
        return next(answers)

    rules = FetchRules(ports=frozenset((server.port,)), resolve=rebinding)
    with closing(PictureFetcher.open(tmp_path / "fetched", rules)) as fetcher:
        with pytest.raises(NoAnswer, match="refused"):
            fetcher.fetch(server.url("/"))
        assert (resolved, attempts) == (["pictures.example"], [(ip, server.port) for ip in turns[0]])
        with pytest.raises(BadAddress, match="not on the public internet"):
            fetcher.fetch(server.url("/"))
    assert len(resolved) == 2 and len(attempts) == len(turns[0]) and server.connections == 0


@pytest.mark.promise("S10")
def test_no_proxy_is_used(server, fetcher, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.port}")
    server.answers["/1.png"] = reply(PNG)
    assert fetcher.fetch(server.url("/1.png")).read_bytes() == PNG
    assert [path for path, _ in server.requests] == ["/1.png"]


def forever(piece):
    return lambda _: itertools.repeat(piece)


def after(start, pieces):
    return lambda _: itertools.chain([start], pieces)


ENDLESS = reply(Content_Length=None)
CHUNKED = reply(Content_Length=None, Transfer_Encoding="chunked")
BOMB = gzip.compress(PNG + bytes(50 * 2**20))
MUCH = b"x" * 2**16

# What a server answers, and the reason that follows. MOVED stands for the canary's address.
ANSWERS = {
    **{
        f"redirect {status}": (reply(status=f"{status} Moved", Location="MOVED"), f"redirects \\({status}\\) to 'http:")
        for status in (300, 301, 302, 303, 307, 308)
    },
    "redirect without an address": (reply(status="302 Found"), "redirects \\(302\\) to ''"),
    "redirect with terminal codes": (reply(status="302 Found", Location="\x1b[2J" + "x" * 5_000), "redirects"),
    "refresh": (reply(b"<meta http-equiv=refresh content='0;url=MOVED'>", Refresh="0; url=MOVED"), "not a picture"),
    "unchanged, though nothing was known": (reply(status="304 Not Modified"), "answered 304"),
    "not found": (reply(status="404 Not Found"), "answered 404"),
    "partial": (reply(PNG, status="206 Partial Content"), "answered 206"),
    "no content": (reply(status="204 No Content"), "answered 204"),
    "server error": (reply(PNG, status="500 Oops"), "answered 500"),
    "proxy login": (reply(status="407 Login"), "answered 407"),
    "login": (reply(status="401 Login", WWW_Authenticate="Basic"), "answered 401"),
    "a length that is too large": (reply(PNG, Content_Length=2**40), "larger than 0.5 MiB"),
    "a length that is a lie": (reply(PNG, Content_Length=len(PNG) + 5), "ended before the picture did"),
    "an endless body": (after(ENDLESS + PNG, itertools.repeat(MUCH)), "larger than 0.5 MiB"),
    "an endless body in chunks": (after(CHUNKED, itertools.repeat(b"10000\r\n" + MUCH + b"\r\n")), "larger than"),
    "chunks of one byte": (after(CHUNKED, itertools.repeat(b"1\r\nx\r\n" * 10_000)), "larger than|broke|in full"),
    "a chunk of no end": (after(CHUNKED + b"-1\r\n", itertools.repeat(MUCH)), "broke"),
    "a chunk that is huge": (after(CHUNKED + b"ffffffffffff\r\n", itertools.repeat(MUCH)), "larger than|broke"),
    "a chunk that is none": (CHUNKED + b"zz\r\nxx", "broke"),
    "chunks cut short": (CHUNKED + b"10\r\nxx", "broke"),
    "an endless line": (forever(MUCH), "broke"),
    "an endless header": (after(b"HTTP/1.1 200 OK\r\nA: ", itertools.repeat(MUCH)), "broke"),
    "endless headers": (after(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"A: b\r\n" * 1_000)), "broke"),
    "endless continues": (forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000), "broke"),
    "endless trailers": (after(CHUNKED + b"0\r\n", itertools.repeat(b"A: b\r\n" * 1_000)), "broke"),
    "gzip bomb": (reply(BOMB, Content_Encoding="gzip"), "its Content-Encoding is 'gzip'"),
    "gzip bomb without saying so": (reply(BOMB), "not a picture"),
    "deflate": (reply(PNG, Content_Encoding="deflate"), "its Content-Encoding is 'deflate'"),
    "brotli, twice": (reply(PNG, Content_Encoding="br, br"), "its Content-Encoding is 'br, br'"),
    "packed on the way": (reply(BOMB, Transfer_Encoding="gzip", Content_Length=None), "not a picture"),
    "slow drip of the body": (after(ENDLESS, slowly(PNG * 100)), "in full within 0.6 seconds"),
    "slow drip of the headers": (lambda _: slowly(reply(PNG)), "in full within 0.6 seconds"),
    "slow drip of chunks": (after(CHUNKED, slowly(b"1\r\nx\r\n" * 100)), "in full within 0.6 seconds"),
    "silence": (lambda _: (time.sleep(2) for _ in range(1)), "in full within 0.6 seconds"),
    "silence after the headers": (after(ENDLESS, (time.sleep(2) for _ in range(1))), "in full within 0.6 seconds"),
    "nothing": (b"", "broke"),
    "not HTTP": (PNG, "broke"),
    "HTTP of a later age": (b"HTTP/9.9 200 OK\r\n\r\n" + PNG, "broke"),
    "a page": (reply(b"<html></html>", Content_Type="image/png"), "a web page"),
    "a drawing": (reply(b"<svg onload='x'/>", Content_Type="image/png"), "an SVG drawing"),
    "a script": (reply(codecs.BOM_UTF8 + b"alert(1)", Content_Type="image/png"), "not a picture"),
    "PostScript": (reply(b"%!PS-Adobe-3.0 EPSF-3.0"), "PostScript"),
    "an empty body": (reply(), "is empty"),
}


@pytest.mark.promise("S10")
@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_an_error_in_time(server, tmp_path, name):
    answer, reason = ANSWERS[name]
    seconds = 0.6 if "in full" in reason else 5  # a slow machine takes its time over an answer that ends by itself
    canary = server.url("/canary", "127.0.0.1").encode()
    server.answers |= {
        "/1.png": answer.replace(b"MOVED", canary) if isinstance(answer, bytes) else answer,
        "/canary": reply(PNG),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        Lateness() as wait,
        closing(open_fetcher(tmp_path / "fetched", server.port, seconds=seconds, max_bytes=2**19)) as fetcher,
        pytest.raises(FetchFailed, match=reason) as caught,
    ):
        fetcher.fetch(server.url("/1.png"))
    assert wait.within(6)
    assert [path for path, _ in server.requests] == ["/1.png"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert len(str(caught.value)) < 700 and str(caught.value).isprintable()
    assert not [path for path in (tmp_path / "fetched").rglob("*") if path.is_file() and len(path.name) == 64]


@pytest.mark.promise("S10")
def test_a_resolver_that_hangs_is_left_behind(server, tmp_path):
    end = threading.Event()

    def hanging(*_):
        end.wait(300)
        return [PUBLIC]

    with (
        Lateness() as wait,
        closing(open_fetcher(tmp_path / "fetched", server.port, seconds=0.3, resolve=hanging)) as fetcher,
        pytest.raises(NoAnswer, match=r"within 0\.3 seconds"),
    ):
        fetcher.fetch(server.url("/1.png"))
    assert wait.within(3)
    end.set()


@pytest.mark.promise("S10")
def test_a_server_that_never_shakes_hands_is_left(server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with Lateness() as wait, closing(open_fetcher(tmp_path / "fetched", port, server.port, seconds=0.3)) as fetcher:
            with pytest.raises(NoAnswer, match=r"within 0\.3 seconds"):
                fetcher.fetch(f"https://pictures.example:{port}/1.png")
            with pytest.raises(NoAnswer, match="broke"):
                fetcher.fetch(server.url("/1.png", scheme="https"))  # where plain HTTP is spoken
    assert wait.within(3)


@pytest.mark.promise("S10")
@pytest.mark.parametrize("answer", [[], OSError("no such host"), ValueError("junk"), UnicodeError("label too long")])
def test_a_name_that_leads_nowhere(server, tmp_path, answer):
    def failing(*_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with (
        closing(open_fetcher(tmp_path / "fetched", server.port, resolve=failing)) as fetcher,
        pytest.raises(NoAnswer, match=r"is not known|no IP address"),
    ):
        fetcher.fetch(server.url("/1.png"))


@pytest.mark.promise("S10")
def test_fetching_is_off_by_default(server, shop, attempts):
    feed = write(shop, f"id,title,image\n7,Hat,{server.url('/1.png', '127.0.0.1')}\n")
    products, (rejected,) = read(feed)
    assert (products, server.connections, attempts) == ([], 0, [])
    assert "--fetch-pictures" in rejected.reason


@pytest.mark.promise("S10")
def test_the_default_limits():
    rules = FetchRules()
    assert (rules.ports, rules.max_bytes, rules.seconds, rules.also_allowed) == (
        {80, 443},
        10 * 2**20,
        5.0,
        frozenset(),
    )
