"""Download one picture with one GET: public IP addresses only, one deadline, no proxy, no redirect."""

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
from ipaddress import ip_address
from typing import Any, cast

from catalog.errors import FetchFailed, NoAnswer, PictureGone
from catalog.fetching.url_policy import PORTS, PictureUrl, blocked_url, is_ip, is_public

Resolve = Callable[[str, int], Sequence[str]]

_CHUNK_BYTES = 2**16
_OVERHEAD_BYTES = 2**20  # room for headers and chunk marks
_MAX_ADDRESSES = 8
_CHECK = "Check the address, or download the picture and give its path."
_DIRECT = "Give the picture's final address, or download it and give its path."
_HEADERS = {"User-Agent": "Windowshop", "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
_GONE = (404, 410)
_TAG = re.compile(r"[\x20-\x7e]{1,500}")


def system_resolve(host: str, port: int) -> list[str]:
    """Return a host's IP addresses by the system's resolver."""
    records = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in records))


@dataclass(frozen=True, slots=True)
class FetchRules:
    """Limits of downloads: ports, bytes, seconds and threads.

    `also_allowed` are IP addresses that are allowed though not public: a shop's own picture server.
    """

    ports: frozenset[int] = PORTS
    max_bytes: int = 10 * 2**20
    seconds: float = 5.0
    threads: int = 8
    also_allowed: frozenset[str] = frozenset()
    resolve: Resolve = system_resolve


def rules_for(servers: str | None) -> FetchRules:
    """Return rules that also allow these servers: "10.0.0.5, 10.0.0.6:8080". Raises ValueError for no IP address."""
    named = [server.strip() for server in (servers or "").split(",") if server.strip()]
    parts = [server.rpartition(":") if server.count(":") == 1 else (server, "", "") for server in named]
    ports = PORTS | {int(port) for _, _, port in parts if port}
    return FetchRules(ports=frozenset(ports), also_allowed=frozenset(str(ip_address(ip)) for ip, _, _ in parts))


@dataclass(frozen=True, slots=True)
class Version:
    """The headers by which a server names a picture's version; a conditional request sends them back."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A picture's bytes and version; the bytes are None when the version of the request is still the newest (304)."""

    data: bytes | None
    version: Version


def download(
    address: PictureUrl, rules: FetchRules, tls: ssl.SSLContext | None, known: Version | None = None
) -> Answer:
    """Download the picture at `address`. Raises BadAddress when it is not public, FetchFailed when no picture came.

    `tls` holds the trusted certificates; it may be None for plain http. With `known`, a picture of that version is not
    sent again.
    """
    deadline = _Deadline(rules.seconds)
    try:
        with _connect(address, rules, deadline) as plain:
            if not address.secure:
                return _request(address, plain, rules, deadline, known)
            assert tls is not None, "https needs to know whose certificates are trusted"
            plain.settimeout(deadline.left())
            # The connection goes to the address that was checked, the certificate must still be the host's.
            with tls.wrap_socket(plain, server_hostname=address.host) as secure:
                return _request(address, secure, rules, deadline, known)
    except TimeoutError:
        raise failed(address, f"it did not answer in full within {rules.seconds:g} seconds", error=NoAnswer) from None
    except ssl.SSLCertVerificationError as error:
        raise failed(address, f"its certificate is not valid: {error.verify_message}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise failed(address, f"the connection broke: {reason}", error=NoAnswer) from None


def failed(address: PictureUrl, reason: str, hint: str = _CHECK, error: type[FetchFailed] = FetchFailed) -> FetchFailed:
    """Return the error that says why a picture did not come."""
    return error(f"The picture {str(address)[:120]!r} was not fetched: {reason}.", hint)


class _Deadline:
    """The moment by which the download must end, however slowly bytes arrive."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _connect(address: PictureUrl, rules: FetchRules, deadline: _Deadline) -> socket.socket:
    """Connect to an IP address of the host, which is resolved once; all its addresses must be public."""
    ips = _resolve(address, rules, deadline)[:_MAX_ADDRESSES]
    for number, ip in enumerate(ips, 1):
        share = deadline.left() / (len(ips) - number + 1)
        try:
            return socket.create_connection((ip, address.port), share)
        except OSError:
            if number == len(ips):
                raise
    raise failed(address, "its host has no IP address", error=NoAnswer)


def _resolve(address: PictureUrl, rules: FetchRules, deadline: _Deadline) -> Sequence[str]:
    ips = [address.host] if is_ip(address.host) else _resolve_in_thread(deadline, rules.resolve, address)
    for ip in ips:
        if ip not in rules.also_allowed and not is_public(ip):
            raise blocked_url(address, f"{address.host} leads to {ip[:60]!r}, which is not on the public internet")
    return ips


def _resolve_in_thread(deadline: _Deadline, resolve: Resolve, address: PictureUrl) -> Sequence[str]:
    """Resolve a host in a thread, which is abandoned at the deadline: the system's resolver has no timeout."""
    answers: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(resolve(address.host, address.port)))
        except Exception:
            answers.put(None)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError from None
    if answer is None:
        raise failed(address, f"its host {address.host} is not known", error=NoAnswer)
    return answer


class _LimitedSocket(io.RawIOBase):
    """The part of a socket that http.client uses: it ends at the deadline, and after reading `max_bytes` in all.

    http.client limits neither its headers nor chunks that claim to be -1 bytes long.
    """

    def __init__(self, connection: socket.socket, deadline: _Deadline, max_bytes: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = max_bytes

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._deadline.left())
        self._connection.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(self, _CHUNK_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise OSError(0, "the response is larger than any picture")
        return count

    def close(self) -> None:
        """Do nothing: the caller that opened the socket closes it."""


def _request(
    address: PictureUrl, connection: socket.socket, rules: FetchRules, deadline: _Deadline, known: Version | None
) -> Answer:
    headers = _HEADERS | {"Host": address.authority}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    # http.client.HTTPConnection opens nothing of its own while it has a socket, and knows no proxies.
    client = http.client.HTTPConnection(address.host, address.port)
    client.sock = cast(socket.socket, _LimitedSocket(connection, deadline, _OVERHEAD_BYTES + 2 * rules.max_bytes))
    client.request("GET", address.target, headers=headers)
    response = client.getresponse()
    version = Version(*(_tag(response.getheader(name)) for name in ("ETag", "Last-Modified")))
    if response.status == 304 and known is not None:
        return Answer(None, version)
    if 300 <= response.status < 400 and response.status != 304:
        where = ascii(response.getheader("Location", ""))[:200]
        raise failed(address, f"it redirects ({response.status}) to {where}, and redirects are not followed", _DIRECT)
    if response.status != 200:
        error = PictureGone if response.status in _GONE else FetchFailed
        raise failed(address, f"the server answered {response.status}", error=error)
    return Answer(_body(address, response, rules.max_bytes), version)


def _body(address: PictureUrl, response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    coding = response.getheader("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise failed(address, f"its Content-Encoding is {coding[:40]!r}, which was not requested")
    too_large = failed(address, f"it is larger than {max_bytes / 2**20:g} MiB", "Make the picture smaller.")
    if response.length is not None and response.length > max_bytes:
        raise too_large
    data = response.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise too_large
    if response.length:
        raise failed(address, "the connection ended before the picture did")
    return data


def _tag(header: str | None) -> str:
    """Return a header that may be sent back as it came; "" for an unusual one."""
    return header if header and _TAG.fullmatch(header) else ""
