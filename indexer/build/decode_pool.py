"""Decode pictures in child processes, so that a decoder that crashes, hangs or eats memory costs one picture only.

A child that has read hostile bytes may answer anything. Its answers are therefore pixels and JSON (no pickle), read
under a deadline and checked here, and never executed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from PIL import Image

from catalog.errors import BadPicture, PictureTooLarge, UnsupportedFormat, WindowshopError
from catalog.files.child_environment import child_environment
from catalog.images.limits import MAX_HEIF_PIXELS, MAX_JPEG_PIXELS
from indexer.build.decode_worker import LENGTHS, MAX_MEMORY_BYTES, send

PICTURE_TIMEOUT_S = 20.0  # the slowest picture that is allowed takes about two
START_TIMEOUT_S = 60.0
MAX_HEADER_BYTES = 2**16
MAX_BODY_BYTES = 3 * MAX_HEIF_PIXELS  # a JPEG of more pixels is decoded to fewer
PIPE_BYTES = 2**20  # size of the pipe where the platform lets us choose
READ_BYTES = 2**18

_ERRORS = {error.code: error for error in (BadPicture, UnsupportedFormat, PictureTooLarge)}
_CHILD_VARIABLES = {  # one thread; one pool of memory, and freed memory stays for the next picture
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**27),
    "PYTHONSAFEPATH": "1",
}
_SAVE_AGAIN = "Save it again as JPEG, or leave it out."


@dataclass(frozen=True, slots=True)
class Decoded:
    """One picture file: the SHA-256 of its bytes, its upright size, and the picture, perhaps scaled down.

    `coloured` when the file has a colour profile that changes how the picture looks.
    """

    sha256: str
    size: tuple[int, int]
    picture: Image.Image
    coloured: bool = False


class DecoderPool:
    """A pool of child processes that decode, shared by threads. A child starts when there is something to decode."""

    def __init__(self, children: int = 2, seconds: float = PICTURE_TIMEOUT_S) -> None:
        self._turns = BoundedSemaphore(children)
        self._seconds = seconds
        self._idle: list[_Child] = []

    def decode(self, path: str, at_least: int = 0) -> Decoded:
        """Read and decode a file as `catalog.images.decoder` does.

        Raises BadPicture, also when the decoder did not survive the picture, and WindowshopError when no child starts.
        """
        with self._turns:
            while True:
                child = self._idle.pop() if self._idle else _Child()
                try:
                    answer = child.request(path, at_least, self._seconds)
                except _WorkerDied as died:
                    child.close()
                    if died.crashed and child.answered:  # an earlier picture may have damaged it: ask a new one
                        continue
                    raise died.verdict from None
                except BaseException:
                    child.close()
                    raise
                self._idle.append(child)
                if isinstance(answer, BadPicture):
                    raise answer
                return answer

    def close(self) -> None:
        """End the children."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _WorkerDied(Exception):
    """A child can take no further request; `verdict` is the error of the picture it had."""

    def __init__(self, verdict: BadPicture, crashed: bool = False) -> None:
        super().__init__(verdict)
        self.verdict = verdict
        self.crashed = crashed


class _Child:
    """One child process, used by one thread at a time."""

    def __init__(self) -> None:
        self.answered = 0
        command, pipe = [sys.executable, "-m", "indexer.build.decode_worker"], subprocess.PIPE
        environment = child_environment(**_CHILD_VARIABLES)
        self._process = subprocess.Popen(
            command, bufsize=0, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._output = self._process.stdin, self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        with suppress(AttributeError, OSError):
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            self._receive(time.monotonic() + START_TIMEOUT_S)
        except (EOFError, TimeoutError):
            self.close()
            raise WindowshopError(
                f"The process that decodes pictures does not start (it ended with {self._process.returncode}).",
                f"{' '.join(command)} </dev/null says why.",
            ) from None
        except BaseException:
            self.close()
            raise

    def request(self, path: str, at_least: int, seconds: float) -> Decoded | BadPicture:
        """Decode one picture, or return its error. Raises _WorkerDied when the child did not survive it."""
        try:
            send(self._requests, {"path": path, "at_least": at_least, "seconds": seconds})  # type: ignore[arg-type]
            answer = _parse_answer(*self._receive(time.monotonic() + seconds))
        except TimeoutError:
            slow = BadPicture(f"The picture takes longer than {seconds:g} s to decode.", _SAVE_AGAIN)
            raise _WorkerDied(slow) from None
        except (EOFError, BrokenPipeError):
            raise self._died() from None
        if answer is None:
            raise _WorkerDied(_too_much_memory())
        self.answered += 1
        return answer

    def close(self) -> None:
        """Kill the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _died(self) -> _WorkerDied:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        if self._process.returncode == -signal.SIGKILL:  # not from us: the kernel kills so when memory runs out
            return _WorkerDied(_too_much_memory())
        return _WorkerDied(BadPicture("The picture makes the decoder crash.", _SAVE_AGAIN), crashed=True)

    def _receive(self, deadline: float) -> tuple[Mapping[str, Any], bytes]:
        """Read one frame. Raises TimeoutError, and EOFError when the output has ended or is malformed."""
        frame = self._read_to(bytearray(), LENGTHS.size, deadline)
        header_length, body_length = LENGTHS.unpack_from(frame)
        if header_length > MAX_HEADER_BYTES or body_length > MAX_BODY_BYTES:
            raise EOFError
        start = LENGTHS.size + header_length
        self._read_to(frame, start + body_length, deadline)
        try:
            header = json.loads(frame[LENGTHS.size : start])
        except (ValueError, RecursionError):
            raise EOFError from None
        if not isinstance(header, dict) or len(frame) > start + body_length:
            raise EOFError
        return header, bytes(memoryview(frame)[start:])

    def _read_to(self, frame: bytearray, length: int, deadline: float) -> bytearray:
        """Read until the frame has `length` bytes; mostly the first read brings all of it."""
        while len(frame) < length:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(1000 * left):
                raise TimeoutError
            data = os.read(self._output, READ_BYTES)
            if not data:
                raise EOFError
            frame += data
        return frame


def _parse_answer(header: Mapping[str, Any], body: bytes) -> Decoded | BadPicture | None:
    """Return the answer, None when memory ran out. Raises EOFError for one that a sound child never gives."""
    match header:
        case {"error": "memory"}:
            return None
        case {"error": str(code), "message": str(message), "hint": str(hint)} if code in _ERRORS:
            return _ERRORS[code](message, hint)
        case {
            "sha256": str(sha256),
            "size": [int(width), int(height)],
            "pixels": [int(columns), int(rows)],
            "coloured": bool(coloured),
        }:
            allowed = 0 < width * height <= MAX_JPEG_PIXELS and width > 0
            complete = columns > 0 and rows > 0 and 3 * columns * rows == len(body)
            if allowed and complete and re.fullmatch("[0-9a-f]{64}", sha256):
                return Decoded(sha256, (width, height), Image.frombytes("RGB", (columns, rows), body), coloured)
    raise EOFError


def _too_much_memory() -> PictureTooLarge:
    return PictureTooLarge(f"The picture needs more than {MAX_MEMORY_BYTES / 2**30:g} GiB to decode.", _SAVE_AGAIN)
