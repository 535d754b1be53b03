"""Small local servers that behave as a test wants: a mail server, and a web service."""

import json
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MailStub:
    """A mail server on a free port. `script` has an action for each connection, "take" after its end.

    "take" takes the message; "busy" refuses it for now; "refuse" refuses it for good; "hang up" closes at once; "cut"
    closes after the message without an answer; "babble" is no SMTP; "rude" takes it and refuses QUIT.
    """

    def __init__(self, script=()):
        self.script = list(script)
        self.letters = []
        self.senders = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file, suppress(OSError):
                self._talk(file, self.script.pop(0) if self.script else "take")

    def _talk(self, file, action):
        def say(text):
            file.write(text.encode() + b"\r\n")
            file.flush()

        if action == "hang up":
            return
        say("220 stub" if action != "babble" else "HTTP/1.1 200 OK")
        while line := file.readline():
            word = line.decode("latin-1").upper()
            if word.startswith("EHLO"):
                say("250 stub")
            elif word.startswith("MAIL"):
                self.senders.append(line.decode().strip())
                say({"busy": "451 later", "refuse": "550 never"}.get(action, "250 ok"))
            elif word.startswith("DATA"):
                say("354 go on")
                letter = b""
                while (part := file.readline()) not in (b".\r\n", b""):
                    letter += part.removeprefix(b".") if part.startswith(b"..") else part
                self.letters.append(letter)
                if action == "cut":
                    return
                say("250 taken")
            elif word.startswith("QUIT"):
                say("500 no" if action == "rude" else "221 bye")
                return
            else:
                say("250 ok")


@contextmanager
def mail_stub(*script):
    stub = MailStub(script)
    try:
        yield stub
    finally:
        stub.close()


@contextmanager
def web_stub(answer):
    """A web service: `answer(request)` returns status, headers and body. Yields url and log."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"path": self.path, "headers": dict(self.headers), "body": body, "json": json.loads(body)})
            status, headers, content = answer(received[-1])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
