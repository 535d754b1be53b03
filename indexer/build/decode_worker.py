"""Decode pictures in a process of its own: `python -m indexer.build.decode_worker`, started by `decode_pool.py`.

The process reads requests on its standard input and answers them one at a time on what was its standard output. A
request and an answer are frames: 4 bytes, the length of a header; 4 bytes, the length of a body; the header in JSON;
the body.

    request   {"path": ..., "at_least": ..., "seconds": ...}
    answer    {"sha256": ..., "size": [w, h], "pixels": [w, h], "coloured": ...}, and
              the body its pixels, 3 bytes each, row by row
              {"error": one of the codes of BadPicture, "message": ..., "hint": ...}
              {"error": "memory"}, and then it ends

The first frame it sends is {"ready": true}. It ends when its input does, and when a picture takes much longer than its
seconds: its parent is gone then. This module imports little, so that the process starts fast.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from catalog import images
from catalog.errors import BadPicture

MAX_MEMORY_BYTES = 2 * 2**30  # address space of a child; the largest picture that is allowed needs about half
GRACE_S = 5  # time a child has after a picture's limit: a parent that is there has ended the child by then
LENGTHS = struct.Struct(">II")

# For tests: {"part of a path": "segv" | "loop" | "memory"} in JSON does that to pictures with such a path.
# Unlike the failpoints of catalog/files/failpoints.py, which name places in the program, these name pictures.
TRAP = "WINDOWSHOP_DECODE_TRAP"

Header = dict[str, Any]


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = sys.stdin.buffer, _claim_output()
    _limit()
    send(answers, {"ready": True})
    while (request := _receive(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + GRACE_S)  # nothing handles it: it ends the process
        try:
            header, body = _answer(request["path"], request["at_least"])
        except MemoryError:
            send(answers, {"error": "memory"})
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answers, header, body)


def send(stream: BinaryIO, header: Header, body: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(header).encode("ascii")
    stream.write(LENGTHS.pack(len(text), len(body)) + text + body)  # at once: each piece would wake the reader
    stream.flush()


def _receive(stream: BinaryIO) -> Header | None:
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    header: Header = json.loads(stream.read(LENGTHS.unpack(lengths)[0]))
    return header


def _answer(path: str, at_least: int) -> tuple[Header, bytes]:
    _spring_trap(path)
    try:
        data = images.read_file(Path(path))
        size = images.size_of(data)
        picture = images.decode(data, at_least=at_least)
    except BadPicture as error:
        return {"error": error.code, "message": error.message, "hint": error.hint}, b""
    sha256, coloured = images.content_hash(data), images.changes_colours(data)
    header = {"sha256": sha256, "size": size, "pixels": picture.size, "coloured": coloured}
    return header, picture.tobytes()


def _claim_output() -> BinaryIO:
    """Return standard output as a stream for answers alone; what a decoder prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _limit() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    memory = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, hard)
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _spring_trap(path: str) -> None:
    for part, deed in json.loads(os.environ.get(TRAP, "{}")).items():
        if part not in path:
            continue
        if deed == "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        while deed == "loop":
            time.sleep(0.1)  # what never ends need not use the processor
        hoard = [bytes(2**26) for _ in range(2 * MAX_MEMORY_BYTES // 2**26)]
        raise MemoryError(f"Nothing limits memory here: {len(hoard)} pieces were given.")


if __name__ == "__main__":
    main()
