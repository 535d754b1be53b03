"""S1: uploads are limited in size and number, by a server of its own: what it costs is measured from outside."""

import http.client
import socket
from pathlib import Path

import pytest

from indexer.encoders.registry import open_encoder
from tests.timing import Lateness
from tests.web.shop_fixtures import make_shop
from tests.web.test_main import LIMIT, ask, chunked, form, serving, wait_until_ready

SEARCH = "/api/v1/search"
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
DECIDED = 0.1  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("colours")
    make_shop(home, open_encoder("colour"))
    with serving(home, "--threads", "4") as (process, port):
        wait_until_ready(port)
        yield process, port


def resident_kib(process):
    """Memory of the server and its worker."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in (process.pid, *children)]
    return sum(map(int, pages)) * 4


def part(name, content=b"x", more=b""):
    return b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n' + more + b"\r\n" + content + b"\r\n"


BODIES = {
    "17 parts": (b"".join(part(b"a%d" % n) for n in range(17)) + b"--x--\r\n", 413),
    "1,000 parts": (b"".join(part(b"a%d" % n) for n in range(1_000)) + b"--x--\r\n", 413),
    "16 parts": (b"".join(part(b"a%d" % n) for n in range(16)) + b"--x--\r\n", 422),
    "nested": (
        part(b"image", part(b"y") + b"--y--", b"Content-Type: multipart/mixed; boundary=y\r\n") + b"--x--\r\n",
        422,
    ),
    "no end": (part(b"text"), 422),
    "no boundary": (b"hello", 422),
    "a part of 10,000 headers": (part(b"a", b"x", b"X-A: b\r\n" * 10_000) + b"--x--\r\n", 413),
}


@pytest.mark.promise("S1", "parts, nesting, headers of parts")
@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_forms_are_limited(server, body, status):
    _, port = server
    with Lateness() as wait:
        answer = ask(port, "POST", SEARCH, body, FORM)
    assert answer[0] in (400, status), answer
    assert wait.within(DECIDED + 0.4), wait.seconds  # the decision itself is timed below


def raw(port, head, body=b"", limit=300):
    with socket.create_connection(("127.0.0.1", port), timeout=limit) as connection:
        connection.sendall(head + body)
        with Lateness() as wait:
            received = connection.recv(4_096)
        return received.split(b"\r\n", 1)[0], wait


@pytest.mark.promise("S1", "10,000 headers, long lines, lying lengths")
@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (b"X-A: b\r\n" * 10_000, (b"400", b"431")),
        (b"X-A: " + b"b" * 9_000 + b"\r\n", (b"400", b"431")),
        (b"Content-Length: -1\r\n", (b"400",)),
        (b"Content-Length: 1, 2\r\n", (b"400",)),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", (b"400",)),
        (b"Content-Length: 99999999999\r\n", (b"413",)),
    ],
    ids=["headers", "line", "negative", "two", "both", "lie"],
)
def test_requests_are_limited(server, head, statuses):
    _, port = server
    start = b"POST /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    status_line, wait = raw(port, start + head + b"\r\n")
    assert status_line.split()[1] in statuses, status_line
    assert wait.within(DECIDED + 0.4)


@pytest.mark.promise("S1", "8 uploads over the limit")
def test_what_is_too_large_takes_no_memory(server):
    process, port = server
    ask(port, "POST", SEARCH, form(LIMIT), FORM)
    before = resident_kib(process)
    for number in range(8):
        body = form(LIMIT + 1)
        answer = ask(port, "POST", SEARCH, body if number % 2 else chunked(body), FORM)
        assert answer[0] == 413
        assert resident_kib(process) - before <= 2 * LIMIT / 1024, f"upload {number}"


@pytest.mark.promise("S1")
def test_a_refusal_is_quick_once_it_is_decided(server):
    _, port = server
    took = []
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        connection.putrequest("POST", SEARCH)
        for name, value in (FORM | {"Content-Length": str(5 * LIMIT), "Expect": "100-continue"}).items():
            connection.putheader(name, value)
        with Lateness() as wait:
            connection.endheaders()
            assert connection.getresponse().status in (413, 417)
        took.append(wait)
        connection.close()
    assert any(wait.within(DECIDED) for wait in took), [wait.seconds for wait in took]
