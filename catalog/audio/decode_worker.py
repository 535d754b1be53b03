"""Decode one recording in a process of its own: `python -m catalog.audio.decode_worker`, started by `decoder.py`.

The recording comes on standard input. The answer on what was standard output is a line of JSON, then the samples:

    {"samples": n}                                          and n float32, little endian, mono, at 16 kHz
    {"error": a code of BadAudio, "message": ..., "hint": ...}
    {"error": "memory"}
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from contextlib import suppress
from typing import Any, BinaryIO

from catalog.errors import BadAudio

MAX_MEMORY_BYTES = 2**30  # address space; the largest WAV needs a quarter
MAX_CPU_SECONDS = 10
MAX_INPUT_BYTES = 2**21


def main() -> None:
    """Decode what comes on standard input, and write the answer."""
    answers = _claim_output()
    limit()
    try:
        header, body = _answer(sys.stdin.buffer.read(MAX_INPUT_BYTES))
    except MemoryError:
        header, body = {"error": "memory"}, b""
    answers.write(json.dumps(header).encode("ascii") + b"\n" + body)
    answers.flush()


def limit() -> None:
    """Limit the memory and the processor time of this process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, amount in ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, MAX_CPU_SECONDS)):
        _, hard = resource.getrlimit(kind)
        value = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        with suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(kind, (value, value))


def _answer(data: bytes) -> tuple[dict[str, Any], bytes]:
    decoding = importlib.import_module("catalog.audio.decoding")  # under the limits, with the libraries that it loads
    try:
        samples = decoding.decode(data)
    except BadAudio as error:
        return {"error": error.code, "message": error.message, "hint": error.hint}, b""
    return {"samples": len(samples)}, samples.astype("<f4").tobytes()


def _claim_output() -> BinaryIO:
    """Return standard output as a stream for answers alone; what a decoder prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
