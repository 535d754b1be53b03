"""S19: the log tells the story: one JSON line a request, whatever was sent, and neither words nor keys."""

import base64
import io
import json
import logging

import pytest

from catalog.logs import JsonLines
from tests.web.middleware.test_auth import CALLS
from tests.web.shop_fixtures import READ_KEY, WRITE_KEY, WRITER, picture_bytes
from web.engine import holder_of
from web.middleware.request_context import TIMED_STEPS
from web.settings import Settings

SEARCH = "/api/v1/search"
ALWAYS = {
    "time": str,
    "level": str,
    "logger": str,
    "message": str,
    "request_id": str,
    "method": str,
    "route": str | None,
    "path": str,
    "status": int,
    "ms": float,
    "bytes_in": int,
    "bytes_out": int | None,
    "key": str | None,
}
SOMETIMES = {
    "steps": dict,
    "generation": int,
    "hits": int,
    "degraded": list,
    "query": dict,
    "bad_picture": dict,
    "limited": str,
}


@pytest.fixture
def log():
    """The lines that the web room logs, as they would be written."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("web")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield out
    logger.removeHandler(handler)
    logger.setLevel(before)


def lines(log):
    text = log.getvalue()
    assert text.isascii() and (text == "" or text.endswith("\n"))
    return [json.loads(line) for line in text.splitlines()]


def the_line(log):
    (line,) = [line for line in lines(log) if line["message"] == "request"]
    check(line)
    return line


def check(line):
    assert set(ALWAYS) <= set(line) <= set(ALWAYS) | set(SOMETIMES), set(line)
    for name, value in line.items():
        assert isinstance(value, (ALWAYS | SOMETIMES)[name]), name
    assert set(line.get("steps", {})) <= set(TIMED_STEPS)


@pytest.mark.promise("S19", "every route")
@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("key", ["", WRITE_KEY, "wsk_wrong"])
def test_every_request_is_one_line(client, log, endpoint, key):
    method, address = CALLS[endpoint]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with getattr(client, method)(address, headers=headers) as answer:
        line = the_line(log)
    assert (line["status"], line["request_id"]) == (answer.status_code, answer.headers["X-Request-ID"])
    assert line["method"] == method.upper() and line["route"]
    assert line["key"] in (None, "write")
    assert not key or key not in log.getvalue()


@pytest.mark.promise("S19")
def test_a_search_tells_of_its_steps_and_not_its_words(client, log):
    photo = base64.b64encode(picture_bytes()).decode()
    answer = client.post(SEARCH, json={"text": "red secret", "image": photo}, headers=WRITER)
    line = the_line(log)
    assert (line["status"], line["hits"], line["generation"]) == (200, len(answer.json["hits"]), 1)
    assert {"decode", "search", "render"} <= set(line["steps"]) and sum(line["steps"].values()) <= line["ms"] + 1
    assert line["query"]["length"] == len("red secret") and set(line["query"]) == {"length", "sha256"}
    assert "secret" not in log.getvalue() and photo[:40] not in log.getvalue()
    assert line["bytes_in"] > 100 and line["bytes_out"] == len(answer.data)


@pytest.mark.promise("S19")
def test_words_are_logged_for_an_operator_who_asks_for_them(make_app, home, log):
    for keep in (False, True):
        app = make_app(Settings(home=home, log_queries=keep, timeout_ms=20_000))
        holder_of(app).wait(300)
        client = app.test_client()
        client.post(SEARCH, json={"text": "zeppelin", "filter": {"brand": "nobody"}})
        assert ("zeppelin" in log.getvalue()) == keep


BAD = {
    "cut": (picture_bytes(size=(400, 400))[:600], "JPEG"),
    "text": (b"shopping list\n\x1b[31m", "unknown"),
    "location": (picture_bytes(size=(300, 300))[:400] + b"GPS 52.1 13.4", "JPEG"),
}


@pytest.mark.promise("S19")
@pytest.mark.parametrize(("data", "kind"), BAD.values(), ids=BAD)
def test_a_picture_that_cannot_be_read_is_told_by_hash_format_size_and_reason(client, log, data, kind):
    client.post(SEARCH, data={"image": (io.BytesIO(data), "holiday.jpg")})
    logged = the_line(log)["bad_picture"]
    assert set(logged) == {"sha256", "format", "bytes", "reason"}
    assert (logged["format"], logged["bytes"], len(logged["sha256"])) == (kind, len(data), 64)
    assert logged["reason"] and "holiday" not in log.getvalue() and "GPS" not in log.getvalue()


HOSTILE = [
    "a\nb",
    "a\r\nb",
    '{"status": 200}\n',
    "\x1b[2J\x1b[31mred",
    "\u2028x\u2029",
    "\x85next",
    "\x00nul",
    "\u202eright to left",
    "'; DROP TABLE products; --",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.promise("S19", "10 injections")
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_whatever_is_sent_one_line_it_stays(client, log, text):
    from urllib.parse import quote

    client.get("/products/" + quote(text, safe=""), headers={"User-Agent": quote(text)})
    client.post(SEARCH, json={"text": text, text: 1})
    client.get("/nowhere/" + quote(text, safe=""))
    assert [line["message"] for line in lines(log)] == ["request"] * 3
    for line in lines(log):
        check(line)
    assert not {"\x1b", "\x00", "\r"} & set(log.getvalue())


@pytest.mark.promise("S19")
def test_an_exception_is_one_line_too(app, log):
    log_line = logging.getLogger("web.tests")
    try:
        raise ValueError("two\nlines \x1b[31m")
    except ValueError:
        log_line.exception("It %s", "broke\nhere")
    (line,) = lines(log)
    assert line["message"] == "It broke\nhere" and "ValueError: two\nlines" in line["exception"]


def test_a_request_that_is_refused_for_its_number_says_so(make_app, home, log):
    app = make_app(Settings(home=home, reads_per_minute=4))
    holder_of(app).wait(300)
    client = app.test_client()
    for _ in range(2):
        client.get("/api/v1/products/red", headers={"Authorization": f"Bearer {READ_KEY}"})
    first, second = [line for line in lines(log) if line["message"] == "request"]
    assert "limited" not in first
    assert (second["status"], second["limited"], second["key"]) == (429, "reads", "read")
