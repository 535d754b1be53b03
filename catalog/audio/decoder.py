"""Decode a recording in a child process, so that a decoder that crashes, hangs or eats memory costs one recording.

Each recording has a child of its own, which starts in a tenth of a second: it never holds another shopper's voice. What
the child answers is numbers and JSON, checked here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import numpy as np

from catalog.audio.limits import MAX_SAMPLES, check_format
from catalog.audio.wav import Samples
from catalog.errors import AudioTooLarge, BadAudio, UnsupportedAudio
from catalog.files.child_environment import child_environment

WORKER = "catalog.audio.decode_worker"
DECODE_SECONDS = 8.0  # wall-clock; the slowest recording that is allowed takes one
MAX_HEADER_BYTES = 2**16
MAX_ANSWER_BYTES = MAX_HEADER_BYTES + 4 * MAX_SAMPLES

_ERRORS = {error.code: error for error in (BadAudio, UnsupportedAudio, AudioTooLarge)}
_CHILD_VARIABLES = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "PYTHONSAFEPATH": "1"}
_AGAIN = "Record it again, best as WAV."


def decode_in_child(data: bytes, seconds: float = DECODE_SECONDS, worker: str = WORKER) -> Samples:
    """Return a recording as mono samples at 16 kHz, float32 from -1 to 1.

    Raises BadAudio, also when the decoder did not survive the recording, AudioTooLarge, UnsupportedAudio.
    """
    check_format(data)
    process = subprocess.Popen(
        [sys.executable, "-m", worker],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(**_CHILD_VARIABLES),
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        answer = _exchange(process, data)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    if late.is_set():
        raise BadAudio(f"The recording takes longer than {seconds:g} s to decode.", _AGAIN)
    return _parse_answer(answer)


def _exchange(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    """Send the recording, and return the answer, perhaps cut short by the end of the child."""
    assert process.stdin is not None and process.stdout is not None
    with process.stdin as requests, process.stdout as answers:
        with suppress(BrokenPipeError):
            requests.write(data)
            requests.close()
        return answers.read(MAX_ANSWER_BYTES + 1)


def _parse_answer(answer: bytes) -> Samples:
    """Return the samples, or raise the child's error; anything else is the answer of a damaged child."""
    header, _, body = answer.partition(b"\n")
    match _parse_header(header):
        case {"error": "memory"}:
            raise AudioTooLarge("The recording needs too much memory to decode.", _AGAIN)
        case {"error": str(code), "message": str(message), "hint": str(hint)} if code in _ERRORS:
            raise _ERRORS[code](message, hint)
        case {"samples": int(count)} if 0 < count <= MAX_SAMPLES and len(body) == 4 * count:
            samples = np.frombuffer(body, "<f4").astype(np.float32)
            if np.isfinite(samples).all():
                return np.clip(samples, -1, 1)
    raise BadAudio("The recording makes the decoder crash.", _AGAIN)


def _parse_header(header: bytes) -> Any:
    try:
        return json.loads(header[:MAX_HEADER_BYTES])
    except (ValueError, RecursionError):
        return None
