"""Recordings that tests make: WAV files of any kind, and how to spoil them."""

import random
import struct

import numpy as np

RATE = 16_000
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
TAIL = bytes.fromhex("000000001000800000aa00389b71")


def tone(seconds=0.5, rate=RATE, hz=440.0, loudness=0.5):
    return (loudness * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if length is None else length) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def described(tag=PCM, channels=1, rate=RATE, bits=16, block=None, extension=b"") -> bytes:
    block = channels * bits // 8 if block is None else block
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block % 2**32, block, bits) + extension)


def encoded(samples: np.ndarray, bits=16, tag=PCM) -> bytes:
    """Samples from -1 to 1 as bytes, frame by frame."""
    if tag == FLOAT:
        return samples.astype("<f4" if bits == 32 else "<f8").tobytes()
    if bits == 8:
        return np.clip(np.round(samples * 127 + 128), 0, 255).astype(np.uint8).tobytes()
    whole = np.round(samples.astype(np.float64) * (2 ** (bits - 1) - 1)).astype("<i4")
    if bits == 24:
        return whole.reshape(-1).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return whole.astype(f"<i{bits // 8}").tobytes()


def wav(samples=None, rate=RATE, bits=16, tag=PCM, channels=1) -> bytes:
    samples = tone(rate=rate) if samples is None else samples
    frames = np.repeat(samples[:, None], channels, axis=1)
    return riff(described(tag, channels, rate, bits), chunk(b"data", encoded(frames, bits, tag)))


def extensible(bits=24, tag=PCM, tail=TAIL) -> bytes:
    extension = struct.pack("<HHI", 22, bits, 4) + struct.pack("<H", tag) + tail
    return riff(described(EXTENSIBLE, bits=bits, extension=extension), chunk(b"data", encoded(tone(), bits, tag)))


def spoiled(data: bytes, luck: random.Random) -> bytes:
    """The file with bytes changed, mostly of its head, cut, doubled, or with a length that is false."""
    work = bytearray(data)
    for _ in range(luck.randint(1, 6)):
        place = luck.randrange(min(len(work), 64 if luck.random() < 0.8 else len(work)))
        match luck.randrange(5):
            case 0:
                work[place] = luck.randrange(256)
            case 1:
                del work[luck.randrange(4, len(work)) :]
            case 2:
                work[place : place + 4] = struct.pack("<I", luck.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1)))
            case 3:
                work[place:place] = bytes(luck.randrange(256) for _ in range(luck.randint(1, 8)))
            case _:
                del work[place : place + luck.randint(1, 8)]
        if len(work) < 8:
            break
    return bytes(work)
