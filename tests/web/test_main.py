"""python -m web serve: one clear line when it cannot, a server that answers at once when it can."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from indexer.encoders.registry import open_encoder
from tests.promises.free_ports import free_port
from tests.search.bulk_jobs import make_desk_shop
from tests.web.shop_fixtures import BLUE, close_app, make_shop, picture_bytes
from web import create_app
from web.__main__ import main
from web.engine import holder_of
from web.middleware.auth import Keys
from web.settings import MIB, Settings

ROOT = Path(__file__).parents[2]
LIMIT, BODY_LIMIT = 64 * MIB, 10 * MIB  # of a form, and of any other request


@pytest.fixture(scope="module")
def colour_home(tmp_path_factory):
    """A shop that the colour encoder reads: what a server started from the command line can open without weights."""
    home = tmp_path_factory.mktemp("colours")
    make_shop(home, open_encoder("colour"))
    return home


@contextmanager
def serving(home, *arguments, what="serve", port=0, before=()):
    """A server in a process of its own, and its port; the words `before` begin its command."""
    port = port or free_port()
    command = [*before, sys.executable, "-m", "web", what, "--home", str(home), "--port", str(port), *arguments]
    # Not a pipe: one line a request would fill it, and the server would wait.
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed below
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        env={"WINDOWSHOP_TIMEOUT_MS": "60000"} | os.environ | {"OMP_NUM_THREADS": "1"},
    )
    process.output = output
    try:
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.close()


def output_of(process):
    """What a server that has ended wrote."""
    process.output.seek(0)
    return process.output.read()


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_ready(port, seconds=300):
    end, pause = time.monotonic() + seconds, 0.05
    while True:
        try:
            if ask(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            pass
        assert time.monotonic() < end, "the server did not become ready"
        time.sleep(pause)
        pause = min(0.5, pause * 1.1)  # asking takes time from a server that opens


def form(size):
    """A multipart body of exactly that many bytes around a picture that decodes."""
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + picture_bytes(BLUE)
    tail = b"\r\n--x--\r\n"
    return head + bytes(size - len(head) - len(tail)) + tail


def chunked(body):
    for start in range(0, len(body), MIB):
        yield body[start : start + MIB]


@pytest.fixture(scope="module")
def server(colour_home):
    with serving(colour_home, "--threads", "2") as (_, port):
        wait_until_ready(port)
        yield port


def test_it_serves_pages_pictures_and_the_api(server):
    status, body = ask(server, "GET", "/api/v1/products/a%2Fb")
    assert (status, json.loads(body)["id"]) == (200, "a/b")
    status, body = ask(server, "GET", "/api/v1/products/%2Fleading")
    assert (status, json.loads(body)["id"]) == (200, "/leading")
    status, body = ask(server, "GET", json.loads(body)["pictures"][0]["picture_url"])
    assert (status, body[:3]) == (200, b"\xff\xd8\xff")
    assert ask(server, "GET", "/")[0] == 200


@pytest.mark.promise("S1")
@pytest.mark.parametrize(("size", "status"), [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413)])
@pytest.mark.parametrize("way", ["length", "chunked"])
def test_the_upload_limit_holds_to_the_byte(server, way, size, status):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = form(size)
    answer = ask(server, "POST", "/api/v1/search", body if way == "length" else chunked(body), headers)
    assert answer[0] == status, answer[1]
    if status == 200:
        assert json.loads(answer[1])["hits"][0]["id"] == "blue"


@pytest.mark.promise("S1")
@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 422), (BODY_LIMIT + 1, 413)])
def test_json_in_chunks_is_not_cut_off_in_silence(server, size, status):
    body = b"{}" + b" " * (size - 2)
    answer = ask(server, "POST", "/api/v1/search", chunked(body), {"Content-Type": "application/json"})
    assert answer[0] == status


@pytest.mark.promise("S1")
def test_a_length_that_lies_is_not_waited_for_in_memory(server):
    head = b"POST /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 99999999999\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", server), timeout=300) as client:
        client.sendall(head)
        assert client.recv(64).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_names_a_port_that_the_system_chose_and_stops_when_told(colour_home, host):
    if host == "::1" and not loopback_has_six():
        pytest.skip("needs IPv6")
    command = [sys.executable, "-m", "web", "serve", "--home", str(colour_home), "--host", host, "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        address = re.search(r"http://(\[::1\]|127\.0\.0\.1):(\d+) ", line)
        assert address and int(address[2]) > 0, line
        if host == "127.0.0.1":  # the tests' guard lets no other address through
            assert ask(int(address[2]), "GET", "/healthz")[0] == 200
            wait_until_ready(int(address[2]))
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=300)
    assert host != "127.0.0.1" or (process.returncode == 0 and "Traceback" not in rest)


def loopback_has_six():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def run(*arguments):
    return CliRunner().invoke(main, ["serve", *map(str, arguments)])


def test_a_home_without_an_index_gives_one_line(tmp_path):
    result = run("--home", tmp_path)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {tmp_path} has no index to serve. Build one: python -m indexer build --home {tmp_path} --feed FEED\n"
    )


def test_a_port_that_is_taken_gives_one_line(colour_home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("--home", colour_home, "--port", port)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use."
        " Choose another port: --port 8001 (make: PORT=8001).\n"
    )


def test_settings_that_make_no_sense_give_one_line(colour_home, monkeypatch):
    result = run("--home", colour_home, "--threads", 0)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "Setting threads is 0" in result.output
    monkeypatch.setenv("WINDOWSHOP_RUNTIME", "quantum")
    result = run("--home", colour_home)
    assert result.exit_code == 1
    assert "'quantum'" in result.output


@pytest.mark.timeout(900)
def test_a_server_learns_after_it_is_ready_where_a_setting_says_so(tmp_path, monkeypatch):
    home = make_desk_shop(tmp_path / "shop", each=20, learnt=False)
    headers = {"Authorization": f"Bearer {Keys(ShopHome(home).api_keys).create('admin')[1]}"}

    def state(answer):
        return json.loads(answer)["label_heads"]["state"]

    app = create_app(Settings(home=home))
    holder_of(app).wait(300)
    assert state(app.test_client().get("/api/v1/ops", headers=headers).data) == "missing"
    close_app(app)
    monkeypatch.setenv("WINDOWSHOP_LEARN_MISSING_HEADS", "true")
    with serving(home) as (_, port):
        wait_until_ready(port)
        end = time.monotonic() + 600
        while (found := state(ask(port, "GET", "/api/v1/ops", headers=headers)[1])) != "ready":
            assert found != "failed" and time.monotonic() < end
            time.sleep(0.2)
    assert ShopHome(home).label_heads.is_file()
