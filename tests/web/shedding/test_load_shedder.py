"""What is refused before Flask gets the answer, the line in the log and the counts that Flask would give it."""

import io
import json
import logging

import pytest

from catalog.logs import JsonLines, TextLines
from tests.web.middleware.test_auth import CALLS
from tests.web.middleware.test_metrics import read
from web.admission import EXTENSION as QUEUE
from web.engine import holder_of
from web.errors import JSON_PATHS
from web.middleware import access_log
from web.middleware.access_log import RefusalLog
from web.middleware.policies import ALWAYS, POLICIES, PUBLIC, UNLIMITED_ENDPOINTS
from web.settings import Settings
from web.shedding.load_shedder import EXTENSION
from web.shedding.request_head import parse_head

FRIEND = "https://www.shop.example"
SEARCH = "/api/v1/search"
VISITOR = "/api/v1/visitors/v-5f0c9a7be2d14c83"


@pytest.fixture(scope="module")
def app(home, make_app):
    app = make_app(Settings(home=home, threads=1, queue=0, timeout_ms=20_000, cors_origins=FRIEND))
    holder_of(app).wait(300)
    return app


@pytest.fixture
def shedder(app):
    return app.extensions[EXTENSION]


@pytest.fixture
def full(app):
    """A server whose only slot is taken."""
    queue = app.extensions[QUEUE]
    queue.enter(0.0)
    yield queue
    queue.leave(None)


@pytest.fixture
def log():
    out, logger = io.StringIO(), logging.getLogger("web.requests")
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(before)


def head_of(method, path, body=b"", **fields):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return parse_head("\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode() + body)


def refused(shedder, head):
    """Status line, header fields and body with which a request is refused."""
    answer = shedder.refusal(head, shedder.route_of(head))
    first, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = first.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("origin", [{}, {"Origin": FRIEND}])
def test_the_answer_is_the_one_of_flask(app, shedder, full, origin):
    by_flask = app.test_client().post(SEARCH, json={"text": "red"}, headers={"X-Request-ID": "r-1"} | origin)
    status, fields, body = refused(shedder, head_of("POST", SEARCH, X_Request_ID="r-1", **origin))
    assert by_flask.status == status.removeprefix("HTTP/1.1 ")
    assert body == by_flask.data
    own = {"Server", "Date", "Connection"}  # of the server, which a test client has not
    assert {name: value for name, value in fields.items() if name not in own} == dict(by_flask.headers)
    assert dict(full.counts().dropped)["full"] == 2 * (1 + bool(origin))


def test_each_has_a_line_in_the_log_and_is_counted(app, shedder, full, log):
    before = read(app.test_client()).get(("windowshop_requests_total", SEARCH, "503", "POST"), 0)
    app.test_client().post(SEARCH, data=b"1234", content_type="application/json", headers={"X-Request-ID": "r-1"})
    (expected,) = [line for line in log() if line["path"] == SEARCH]
    refused(shedder, head_of("POST", SEARCH, b"1234", Content_Length="4", X_Request_ID="r-1"))
    shedder.close()
    line = log()[-1]
    assert set(line) == set(expected) - {"steps"}
    own = ("time", "ms", "steps")
    assert {name: value for name, value in line.items() if name not in own} == {
        name: value for name, value in expected.items() if name not in own
    }
    assert read(app.test_client())["windowshop_requests_total", SEARCH, "503", "POST"] == before + 2


def test_the_log_has_no_id_of_a_visitor(shedder, full, log):
    refused(shedder, head_of("DELETE", VISITOR))
    shedder.close()
    assert "v-5f0c" not in json.dumps(log()) and log()[-1]["status"] == 503


def test_the_readable_line_says_what_was_refused(shedder, full, caplog):
    with caplog.at_level(logging.INFO, "web.requests"):
        refused(shedder, head_of("POST", SEARCH))
        shedder.close()
    assert TextLines().format(caplog.records[-1]).endswith(f"POST {SEARCH} 503 in 0 ms")


def test_what_has_no_line_is_counted_in_the_next_one(log, monkeypatch):
    monkeypatch.setattr(access_log, "MAX_REFUSALS", 3)
    lines = RefusalLog()
    monkeypatch.setattr(lines, "start", lambda: None)  # as if it wrote too slowly
    facts = {"request_id": "r", "method": "POST", "route": SEARCH, "path": SEARCH, "bytes_in": 0, "bytes_out": 0}
    for _ in range(3 + 7):
        lines.add(**facts)
    lines.flush()
    lines.add(**facts)
    lines.flush()
    written = log()
    assert len(written) == 3 + 1
    assert [line["dropped"] for line in written if "dropped" in line] == [7] and written[0]["dropped"] == 7


def test_only_shoppers_requests_that_would_wait_may_be_refused(shedder):
    for endpoint, (method, path, *_) in CALLS.items():
        route = shedder.route_of(head_of(method.upper(), path))
        waits = endpoint not in UNLIMITED_ENDPOINTS and POLICIES[endpoint] in (PUBLIC, ALWAYS)
        assert (route is not None) == (waits and path.startswith(JSON_PATHS)), endpoint


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", SEARCH),
        ("HEAD", "/api/v1/products/a/similar"),
        ("GET", SEARCH),
        ("GET", "/api/v1/no"),
        ("GET", "/"),
    ],
)
def test_others_are_for_flask(shedder, full, method, path):
    assert shedder.route_of(head_of(method, path)) is None


def test_what_is_admitted_counts_as_waiting_until_it_is_there(app, shedder):
    queue, head = app.extensions[QUEUE], head_of("POST", SEARCH)
    assert shedder.refusal(head, SEARCH) is None
    assert shedder.refusal(head, SEARCH) is not None
    with shedder.in_transit():
        assert queue.enter(0.0) == 0.0
        assert shedder.refusal(head, SEARCH) is not None  # inside now
        queue.leave(None)
    assert shedder.refusal(head, SEARCH) is None
    with shedder.in_transit():
        pass  # answered without a slot
    assert shedder.refusal(head, SEARCH) is None
    with shedder.in_transit():
        pass
