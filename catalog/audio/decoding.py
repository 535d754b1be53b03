"""Decode a recording in this process. Only `decode_worker` and tests do: bytes of strangers belong in a child."""

from __future__ import annotations

from catalog.audio.containers import read_container
from catalog.audio.limits import WAV, check_format
from catalog.audio.resampling import resample
from catalog.audio.wav import Samples, read_wav


def decode(data: bytes) -> Samples:
    """Return a recording as mono samples at 16 kHz, float32 from about -1 to 1.

    Raises BadAudio, AudioTooLarge, UnsupportedAudio, and nothing else but MemoryError.
    """
    name = check_format(data)
    if name == WAV:
        return resample(*read_wav(data))
    return read_container(data, name)
