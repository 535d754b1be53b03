"""A web server on loopback that answers as it is told, and counts who came."""

import contextlib
import io
import socketserver
import threading
import time
from dataclasses import replace

from PIL import Image

from catalog.fetching.fetcher import PictureFetcher
from catalog.fetching.http_download import FetchRules


def picture(colour=(200, 30, 30), size=(4, 4)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def reply(body=b"", status="200 OK", **headers):
    """The bytes of an answer; underscores in header names stand for dashes."""
    headers = {"Content_Length": len(body)} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


class PictureServer(socketserver.ThreadingTCPServer):
    """Answers path by path: with bytes, with pieces one after another, or by asking a function of the request."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self.answers = {}
        self.requests = []
        self.connections = 0
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.tls = None

    def get_request(self):
        connection, address = super().get_request()
        self.connections += 1
        return (self.tls.wrap_socket(connection, server_side=True) if self.tls else connection), address

    def handle_error(self, request, client_address):
        """Be silent about those who hang up."""

    def url(self, path, host="pictures.example", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        start = self.rfile.readline().decode("latin-1").split()
        headers = {}
        while (line := self.rfile.readline().decode("latin-1").strip()) and ":" in line:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        with self.server.lock:
            self.server.requests.append((start[1], headers))
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            answer = self.server.answers.get(start[1], reply(status="404 Not Found"))
            answer = answer(headers) if callable(answer) else answer
        finally:  # before anything is sent: whoever has the answer may have asked for the next already
            with self.server.lock:
                self.server.at_once -= 1
        for piece in [answer] if isinstance(answer, bytes) else answer:
            self.wfile.write(piece)


def slowly(content, seconds=0.05):
    """One byte after another, each after a pause."""
    for byte in content:
        time.sleep(seconds)
        yield bytes([byte])


@contextlib.contextmanager
def serving():
    with PictureServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def local_rules(*ports, seconds=2.0, resolve=lambda *_: ["127.0.0.1"]):
    """Rules by which every name is this machine's, and this machine may be asked at those ports."""
    return FetchRules(ports=frozenset(ports), also_allowed=frozenset(["127.0.0.1"]), seconds=seconds, resolve=resolve)


def open_fetcher(folder, *ports, seconds=2.0, resolve=lambda *_: ["127.0.0.1"], **more):
    """A fetcher by these rules."""
    return PictureFetcher.open(folder, replace(local_rules(*ports, seconds=seconds, resolve=resolve), **more))
