"""R14: two servers of one shop behind the nginx of docs/nginx.conf, each in a network of its own; one is killed."""

import base64
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from indexer.encoders.registry import open_encoder
from tests.promises.reliability import test_slow_clients as nginx
from tests.promises.reliability.test_server import JSON, PHOTO, SEARCH, workers
from tests.web.shop_fixtures import READ_KEY, WRITE_KEY, make_shop, picture_bytes
from tests.web.test_main import serving

PORT = 8000
VISITORS = [f"127.0.0.{number}" for number in range(2, 10)]
READS = 120  # a minute, of which a quarter at once
PATIENCE = 300.0


def has_networks():
    """Whether this machine lets the tests make networks."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    made = subprocess.run(["ip", "netns", "add", f"probe{os.getpid()}"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "delete", f"probe{os.getpid()}"], capture_output=True, check=False)
    return made.returncode == 0


pytestmark = [
    *([nginx.pytestmark] if not isinstance(nginx.pytestmark, list) else nginx.pytestmark),
    pytest.mark.skipif(not has_networks(), reason="networks of the tests' own need root, and iproute2"),
    pytest.mark.timeout(1500),
]


@contextmanager
def network(number):
    """A network namespace, joined to this one by a cable; its name and the address of its end."""
    name = f"shop{os.getpid() % 10_000}-{number}"
    inside, outside = f"i{name}", f"o{name}"
    near, far = (f"10.{os.getpid() % 200 + 20}.{number}.{end}" for end in (1, 2))
    commands = [
        f"ip netns add {name}",
        f"ip link add {outside} type veth peer name {inside} netns {name}",
        f"ip address add {near}/24 dev {outside}",
        f"ip link set {outside} up",
        f"ip -n {name} address add {far}/24 dev {inside}",
        f"ip -n {name} link set {inside} up",
        f"ip -n {name} link set lo up",
    ]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True, capture_output=True)
        yield name, far
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The processes of two servers of one shop, and the port of the proxy before them."""
    folder = tmp_path_factory.mktemp("several")
    make_shop(folder / "shop", open_encoder("colour"))
    settings = {
        "WINDOWSHOP_TRUSTED_PROXIES": "1",
        "WINDOWSHOP_TRUSTED_HOSTS": nginx.NAME,
        "WINDOWSHOP_READS_PER_MINUTE": str(READS),
        "WINDOWSHOP_UPLOADS_PER_MINUTE": "0",
        "WINDOWSHOP_FOLLOW_SECONDS": "0.1",
        "WINDOWSHOP_ANALYSE_REVIEWS": "false",
    }
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in settings.items():
            patch.setenv(name, value)
        networks = [stack.enter_context(network(number)) for number in (1, 2)]
        processes = [
            stack.enter_context(
                serving(folder / "shop", "--host", address, port=PORT, before=("ip", "netns", "exec", name))
            )[0]
            for name, address in networks
        ]
        ports = [f"{address}:{PORT}" for _, address in networks]
        _, secure = stack.enter_context(nginx.proxied(folder, ports))
        until = time.monotonic() + PATIENCE
        while not all(ready(secure, visitor) for visitor in VISITORS):
            assert time.monotonic() < until
            time.sleep(0.1)
        yield processes, secure


def ask(port, visitor, method, path, body=None, headers=None):
    """Ask through the proxy as a visitor with an address of its own."""
    connection = nginx.secured(port, visitor)
    try:
        connection.request(method, path, body, {"Host": nginx.NAME, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def ready(port, visitor):
    try:
        return ask(port, visitor, "GET", "/readyz")[0] == 200
    except OSError:
        return False


def answered(process):
    """How many requests a server has logged; read without moving the place where it writes."""
    file = process.output.fileno()
    return os.pread(file, os.fstat(file).st_size, 0).count(b'"message": "request"')


def test_a_change_through_one_server_is_seen_through_both(servers):
    processes, port = servers
    before = [answered(process) for process in processes]
    picture = base64.b64encode(picture_bytes((127, 0, 255))).decode()
    product = json.dumps({"title": "A violet thing", "pictures": [picture]})
    assert ask(port, VISITORS[0], "PUT", "/api/v1/products/violet", product, JSON | bearer(WRITE_KEY))[0] == 201
    until = time.monotonic() + PATIENCE
    for visitor in VISITORS:
        while ask(port, visitor, "GET", "/api/v1/products/violet")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
    assert all(answered(process) > count for process, count in zip(processes, before, strict=True))


def test_a_link_to_refine_a_search_holds_on_both(servers):
    _, port = servers
    body = ask(port, VISITORS[0], "POST", SEARCH, PHOTO, JSON)[1]
    token = json.loads(body)["refine"]
    answers = {ask(port, visitor, "POST", SEARCH, json.dumps({"refine": token}), JSON)[0] for visitor in VISITORS}
    assert answers == {200}


def test_a_key_has_one_limit_whichever_server_answers(servers):
    _, port = servers
    started = time.monotonic()
    codes = [
        ask(port, VISITORS[number % len(VISITORS)], "GET", "/api/v1/products/green", None, bearer(READ_KEY))[0]
        for number in range(READS // 2)
    ]
    seconds = time.monotonic() - started
    assert set(codes) <= {200, 429}
    assert READS / 4 <= codes.count(200) <= READS / 4 + seconds * READS / 60 + 1


@pytest.mark.promise("R14", "two servers in two networks, one killed while 8 visitors search: no request failed")
def test_one_is_killed_and_no_request_fails(servers):
    processes, port = servers
    answers, stop = [], threading.Event()

    def search(visitor):
        while not stop.is_set():
            started = time.monotonic()
            try:
                status = ask(port, visitor, "POST", SEARCH, PHOTO, JSON)[0]
            except OSError as error:
                status = repr(error)
            answers.append((started, status))
            stop.wait(0.3)

    threads = [threading.Thread(target=search, args=(visitor,)) for visitor in VISITORS]
    for thread in threads:
        thread.start()
    wait_for(answers, 3 * len(VISITORS))
    for pid in (*workers(processes[1]), processes[1].pid):
        os.kill(pid, signal.SIGSTOP)  # else the master makes another worker
    for pid in (*workers(processes[1]), processes[1].pid):
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_for(answers, len(answers) + 6 * len(VISITORS))
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(started > killed for started, _ in answers) >= 3 * len(VISITORS)
    assert [status for _, status in answers if status != 200] == []
    assert ready(port, VISITORS[0])


def wait_for(answers, count):
    until = time.monotonic() + PATIENCE
    while len(answers) < count:
        assert time.monotonic() < until
        time.sleep(0.05)
