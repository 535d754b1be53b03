"""A server that has too much to do: refusals keep their connection, and what never waits is always answered."""

import http.client
import json
import threading
from collections import Counter

import pytest

from indexer.encoders.registry import open_encoder
from tests.promises.reliability.test_server import FREE
from tests.web.shop_fixtures import BLUE, make_shop, picture_bytes
from tests.web.test_main import ask, output_of, serving, wait_until_ready

SEARCH = "/api/v1/search"
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
ROUNDS = 20_000  # of requests that never wait, within which all kinds of answers have come
NEVER_WAITS = ("/healthz", "/readyz", "/metrics", "/static/shop.css")


def form():
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return head + picture_bytes(BLUE) + b"\r\n--x--\r\n"


class Shoppers:
    """Clients that ask on connections which stay open, until `enough` refusals that took no time have come."""

    def __init__(self, port, count):
        self.port, self.statuses, self.wrong = port, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.connect()
        opened, body = connection.sock, form()
        while not self.over.is_set():
            connection.request("POST", SEARCH, body, FORM)
            answer = connection.getresponse()
            values = json.loads(answer.read())
            self.statuses.append(answer.status)
            self.over.wait(0.02 if answer.status == 503 else 0.0)
            retry_after = answer.getheader("Retry-After")
            refused = answer.status == 503 and values["error"]["code"] == "overloaded" and retry_after
            found = answer.status == 200 and values["hits"][0]["id"] == "blue"
            if not (refused or found) or connection.sock is not opened:
                self.wrong.append((answer.status, values, connection.sock is opened))
        connection.close()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(300)


@pytest.mark.promise("R12", "refused before Flask, connections kept")
def test_a_flood_is_refused_on_its_connections_and_what_never_waits_is_answered(tmp_path, monkeypatch):
    make_shop(tmp_path, open_encoder("colour"))
    for name, value in (FREE | {"WINDOWSHOP_QUEUE": "1", "WINDOWSHOP_LOG_FORMAT": "json"}).items():
        monkeypatch.setenv(name, value)
    with serving(tmp_path, "--threads", "1") as (process, port):
        wait_until_ready(port)
        shoppers = Shoppers(port, 6)
        try:
            for rounds in range(ROUNDS):
                if {200, 503} <= set(shoppers.statuses) and len(shoppers.statuses) >= 60 and rounds >= 5:
                    break
                assert [ask(port, "GET", path)[0] for path in NEVER_WAITS] == [200] * len(NEVER_WAITS)
                assert not shoppers.wrong
            else:
                pytest.fail(f"{ROUNDS} rounds, and the answers are only {Counter(shoppers.statuses)}")
        finally:
            shoppers.end()
        metrics = ask(port, "GET", "/metrics")[1].decode()
        process.terminate()
        process.wait(300)
        lines = [json.loads(line) for line in output_of(process).splitlines() if '"request"' in line]
    assert not shoppers.wrong
    searches = [line for line in lines if line["route"] == SEARCH]
    early = [line for line in searches if line["status"] == 503 and line["ms"] == 0.0]
    assert early and {line["method"] for line in early} == {"POST"}
    assert all(line["bytes_in"] == len(form()) and line["overloaded"] for line in early)
    statuses = [line["status"] for line in searches]
    assert {status: statuses.count(status) for status in (200, 503)} == {
        status: shoppers.statuses.count(status) for status in (200, 503)
    }
    refused = statuses.count(503)
    assert f'windowshop_requests_total{{method="POST",route="{SEARCH}",status="503"}} {refused}.0' in metrics
