"""R14, R15, R17: a server of its own, with a worker that is killed, told to stop under load, and asked for long."""

import base64
import http.client
import json
import os
import secrets
import signal
import threading
import time
from pathlib import Path

import pytest

from indexer.encoders.registry import open_encoder
from tests.timing import Lateness
from tests.web.shop_fixtures import GREEN, make_shop, picture_bytes
from tests.web.test_main import ask, output_of, serving, wait_until_ready

SEARCH = "/api/v1/search"
JSON = {"Content-Type": "application/json"}
PHOTO = json.dumps({"image": base64.b64encode(picture_bytes(GREEN)).decode(), "k": 3, "timeout_ms": 10_000}).encode()
FREE = {"WINDOWSHOP_READS_PER_MINUTE": "0", "WINDOWSHOP_UPLOADS_PER_MINUTE": "0"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("colours")
    make_shop(home, open_encoder("colour"))
    return home


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    for name, value in FREE.items():
        monkeypatch.setenv(name, value)


def workers(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


class Askers:
    """Threads that ask on and on; `answers` counts statuses, `lost` has the ids of requests that got no answer."""

    def __init__(self, port, count):
        self.port, self.answers, self.lost = port, {}, []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self):
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            try:
                connection.connect()
            except OSError:  # not accepted: nobody listens any more
                return
            try:
                name = secrets.token_hex(8)
                connection.request("POST", SEARCH, PHOTO, JSON | {"X-Request-ID": name})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status == 200:
                    assert body["hits"][0]["id"] == "green"
                self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            except (OSError, http.client.HTTPException):
                self.lost.append(name)
            finally:
                connection.close()

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(300)


def stopped_under_load(home, turn):
    with serving(home, "--threads", "4") as (process, port):
        wait_until_ready(port)
        askers = Askers(port, 3)
        time.sleep(0.3 + 0.05 * (turn % 5))
        with Lateness() as wait:
            process.send_signal(signal.SIGTERM)
            assert process.wait(300) == 0
        askers.finish()
        log = output_of(process)
    # The system takes connections for the server; one that waits there when it stops was never accepted by it.
    dropped = [name for name in askers.lost if name in log]
    assert set(askers.answers) == {200} and askers.answers[200] >= 1
    return dropped, wait


@pytest.mark.promise("R15", "3 stops")
def test_a_stop_under_load_drops_nothing(home):
    for turn in range(3):
        dropped, wait = stopped_under_load(home, turn)
        assert dropped == []
        assert wait.within(10)


@pytest.mark.promise("R15", "20 stops")
@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_twenty_stops_under_load_drop_nothing(home):
    for turn in range(20):
        dropped, wait = stopped_under_load(home, turn)
        assert dropped == []
        assert wait.within(10)


def kill_and_wait(process, port):
    """Kill the worker and return how long it took until the shop was ready. Every answer meanwhile is honest."""
    (worker,) = workers(process)
    os.kill(worker, signal.SIGKILL)
    with Lateness() as wait:
        while True:
            try:
                status, body = ask(port, "GET", "/readyz")
                if status == 200 and workers(process) != [worker]:
                    break
                assert status == 200 or json.loads(body)["ready"] is False
            except OSError:
                pass
            assert wait.seconds < 300
            time.sleep(0.05)
    return wait


@pytest.mark.promise("R14", "a worker killed twice")
def test_a_killed_worker_comes_back(home):
    began = time.monotonic()
    with serving(home, "--threads", "4") as (process, port):
        wait_until_ready(port)
        load = time.monotonic() - began
        for _ in range(2):
            assert kill_and_wait(process, port).within(load + 2)
            assert json.loads(ask(port, "POST", SEARCH, PHOTO, JSON)[1])["hits"][0]["id"] == "green"


@pytest.mark.promise("R14", "every 5 s for 60 s at 5 requests a second")
@pytest.mark.torture
@pytest.mark.timeout(1500)
def test_a_worker_killed_every_five_seconds_for_a_minute(home):
    began = time.monotonic()
    with serving(home, "--threads", "4") as (process, port):
        wait_until_ready(port)
        load = time.monotonic() - began
        wrong, stop = [], threading.Event()

        def asking():
            while not stop.wait(0.2):
                try:
                    status, body = ask(port, "POST", SEARCH, PHOTO, JSON)
                except (OSError, http.client.HTTPException):
                    continue
                if status not in (200, 503) or (status == 200 and json.loads(body)["hits"][0]["id"] != "green"):
                    wrong.append((status, body[:200]))

        thread = threading.Thread(target=asking)
        thread.start()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            turn = time.monotonic()
            assert kill_and_wait(process, port).within(load + 2)
            time.sleep(max(0.0, 5 - (time.monotonic() - turn)))
        stop.set()
        thread.join()
        assert wrong == []
        assert all(ask(port, "POST", SEARCH, PHOTO, JSON)[0] == 200 for _ in range(20))


def usage(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    rss = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    threads = int(next(line for line in status.splitlines() if line.startswith("Threads")).split()[1])
    return rss, threads, len(list(Path(f"/proc/{pid}/fd").iterdir()))


MIXED = [
    ("POST", SEARCH, PHOTO, JSON, 200),
    ("GET", "/api/v1/products/red", None, {}, 200),
    ("GET", "/api/v1/products/red/similar?k=5", None, {}, 200),
    ("GET", "/", None, {}, 200),
    ("GET", "/products/blue", None, {}, 200),
    ("GET", "/healthz", None, {}, 200),
    ("POST", SEARCH, PHOTO.replace(b"green", b"red"), JSON, 200),
    ("GET", "/docs", None, {}, 200),
    ("GET", "/static/shop.css", None, {}, 200),
    ("POST", SEARCH, b'{"image": "AAAA"}', JSON, 415),
]


def leak(home, tmp_path, monkeypatch, requests, slope):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(home, "--threads", "4") as (process, port):
        wait_until_ready(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        (pid,) = workers(process)

        def rounds(count):
            for number in range(count):
                method, path, body, headers, status = MIXED[number % len(MIXED)]
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                assert (answer.read() is not None) and answer.status == status, (path, answer.status)

        rounds(max(500, requests // 5))
        before = usage(pid)
        rounds(requests)
        after = usage(pid)
        connection.close()
        assert (after[0] - before[0]) / requests < slope, (before, after)
        assert abs(after[1] - before[1]) <= 5 and abs(after[2] - before[2]) <= 5, (before, after)
        assert [path for path in tmp_path.iterdir() if "wgunicorn" not in path.name] == []


@pytest.mark.promise("R17", "1,000 requests")
def test_a_thousand_requests_leak_nothing(home, tmp_path, monkeypatch):
    leak(home, tmp_path, monkeypatch, 1_000, 4)  # KiB a request: arenas of threads are still filling up


@pytest.mark.promise("R17", "10,000 requests, 10 % of them bad")
@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_ten_thousand_requests_leak_nothing(home, tmp_path, monkeypatch):
    leak(home, tmp_path, monkeypatch, 10_000, 1)
