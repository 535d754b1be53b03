"""R16, S16: one who sends a byte a second, behind the nginx of docs/nginx.conf, or asks a hundred times a second, keeps
nobody else waiting."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

from indexer.encoders.registry import open_encoder
from tests.promises.free_ports import free_port
from tests.promises.reliability.test_server import FREE, JSON, PHOTO, SEARCH
from tests.web.shop_fixtures import READ_KEY, WRITE_KEY, make_shop
from tests.web.test_main import LIMIT, ask, chunked, form, serving, wait_until_ready

CONF = Path(__file__).parents[3] / "docs" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NAME = "shop.example"
UPLOADS, SECONDS = 50, 30
ASKERS, PAUSE = 3, 0.2  # each asks five times a second
PATIENCE = 20.0  # seconds until an asker gives up

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None,
    reason="there is no nginx on this machine (or no openssl); apt-get install nginx-light openssl, as root",
)


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def configured(folder, servers):
    """The sample with the ports, the certificate and the servers of this test, and what a distribution puts around it;
    returns the file and the ports of HTTP and HTTPS."""
    key, certificate, plain, secure = folder / "key.pem", folder / "cert.pem", free_port(), free_port()
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-days", "2", "-subj", f"/CN={NAME}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    sample = CONF.read_text(encoding="utf-8")
    for ours, theirs in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "server 127.0.0.1:8000;": "".join(f"server {server};" for server in servers),
        f"/etc/ssl/{NAME}.pem;": f"{certificate};",
        f"/etc/ssl/private/{NAME}.key;": f"{key};",
    }.items():
        assert sample.count(ours) == 1, ours
        sample = sample.replace(ours, theirs)
    (folder / "windowshop.conf").write_text(sample)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto; "
        + ("user root; " if os.geteuid() == 0 else "")
        + f"events {{}} http {{ access_log off; {temporary} include {folder}/windowshop.conf; }}"
    )
    return folder / "nginx.conf", plain, secure


@contextmanager
def proxied(folder, servers):
    """An nginx in front of servers, given as "host:port"; the ports of HTTP and HTTPS."""
    conf, plain, secure = configured(folder, servers)
    checked = subprocess.run([NGINX, "-t", "-c", str(conf)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and "[warn]" not in checked.stderr, checked.stderr
    process = subprocess.Popen([NGINX, "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 300
        while not listening(secure):
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.05)
        yield plain, secure
    finally:
        process.terminate()
        process.wait(300)


@contextmanager
def shop_behind_nginx(folder):
    """The ports of a server, and of HTTP and HTTPS of the nginx before it."""
    folder.mkdir()
    make_shop(folder / "colours", open_encoder("colour"))
    with serving(folder / "colours") as (_, server):
        wait_until_ready(server)
        with proxied(folder, [f"127.0.0.1:{server}"]) as (plain, secure):
            yield server, plain, secure


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FREE.items():
            patch.setenv(name, value)
        patch.setenv("WINDOWSHOP_TRUSTED_PROXIES", "1")
        patch.setenv("WINDOWSHOP_TRUSTED_HOSTS", f"{NAME},127.0.0.1")
        with shop_behind_nginx(tmp_path_factory.mktemp("slow") / "shop") as ports:
            yield ports


@pytest.fixture
def twin(shop, tmp_path):
    """Another such shop, which nobody troubles: what else the machine does slows both."""
    with shop_behind_nginx(tmp_path / "shop") as ports:
        yield ports


@cache
def unverified():
    """A context for all connections: to make one reads every certificate of the system, which takes 20 ms."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def secured(port, source="127.0.0.1"):
    return http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=PATIENCE, source_address=(source, 0), context=unverified()
    )


def through(port, method, path, body=None, headers=None):
    connection = secured(port)
    try:
        connection.request(method, path, body, {"Host": NAME, **(headers or {})})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_sample_serves_the_shop(shop):
    _, plain, secure = shop
    answer, body = through(secure, "POST", SEARCH, PHOTO, JSON)
    assert (answer.status, json.loads(body)["hits"][0]["id"]) == (200, "green")
    assert answer.headers["Strict-Transport-Security"] and answer.headers["Server"] == "nginx"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    answer, page = through(secure, "GET", "/products/green")
    assert answer.status == 200 and b"Green jumper" in page
    assert through(secure, "GET", "/metrics")[0].status == 404
    told = {"Content-Type": "multipart/form-data; boundary=x"}
    assert through(secure, "POST", SEARCH, form(LIMIT), told)[0].status == 200
    assert through(secure, "POST", SEARCH, chunked(form(LIMIT)), told)[0].status == 200
    connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=PATIENCE)
    connection.request("GET", "/products/red?a=b", headers={"Host": NAME})
    assert connection.getresponse().headers["Location"] == f"https://{NAME}/products/red?a=b"
    connection.close()


class Slow:
    """Uploads from as many addresses, a byte a second each; `open` tells how many nobody has ended."""

    def __init__(self, port, secure):
        self._sockets = [self._begun(port, secure, number) for number in range(UPLOADS)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    @staticmethod
    def _begun(port, secure, number):
        sent = socket.create_connection(("127.0.0.1", port), timeout=300, source_address=(f"127.0.0.{number + 2}", 0))
        if secure:
            sent = unverified().wrap_socket(sent, server_hostname=NAME)
        head = f"POST {SEARCH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
        sent.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode())
        return sent

    def _send(self):
        while not self._stop.wait(1.0):
            for each in self._sockets:
                with suppress(OSError):  # the server has ended it, which `open` tells
                    each.sendall(b" ")

    @property
    def open(self):
        def ended(each):
            each.settimeout(0.0)
            try:
                each.recv(1)
                return True
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            except OSError:
                return True

        return sum(not ended(each) for each in self._sockets)

    def close(self):
        self._stop.set()
        self._thread.join()
        for each in self._sockets:
            each.close()


class Askers:
    """Clients who ask for some seconds: how long each answer took, and how many there were none."""

    def __init__(self, seconds, connect, askers=ASKERS, key=READ_KEY):
        self.took, self.lost = [], 0
        self._told = {"Host": NAME, "Authorization": f"Bearer {key}", **JSON}
        self._end = time.monotonic() + seconds
        self._threads = [threading.Thread(target=self._ask, args=(connect,)) for _ in range(askers)]
        for thread in self._threads:
            thread.start()

    def _ask(self, connect):
        connection = connect()
        while time.monotonic() < self._end:
            began = time.monotonic()
            try:
                connection.request("POST", SEARCH, PHOTO, self._told)
                answer = connection.getresponse()
                assert json.loads(answer.read())["hits"][0]["id"] == "green"
                self.took.append(time.monotonic() - began)
            except (OSError, http.client.HTTPException, KeyError):
                self.lost += 1
                connection.close()
            time.sleep(max(0.0, PAUSE - (time.monotonic() - began)))
        connection.close()

    def finish(self):
        for thread in self._threads:
            thread.join()
        return self


def percentile(took, share):
    return sorted(took)[min(len(took) - 1, int(share * len(took)))] if took else float("nan")


def measured(port, calm_port, secure):
    """Askers of a shop that is sent slow uploads, askers of its twin at the same time, and how many uploads went on."""

    def connected(port):
        return secured(port) if secure else http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    for each in (port, calm_port):
        Askers(2, lambda each=each: connected(each)).finish()
    slow = Slow(port, secure)
    try:
        time.sleep(2.0)
        beside = Askers(SECONDS, lambda: connected(port))
        calm = Askers(SECONDS, lambda: connected(calm_port)).finish()
        return beside.finish(), calm, slow.open
    finally:
        slow.close()


def told(name, beside, calm, still):
    def line(asked):
        middle, most = (1000 * percentile(asked.took, share) for share in (0.5, 0.95))
        return f"median {middle:.0f}, p95 {most:.0f} ms, n = {len(asked.took)}, {asked.lost} without an answer"

    print(f"{name}: {line(beside)}; its twin, left in peace: {line(calm)}; {still} uploads went on")
    print(f"  load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


@pytest.mark.promise("R16", "50 uploads at 1 byte a second for 30 s")
@pytest.mark.torture
@pytest.mark.timeout(1500)
def test_slow_uploads_starve_nobody_behind_nginx(shop, twin):
    server, _, secure = shop
    beside, calm, still = measured(secure, twin[2], True)
    told("nginx", beside, calm, still)
    told("the server alone", *measured(server, twin[0], False))
    assert (beside.lost, calm.lost, still) == (0, 0, UPLOADS)
    assert percentile(beside.took, 0.95) <= 2 * percentile(calm.took, 0.95)
    time.sleep(1.0)
    assert ask(server, "POST", SEARCH, PHOTO, JSON)[0] == 200, "once they are gone, it answers again"


class Greedy:
    """One who asks a hundred times a second, under one key, and what the answers were."""

    def __init__(self, port):
        self.statuses, self.waits, self._stop = [], set(), threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port,)) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while not self._stop.wait(0.04):
            connection.request("POST", SEARCH, PHOTO, {"Authorization": f"Bearer {WRITE_KEY}", **JSON})
            answer = connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)
            self.waits.add(answer.headers.get("Retry-After"))
        connection.close()

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.promise("S16", "100 requests a second by one key for 30 s")
@pytest.mark.torture
@pytest.mark.timeout(600)
def test_one_who_bursts_keeps_no_other_key_waiting(tmp_path, monkeypatch):
    for name in (*FREE, "WINDOWSHOP_TRUSTED_PROXIES"):
        monkeypatch.delenv(name, raising=False)  # the usual limits; another test's shop may still be open without them
    monkeypatch.setenv("WINDOWSHOP_TRUSTED_HOSTS", f"{NAME},127.0.0.1")
    with shop_behind_nginx(tmp_path / "a") as (port, *_), shop_behind_nginx(tmp_path / "b") as (calm_port, *_):

        def asked(port):
            return Askers(SECONDS, lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), askers=1)

        greedy = Greedy(port)
        beside, calm = asked(port), asked(calm_port)
        beside.finish(), calm.finish()
        greedy.finish()
    counts = {status: greedy.statuses.count(status) for status in set(greedy.statuses)}
    print(f"one key asked {len(greedy.statuses) / SECONDS:.0f} times a second: {counts}")
    told("another key", beside, calm, 0)
    assert set(counts) == {200, 429} and counts[429] > counts[200] and greedy.waits - {None} <= {"1", "2"}
    assert (beside.lost, calm.lost) == (0, 0)
    assert percentile(beside.took, 0.95) <= 2 * percentile(calm.took, 0.95)
