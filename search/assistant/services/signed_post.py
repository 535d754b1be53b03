"""Post JSON to a service of the shop, signed with a secret that both sides share.

The signature is the HMAC-SHA256 of the time of sending (unix seconds), a full stop, and the body. So a service can tell
that a request is of this shop, that nobody changed it, and that it is not an old one sent again.
"""

from __future__ import annotations

import hmac
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from catalog.errors import BadInput

LOCAL = ("localhost", "127.0.0.1", "::1")
MAX_ANSWER_BYTES = 64 * 1024
TIMESTAMP_HEADER, SIGNATURE_HEADER = "X-Windowshop-Timestamp", "X-Windowshop-Signature"


class ServiceFailed(Exception):
    """The service gave no answer that can be used; the message says why, without what was sent."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The status and the body of an answer, which is at most MAX_ANSWER_BYTES long."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Service:
    """A service by its address, the secret shared with it, and the seconds that an answer may take in all."""

    url: str
    secret: bytes
    timeout_s: float = 4.0

    def __post_init__(self) -> None:
        """Raise BadInput for an address that is not https, unless it is on this machine, and without a secret."""
        host = check_address(self.url)
        if not self.secret:
            raise BadInput(f"The service at {host} has no secret.", "Set the secret that both sides share.")

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> ServiceAnswer:
        """Return the answer to a signed body of JSON. Redirects are not followed. Raises ServiceFailed."""
        sent_at = str(int(time.time()))
        signed = {TIMESTAMP_HEADER: sent_at, SIGNATURE_HEADER: signature(self.secret, sent_at, body)}
        return post_bytes(self.url, body, {**signed, **(headers or {})}, self.timeout_s)


def check_address(url: str) -> str:
    """Return the host of a service's address. Raises BadInput where it is not https, unless it is on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadInput("The address of the service is no web address.", "For example https://...") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        hint = "For example https://shop.example/orders."
        raise BadInput(f"{url[:100]!r} is no web address of a service.", hint)
    if parts.scheme == "http" and host not in LOCAL:
        raise BadInput(f"{url[:100]!r} is not encrypted.", "Use https: customers' data is sent there.")
    return host


def post_bytes(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> ServiceAnswer:
    """Return the answer to a body of JSON, which may take `timeout_s` in all.

    Redirects are not followed. Raises ServiceFailed, also for an answer that is longer than MAX_ANSWER_BYTES.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    until = time.monotonic() + timeout_s
    connection = _connection(url, timeout_s)
    watch: threading.Timer | None = None
    try:
        connection.connect()
        # The socket, not the connection: that lets go of it when an answer without a length begins.
        watch = threading.Timer(max(0.0, until - time.monotonic()), _cut, (connection.sock,))
        watch.daemon = True
        watch.start()
        sent = {"Content-Type": "application/json", "User-Agent": "Windowshop", **headers}
        connection.request("POST", target, body, sent)
        with connection.getresponse() as response:
            answer = response.read(MAX_ANSWER_BYTES + 1)
            if len(answer) > MAX_ANSWER_BYTES:
                raise ServiceFailed(f"The answer is longer than {MAX_ANSWER_BYTES:,} bytes.")
            return ServiceAnswer(response.status, answer)
    except (OSError, HTTPException, ValueError, AttributeError) as error:  # AttributeError: cut by the timer
        raise ServiceFailed(f"There was no answer in time, or none in HTTP: {type(error).__name__}.") from error
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def _connection(url: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)


def signature(secret: bytes, sent_at: str, body: bytes) -> str:
    """Return the signature of a body sent at a time: "sha256=" and the HMAC in hex."""
    return "sha256=" + hmac.digest(secret, sent_at.encode() + b"." + body, "sha256").hex()


def _cut(sock: socket.socket) -> None:
    """End a connection that takes too long, however slowly bytes still come."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
