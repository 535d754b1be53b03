"""Gunicorn's worker with threads, which refuses what it could not answer in time without giving it to a thread.

A refusal by a thread and Flask takes 2 ms and three changes of threads, for which threads that search have to wait.
Here the thread that waits for all connections looks at what has arrived, and answers.
"""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn.workers import gthread

from web.shedding.load_shedder import EXTENSION, LoadShedder
from web.shedding.request_head import MAX_HEAD, parse_head

ACCEPTED_AT_ONCE = 16
READ_BYTES = 1 << 17  # a longer request, or one that is not whole yet, is given to a thread
SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # connections can be accepted again when others end
SCARCITY_PAUSE = 0.05  # seconds
NO_CONNECTIONS = "No connection can be accepted until others end (%s). Allow more open files: ulimit -n"
NOT_LOOKED_AT = "A request could not be looked at on arrival, and is answered by a thread"
_DEFER = getattr(gthread, "_DEFER", None)  # has the worker wait until a new connection sends something
log = logging.getLogger(__name__)


class SheddingPool(ThreadPoolExecutor):
    """The threads of a worker, which looks at new connections before they take one."""

    def __init__(self, worker: SheddingWorker, threads: int) -> None:
        super().__init__(threads)
        self._worker = worker

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Refuse the request of a connection, or have a thread work on it. The worker's own thread calls this."""
        worker, (conn, *_) = self._worker, arguments
        is_looked_at = worker.is_busy and not conn.initialized  # this request is not among the unfinished ones yet
        worker.unfinished += 1
        if is_looked_at:
            result = worker.refused(conn)
            if result is not None:
                answered: Future[Any] = Future()
                answered.set_result(result)
                return answered
        if worker.shedder is not None and worker.admitted:
            worker.admitted = False
            return super().submit(_work_in_transit, worker.shedder, work, *arguments, **options)
        return super().submit(work, *arguments, **options)


class SheddingWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads. What stands here is changed by its own thread alone.

    An error in that thread would end the server, so `refused` raises none: a thread gets the request then.
    `unfinished` requests are with its threads, and `admitted` says that the next one is in transit to the queue.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.unfinished = 0
        self.admitted = False
        self.shedder: LoadShedder | None = None
        self._logged: set[str] = set()  # messages that are logged once
        self._buffer = memoryview(bytearray(READ_BYTES))

    @property
    def is_busy(self) -> bool:
        """Whether requests have to be looked at: there is not a slot for each."""
        return self.shedder is not None and self.unfinished >= self.shedder.slots and self.alive

    def get_thread_pool(self) -> SheddingPool:
        """Return the pool of threads."""
        return SheddingPool(self, self.cfg.threads)

    def load_wsgi(self) -> None:
        """Load the app, and what refuses requests for it."""
        super().load_wsgi()
        if not self.cfg.is_ssl and hasattr(self, "keepalived_conns"):  # an old gunicorn has other lists
            self.shedder = self.wsgi.extensions[EXTENSION]

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """Refuse the next request of a connection, which goes on waiting as before, or give it to a thread."""
        if self.is_busy and self.refused(conn):
            self.keepalived_conns.remove(conn)  # they stand in the order in which they are closed
            conn.set_timeout()
            self.keepalived_conns.append(conn)
        else:
            super().on_client_socket_readable(conn, client)

    def accept(self, *arguments: Any) -> None:
        """Accept the connections that wait, some at a time: between two looks a busy server lets others go first."""
        for _ in range(min(ACCEPTED_AT_ONCE, self.worker_connections - self.nr_conns)):
            before = self.nr_conns
            try:
                super().accept(*arguments)
            except OSError as error:
                if error.errno not in SCARCE:
                    raise
                self._log_once(NO_CONNECTIONS, error)
                time.sleep(SCARCITY_PAUSE)  # the connection goes on waiting, and would be reported again at once
            if self.nr_conns == before:
                break

    def finish_request(self, *arguments: Any) -> None:
        """Go on with a connection whose request was answered."""
        self.unfinished -= 1
        super().finish_request(*arguments)

    def refused(self, conn: Any) -> Any:
        """Refuse the next request of a connection if it has to be; return True then.

        False or None where it was not, and _DEFER where a new connection has sent nothing.
        """
        is_new = not conn.initialized
        try:
            conn.init()  # before anything is read: where it fails, the thread finds all of the request
        except Exception:
            conn.initialized = False
            self._log_once(NOT_LOOKED_AT, traceback=True)
            return None
        try:
            count = conn.sock.recv_into(self._buffer, READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            conn.initialized = not is_new
            return _DEFER if is_new else None
        except OSError:
            count = 0
        if not count:
            return None  # closed by the client, which the thread will find too
        answer = self._refusal(bytes(self._buffer[: min(count, MAX_HEAD)]), count)
        if answer is None:
            conn.parser.unreader.unread(bytes(self._buffer[:count]))
            return None
        with suppress(OSError):
            if conn.sock.send(answer, socket.MSG_DONTWAIT) == len(answer):
                return True
        with suppress(OSError):  # the client has closed it
            conn.sock.shutdown(socket.SHUT_RDWR)  # it reads no answers; a thread will close it
        return None

    def _refusal(self, start: bytes, count: int) -> bytes | None:
        """Return the answer that refuses the `count` bytes that were read, None where they are for a thread."""
        head = parse_head(start)
        if head is None or self.shedder is None or head.size != count or head.closes:
            return None
        try:
            route = self.shedder.route_of(head)
            if route is None or len(self.keepalived_conns) >= self.max_keepalived:
                return None
            answer = self.shedder.refusal(head, route)
        except Exception:
            self._log_once(NOT_LOOKED_AT, traceback=True)
            return None
        self.admitted = answer is None
        return answer

    def _log_once(self, message: str, *arguments: object, traceback: bool = False) -> None:
        """Log an error if it is the first with this message: under load there would be thousands."""
        if message not in self._logged:
            log.error(message, *arguments, exc_info=traceback)
        self._logged.add(message)


def _work_in_transit(shedder: LoadShedder, work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with shedder.in_transit():
        return work(*arguments, **options)
