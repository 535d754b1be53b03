"""Clients of a server, in threads of one process: a closed loop of so many, or arrivals at a fixed rate.

Requests are bytes made beforehand and sockets are plain, so that the clients take little of the processor that the
server needs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE_S = 60.0


@dataclass(slots=True)
class Answers:
    """The answers of a run: counts of statuses (0: none), seconds of those with status 200, and the run's seconds.

    `processor` are the seconds that the clients themselves took of the processor.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)  # when each of `took` began, in seconds since the start
    seconds: float = 0.0
    processor: float = 0.0

    def add(self, status: int, began: float, took: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status == 200:
            self.took.append(took)
            self.at.append(began)

    def percentile(self, share: float, after: float = 0.0) -> float:
        """Return the seconds within which that share of the good answers came; of those that began after a moment."""
        took = sorted(each for each, at in zip(self.took, self.at, strict=True) if at >= after)
        return took[min(len(took) - 1, int(share * len(took)))] if took else float("nan")

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.seconds if self.seconds else 0.0

    def summary(self) -> dict[str, object]:
        """Return counts, rate and percentiles in milliseconds, as JSON values."""
        spread = {f"p{round(100 * share)}_ms": round(1000 * self.percentile(share), 1) for share in (0.5, 0.95, 0.99)}
        own = {"client_ms_each": round(1000 * self.processor / max(1, sum(self.statuses.values())), 2)}
        return {"statuses": dict(self.statuses), "per_second": round(self.rate, 1), **spread, **own}


def request_bytes(method: str, path: str, body: bytes = b"", kind: str = "", headers: Sequence[str] = ()) -> bytes:
    """Return a request as it is sent, on a connection that stays open."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One connection, opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> int:
        """Send a request and read its answer; return its status, 0 without an answer."""
        for fresh in (False, True):
            if self._socket is None or fresh:
                self.close()
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
            try:
                self._socket.sendall(request)
                if status := self._read(self._socket):
                    return status
            except OSError:
                continue
        self.close()
        return 0

    def _read(self, opened: socket.socket) -> int:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            part = opened.recv(65_536)
            if not part:
                return 0
            data += part
        head = data[:end].lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        left = length - (len(data) - end - 4)
        while left > 0:
            part = opened.recv(min(left, 1 << 18))
            if not part:
                return 0
            left -= len(part)
        if b"connection: close" in head:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        """Close it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def closed_loop(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Answers:
    """Let so many clients ask for some seconds, each as soon as its last answer has come."""
    answers, lock, start = Answers(), threading.Lock(), time.monotonic()

    def ask(number: int) -> None:
        connection, turn = Connection(port), number
        while (began := time.monotonic()) < start + seconds:
            status = connection.ask(requests[turn % len(requests)])
            turn += clients
            with lock:
                answers.add(status, began - start, time.monotonic() - began)
        connection.close()

    answers.processor = _in_threads(ask, clients)
    answers.seconds = time.monotonic() - start
    return answers


def open_loop(port: int, requests: Sequence[bytes], rate: float, seconds: float, clients: int = 256) -> Answers:
    """Send requests at a rate, whether or not earlier ones were answered; times count from when each was due.

    An arrival for which none of the clients is free waits in the client, and the wait counts as the server's.
    """
    answers, lock, start = Answers(), threading.Lock(), time.monotonic()
    turns = iter(range(int(rate * seconds)))

    def ask(_: int) -> None:
        connection = Connection(port)
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None:
                break
            due = start + turn / rate
            time.sleep(max(0.0, due - time.monotonic()))
            status = connection.ask(requests[turn % len(requests)])
            with lock:
                answers.add(status, due - start, time.monotonic() - due)
        connection.close()

    answers.processor = _in_threads(ask, clients)
    answers.seconds = max(seconds, time.monotonic() - start)
    return answers


def _in_threads(work, count: int) -> float:
    """Run so many threads; return the processor seconds of this process meanwhile."""
    began = time.process_time()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.process_time() - began
