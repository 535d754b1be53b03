"""One GET for one picture: only to public addresses, within one deadline, past no proxy, after no redirect."""

from __future__ import annotations

import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from catalog.errors import BadInput, FetchFailed, NoAnswer, PictureGone
from catalog.fetching.url_policy import PORTS, PictureUrl, blocked_url, is_ip, is_public

Resolve = Callable[[str, int], Sequence[str]]

_CHUNK = 2**16
_OVERHEAD = 2**20
_MOST_ADDRESSES = 8
_DIRECT = "Give the picture's final address, or download it and give its path."
_HEADERS = {
    "User-Agent": "Windowshop",
    "Accept": "image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_GONE = (404, 410)
_TAG = re.compile(r"[\x20-\x7e]{1,500}")


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system for a host's IP addresses."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class FetchRules:
    """What may be asked of the web, and how much of it.

    `also_allowed` are IP addresses that may be asked though they are not public: a shop's own picture server.
    """

    ports: frozenset[int] = PORTS
    max_bytes: int = 10 * 2**20
    seconds: float = 5.0
    threads: int = 8
    also_allowed: frozenset[str] = frozenset()
    resolve: Resolve = system_resolve


@dataclass(frozen=True, slots=True)
class Version:
    """What a server said of the version of a picture that it sent; sent back, it asks for newer ones only."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A picture's bytes and their version; the bytes are None when the version asked with is still the newest."""

    data: bytes | None
    version: Version


def download(
    address: PictureUrl, rules: FetchRules, tls: ssl.SSLContext | None, known: Version | None = None
) -> Answer:
    """Get what stands at the address; BadAddress when it may not be asked, FetchFailed when it does not give it.

    `tls` says whose certificates are trusted; it may be None for plain http.
    """
    deadline = _Deadline(rules.seconds)
    try:
        with _connect(address, rules, deadline) as plain:
            if not address.secure:
                return _ask(address, plain, rules, deadline, known)
            assert tls is not None, "https needs to know whose certificates are trusted"
            plain.settimeout(deadline.left())
            # The connection goes to the address that was checked, the certificate must still be the host's.
            with tls.wrap_socket(plain, server_hostname=address.host) as secure:
                return _ask(address, secure, rules, deadline, known)
    except BadInput:
        raise
    except TimeoutError:
        raise _silent(address, f"it did not answer in full within {rules.seconds:g} seconds") from None
    except ssl.SSLCertVerificationError as error:
        raise failed(address, f"its certificate is not valid: {error.verify_message}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise _silent(address, f"the connection broke: {why}") from None


def failed(address: PictureUrl, why: str, hint: str = "") -> FetchFailed:
    """Make the error that says why a picture did not come."""
    return FetchFailed(
        f"The picture {str(address)[:120]!r} was not fetched: {why}.",
        hint or "Check the address, or download the picture and give its path.",
    )


def _silent(address: PictureUrl, why: str) -> NoAnswer:
    error = failed(address, why)
    return NoAnswer(error.message, error.hint)


class _Deadline:
    """The one moment by which everything must be done, however slowly it trickles in."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; TimeoutError when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _connect(address: PictureUrl, rules: FetchRules, deadline: _Deadline) -> socket.socket:
    """Connect to an IP address of the host; every one of them must be public, and none is looked up again."""
    found = _resolved(address, rules, deadline)[:_MOST_ADDRESSES]
    for number, ip in enumerate(found, 1):
        share = deadline.left() / (len(found) - number + 1)
        try:
            return socket.create_connection((ip, address.port), share)
        except OSError:
            if number == len(found):
                raise
    raise _silent(address, "its host has no IP address")


def _resolved(address: PictureUrl, rules: FetchRules, deadline: _Deadline) -> Sequence[str]:
    found: Sequence[str] = [address.host]
    if not is_ip(address.host):
        found = _within(deadline, rules.resolve, address)
    for ip in found:
        if ip not in rules.also_allowed and not is_public(ip):
            raise blocked_url(address, f"{address.host} leads to {ip[:60]!r}, which is not on the public internet")
    return found


def _within(deadline: _Deadline, resolve: Resolve, address: PictureUrl) -> Sequence[str]:
    """Resolve a host in a thread that is left behind when it takes too long: the system's resolver knows no limit."""
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(resolve(address.host, address.port)))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise _silent(address, f"its host {address.host} is not known") from None
    return answer


class _LimitedReader(io.RawIOBase):
    """Reads a socket, each time with no more patience than is left, and no more than `most` bytes in all.

    http.client limits neither its headers nor chunks that claim to be -1 bytes long.
    """

    def __init__(self, connection: socket.socket, deadline: _Deadline, most: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise OSError(0, "far more came than a picture")
        return count


class _DeadlineSocket:
    """As much of a socket as http.client uses, with the deadline on every step."""

    def __init__(self, connection: socket.socket, deadline: _Deadline, most: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._most = most

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._deadline.left())
        self._connection.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_LimitedReader(self._connection, self._deadline, self._most), _CHUNK)

    def close(self) -> None:
        """Leave closing to the one who opened the socket."""


def _ask(
    address: PictureUrl, connection: socket.socket, rules: FetchRules, deadline: _Deadline, known: Version | None
) -> Answer:
    headers = _HEADERS | {"Host": address.authority}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    # http.client.HTTPConnection opens nothing of its own while it has a socket, and knows no proxies.
    client = http.client.HTTPConnection(address.host, address.port)
    client.sock = cast(socket.socket, _DeadlineSocket(connection, deadline, _OVERHEAD + 2 * rules.max_bytes))
    client.request("GET", address.target, headers=headers)
    response = client.getresponse()
    version = Version(*(_tag(response.getheader(name)) for name in ("ETag", "Last-Modified")))
    if response.status == 304 and known is not None:
        return Answer(None, version)
    if 300 <= response.status < 400 and response.status != 304:
        where = ascii(response.getheader("Location", ""))[:200]
        raise failed(address, f"it redirects ({response.status}) to {where}, and redirects are not followed", _DIRECT)
    if response.status != 200:
        error = failed(address, f"the server answered {response.status}")
        raise PictureGone(error.message, error.hint) if response.status in _GONE else error
    return Answer(_body(address, response, rules.max_bytes), version)


def _body(address: PictureUrl, response: http.client.HTTPResponse, most: int) -> bytes:
    coding = response.getheader("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise failed(address, f"it comes packed as {coding[:40]!r}, which was not asked for")
    too_large = failed(address, f"it is larger than {most / 2**20:g} MiB", "Make the picture smaller.")
    if response.length is not None and response.length > most:
        raise too_large
    pieces, length = [], 0
    while piece := response.read(_CHUNK):
        length += len(piece)
        if length > most:
            raise too_large
        pieces.append(piece)
    if response.length:
        raise failed(address, "the connection ended before the picture did")
    return b"".join(pieces)


def _tag(header: str | None) -> str:
    """Keep what may be sent back as it came; anything odd counts as not given."""
    return header if header and _TAG.fullmatch(header) else ""
