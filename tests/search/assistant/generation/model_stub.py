"""A server with an OpenAI-compatible address that behaves as badly as a test wants."""

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ModelStub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests, self.headers_seen, self.paths = [], [], []
        self.give = lambda handler: handler.send_text("")
        self.ended = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def says(self, text, finish="stop"):
        body = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}
        self.give = lambda handler: handler.send_text(json.dumps(body))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(json.loads(body))
        self.server.headers_seen.append(dict(self.headers))
        self.server.paths.append(self.path)
        with suppress(OSError):
            self.server.give(self)

    def send_text(self, text, status=200, **headers):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@contextmanager
def model_stub():
    server = ModelStub()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
