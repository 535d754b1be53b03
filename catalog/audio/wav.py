"""Read a WAV file: PCM of 8 to 32 bits or float, any rate from 8 to 192 kHz, up to 8 channels.

Our own reader: Python's `wave` reads neither float nor 64 bits, and trusts lengths in the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.audio.limits import check_seconds
from catalog.errors import BadAudio, UnsupportedAudio

Samples = npt.NDArray[np.float32]

MIN_RATE, MAX_RATE = 8_000, 192_000
MAX_CHANNELS = 8
MAX_CHUNKS = 64  # before the sound: real files have two to six
UNKNOWN_LENGTH = 0xFFFFFFFF  # what writers that cannot seek leave as the length of the sound
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
EXTENSIBLE_BYTES = 40
_SUBFORMAT_TAIL = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71".replace(" ", ""))
_FMT = struct.Struct("<HHIIHH")
_RECORD_AGAIN = "Record it again as WAV: 16 bits, 16 kHz, mono."


@dataclass(frozen=True, slots=True)
class _Format:
    is_float: bool
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_wav(data: bytes) -> tuple[Samples, int]:
    """Return the mono samples, float32 from -1 to 1, and their rate in Hz.

    Channels are averaged. Raises BadAudio, AudioTooLarge, UnsupportedAudio.
    """
    header, sound = _chunks(data)
    found = _format(header)
    frames = len(sound) // found.frame_bytes
    if frames == 0:
        raise BadAudio("The recording has no samples.", "Record again.")
    check_seconds(frames / found.rate)
    samples = _samples(sound[: frames * found.frame_bytes], found).reshape(frames, found.channels)
    if found.is_float and not np.isfinite(samples).all():
        raise BadAudio("The recording has samples that are no numbers.", _RECORD_AGAIN)
    mono: Samples = np.clip(samples, -1, 1).mean(axis=1, dtype=np.float32)
    return mono, found.rate


def _chunks(data: bytes) -> tuple[bytes, memoryview]:
    """Return the chunk that describes the sound, and the sound."""
    view, place, header = memoryview(data), 12, b""
    for _ in range(MAX_CHUNKS):
        if place + 8 > len(data):
            break
        name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        begin = place + 8
        if name == b"data":
            if not header:
                raise BadAudio("The recording does not describe its sound.", _RECORD_AGAIN)
            if length == UNKNOWN_LENGTH:
                return header, view[begin:]
            _require_whole(begin, length, data)
            return header, view[begin : begin + length]
        _require_whole(begin, length, data)
        if name == b"fmt ":
            header = data[begin : begin + length]
        place = begin + length + length % 2
    raise BadAudio("The recording has no sound in it.", _RECORD_AGAIN)


def _require_whole(begin: int, length: int, data: bytes) -> None:
    if begin + length > len(data):
        raise BadAudio(
            f"The recording is cut off: a part has {len(data) - begin:,} of {length:,} bytes.", "Send all of it."
        )


def _format(header: bytes) -> _Format:
    if len(header) < _FMT.size:
        raise BadAudio("The recording's description is cut off.", _RECORD_AGAIN)
    tag, channels, rate, _, block, bits = _FMT.unpack_from(header)
    if tag == EXTENSIBLE:
        if len(header) < EXTENSIBLE_BYTES or header[26:EXTENSIBLE_BYTES] != _SUBFORMAT_TAIL:
            raise UnsupportedAudio("The recording's encoding is not known.", _RECORD_AGAIN)
        tag = int.from_bytes(header[24:26], "little")
    if tag not in (PCM, FLOAT):
        raise UnsupportedAudio(
            f"The recording is a WAV with the encoding {tag}; PCM and float are read.", _RECORD_AGAIN
        )
    if bits not in ((32, 64) if tag == FLOAT else (8, 16, 24, 32)):
        raise UnsupportedAudio(f"The recording has samples of {bits} bits.", _RECORD_AGAIN)
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio(f"The recording has {channels} channels; 1 to {MAX_CHANNELS} are read.", _RECORD_AGAIN)
    if not MIN_RATE <= rate <= MAX_RATE:
        raise BadAudio(
            f"The recording has {rate:,} samples a second; {MIN_RATE:,} to {MAX_RATE:,} are read.", _RECORD_AGAIN
        )
    found = _Format(tag == FLOAT, channels, rate, bits)
    if block != found.frame_bytes:
        raise BadAudio("The recording's description contradicts itself.", _RECORD_AGAIN)
    return found


def _samples(sound: memoryview, found: _Format) -> npt.NDArray[np.floating[Any]]:
    """Return all samples in file order, from -1 to 1 when they are whole numbers."""
    if found.is_float:
        return np.frombuffer(sound, "<f4" if found.bits == 32 else "<f8")
    return _INTEGERS[found.bits](sound)


def _of_8_bits(sound: memoryview) -> Samples:
    return (np.frombuffer(sound, np.uint8).astype(np.float32) - 128) / np.float32(2**7)


def _of_16_bits(sound: memoryview) -> Samples:
    return np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(2**15)


def _of_24_bits(sound: memoryview) -> Samples:
    parts = np.frombuffer(sound, np.uint8).reshape(-1, 3)
    wide = np.zeros((len(parts), 4), np.uint8)
    wide[:, 1:] = parts
    return _of_32_bits(memoryview(wide.tobytes()))


def _of_32_bits(sound: memoryview) -> Samples:
    return np.frombuffer(sound, "<i4").astype(np.float32) / np.float32(2**31)


_INTEGERS: dict[int, Callable[[memoryview], Samples]] = {
    8: _of_8_bits,
    16: _of_16_bits,
    24: _of_24_bits,
    32: _of_32_bits,
}
