"""A head is read where it is plain; anything on which another parser might not agree is left to the server's."""

import pytest

from web.shedding.request_head import parse_head

PLAIN = b"POST /api/v1/search?a=%20b HTTP/1.1\r\nHost: shop\r\nContent-Length:  4 \r\nX-Request-ID: a-1\r\n\r\nbody"


def test_a_plain_request_is_read_to_its_end():
    head = parse_head(PLAIN + b"GET / HTTP/1.1\r\n")
    assert (head.method, head.target) == ("POST", "/api/v1/search?a=%20b")
    assert head.fields == {"host": "shop", "content-length": "4", "x-request-id": "a-1"}
    assert (head.body_bytes, head.size, head.closes) == (4, len(PLAIN), False)


def test_a_request_without_a_body_ends_with_its_head():
    data = b"GET /api/v1/products/a/similar HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
    head = parse_head(data)
    assert (head.body_bytes, head.size, head.closes) == (0, len(data), True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\n\r\nbody", b"\r\n"),  # not whole
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"POST /", b"POST http://shop/"),
        (b"POST", b"PR\x00I"),
        (b"Content-Length:", b"Content-Length :"),
        (b"Content-Length:  4", b"Content-Length: +4"),
        (b"Content-Length:  4", b"Content-Length: 4, 4"),
        (b"Content-Length:  4", b"Content-Length: 4\r\nContent-Length: 5"),
        (b"Content-Length:  4", b"Content-Length: 4\nX: y"),
        (b"Content-Length:  4", b"Transfer-Encoding: chunked"),
        (b"Content-Length:  4", b"Content-Length: 4\r\n folded"),
        (b"X-Request-ID: a-1", b"Expect: 100-continue"),
        (b"X-Request-ID: a-1", b"Upgrade: h2c"),
        (b"X-Request-ID: a-1", b"no field"),
        (b"a-1", b"a\x00"),
    ],
)
def test_what_is_unusual_is_left_to_the_server(old, new):
    assert old in PLAIN
    assert parse_head(PLAIN.replace(old, new)) is None
