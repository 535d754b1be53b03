"""What clients do with their connections never ends the worker, and each request that can be answered is.

The worker is gunicorn's own, in this thread: a test says when it looks at its connections.
"""

import errno
import logging
import selectors
import socket
import struct
from contextlib import contextmanager

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from web.shedding.server_worker import SheddingWorker

ROUNDS = 30_000
LIMIT = 8  # connections of the worker
REFUSED = b"HTTP/1.1 503 NO\r\nContent-Length: 0\r\n\r\n"
WORKED = b"worked"


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()


class FakeShedder:
    """Refuses what begins with /full; a server with no slot looks at every request."""

    slots = 0
    answer = REFUSED
    error = None  # of route_of, or of refusal

    def route_of(self, head):
        if self.error == "route_of":
            raise KeyError("no such route")
        return head.target if head.target.startswith("/full") else None

    def refusal(self, head, route):
        if self.error == "refusal":
            raise RuntimeError("no thread for the log")
        return self.answer

    @contextmanager
    def in_transit(self):
        yield


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(WORKED)))])
    return [WORKED]


class Server:
    """A worker that listens, and its clients."""

    def __init__(self):
        config, self.shedder, self.clients = Config(), FakeShedder(), []
        for name, value in (("threads", 2), ("worker_connections", LIMIT), ("keepalive", 300)):
            config.set(name, value)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.worker = worker = SheddingWorker(0, 0, [self.listener], None, 30, config, Logger(config))
        worker.wsgi, worker.shedder = app, self.shedder
        worker.tpool, worker.poller = worker.get_thread_pool(), selectors.DefaultSelector()
        worker.method_queue.init()
        worker.poller.register(worker.method_queue.fileno(), selectors.EVENT_READ, worker.method_queue.run_callbacks)
        worker.set_accept_enabled(True)

    def client(self):
        client = socket.create_connection(self.listener.getsockname())
        client.setblocking(False)
        self.clients.append(client)
        return client

    def work(self, is_over):
        """Have the worker look at its connections until something is so."""
        for _ in range(ROUNDS):
            self.worker.wait_for_and_dispatch_events(timeout=0.01)
            if is_over():
                return
        pytest.fail(f"nothing came in {ROUNDS} rounds of the worker")

    def answer(self, client, ends=(REFUSED, WORKED), count=1):
        """What a client reads, until `count` answers are whole or the connection is closed (b"" then)."""
        read = bytearray()

        def is_over():
            try:
                part = client.recv(1 << 16)
            except BlockingIOError:
                return False
            read.extend(part)
            return not part or sum(read.count(end) for end in ends) == count

        self.work(is_over)
        return bytes(read)

    def close(self):
        for client in self.clients:
            client.close()
        try:
            self.work(lambda: self.worker.nr_conns == 0)
        finally:
            self.worker.tpool.shutdown()
            for part in (self.listener, self.worker.poller, self.worker.method_queue, self.worker.tmp):
                part.close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def reset(client):
    """Close a connection at once, whatever the other side still sends."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def assert_works(server):
    client = server.client()
    client.sendall(request("/"))
    assert server.answer(client).endswith(WORKED)
    client.sendall(request("/full"))
    assert server.answer(client) == REFUSED
    client.close()
    server.work(lambda: server.worker.nr_conns == 0)


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_request_whose_connection_is_reset_does_no_harm(server, is_kept):
    client = server.client()
    if is_kept:
        client.sendall(request("/full"))
        assert server.answer(client) == REFUSED
    client.sendall(request("/full"))
    reset(client)
    server.work(lambda: server.worker.nr_conns == 0)
    assert_works(server)


@pytest.mark.parametrize("path", ["/full", "/"])
def test_who_sends_no_more_gets_its_answer(server, path):
    client = server.client()
    client.sendall(request(path))
    client.shutdown(socket.SHUT_WR)
    assert server.answer(client).endswith(REFUSED if path == "/full" else WORKED)
    server.work(lambda: server.worker.nr_conns == 0)
    assert_works(server)


def test_who_reads_no_answers_is_disconnected(server):
    client = server.client()
    server.shedder.answer = b"x" * (1 << 24)  # more than all buffers hold
    client.sendall(request("/full"))
    server.work(lambda: server.worker.nr_conns == 0 and server.worker.unfinished == 0)
    server.shedder.answer = REFUSED
    assert_works(server)


@pytest.mark.parametrize("paths", [("/full/a", "/full/b"), ("/full", "/"), ("/", "/full")])
def test_two_requests_at_once_are_both_answered(server, paths):
    client = server.client()
    for _ in range(2):  # on a new connection, and on one that waits
        client.sendall(b"".join(map(request, paths)))
        assert server.answer(client, count=2).count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("error", ["route_of", "refusal"])
def test_a_request_that_cannot_be_looked_at_is_answered_by_a_thread(server, caplog, error):
    server.shedder.error = error
    client = server.client()
    with caplog.at_level(logging.ERROR, "web.shedding"):
        for _ in range(3):
            client.sendall(request("/full"))
            assert server.answer(client).endswith(WORKED)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    server.shedder.error = None
    client.sendall(request("/full"))
    assert server.answer(client) == REFUSED


def test_a_connection_that_cannot_be_prepared_is_left_to_a_thread(server, monkeypatch, caplog):
    failures, init = iter((True,)), TConn.init

    def failing(conn):
        if next(failures, False):
            raise OSError("once")
        init(conn)

    monkeypatch.setattr(TConn, "init", failing)
    client = server.client()
    client.sendall(request("/full"))
    assert server.answer(client).endswith(WORKED)
    assert len(caplog.records) == 1


def test_a_connection_that_sends_nothing_yet_takes_no_thread(server):
    client = server.client()
    server.work(lambda: server.worker.pending_conns)
    client.sendall(request("/full"))
    assert server.answer(client) == REFUSED


def test_new_connections_and_those_that_wait_are_looked_at_alike(server):
    server.shedder.slots = 1
    client = server.client()
    for _ in range(2):
        client.sendall(request("/full"))
        assert server.answer(client).endswith(WORKED)  # a slot is free
    server.work(lambda: server.worker.keepalived_conns)
    server.worker.unfinished += 1
    for waiting in (client, server.client()):
        waiting.sendall(request("/full"))
        assert server.answer(waiting) == REFUSED


def test_no_more_connections_are_accepted_than_a_worker_may_have(server):
    clients = [server.client() for _ in range(LIMIT + 4)]
    server.worker.accept(server.listener)
    assert server.worker.nr_conns == LIMIT
    server.worker.accept(server.listener)
    assert server.worker.nr_conns == LIMIT
    for client in clients:
        client.close()
    server.work(lambda: server.worker.nr_conns == 0)


def test_a_connection_waits_while_no_file_can_be_opened(server, caplog, monkeypatch):
    first, second = server.client(), server.client()
    usual = socket.socket.accept

    def accept(listener):
        if listener is server.listener:
            raise OSError(errno.EMFILE, "Too many open files")
        return usual(listener)

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "accept", accept)
        for _ in range(5):
            server.worker.wait_for_and_dispatch_events(timeout=0.01)
    assert server.worker.nr_conns == 0
    lines = [record.message for record in caplog.records if record.name.startswith("web.shedding")]
    assert [line.partition(" (")[0] for line in lines] == ["No connection can be accepted until others end"]
    for client in (first, second):
        client.send(request("/"))
        assert server.answer(client).endswith(WORKED)
