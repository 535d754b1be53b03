"""Decode a progressive JPEG at an eighth of its size from its DC coefficients alone.

A decoder of progressive files holds all coefficients of the picture in memory: 600 MB for a phone's 200 megapixels.
The mean of each block of 8 x 8 samples stands in scans of its own, near the file's beginning. They are read here in
memory for an eighth of the picture a side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from catalog.images.jpeg import Component, Frame, JpegFile, Scan, Tables, adobe_transform, iter_scans, truncated

Ints = NDArray[np.int64]
Coefficients = NDArray[np.int32]

_CHUNK_BYTES = 2**17  # of a scan's data that is looked at together
_OVERLAP_BYTES = 64  # more than one MCU takes
_MAX_RESTARTS = 20_000
_MIDDLE = 8 * 128 + 4  # the grey that coefficients are differences to, in eighths, and a half to round
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_RGB_NUMBERS = (82, 71, 66)  # component numbers that spell RGB


@dataclass(frozen=True, slots=True)
class _Code:
    """A Huffman table for DC, by the next 16 bits: bits of the code and of the number behind it, and of the latter."""

    both: NDArray[np.uint8]
    number: NDArray[np.uint8]


def decode_eighth(data: bytes, file: JpegFile) -> Image.Image:
    """Return the picture at ceil(side / 8) pixels a side, in mode L, RGB or CMYK, not yet turned upright.

    Raises BadPicture for a file that lacks a part of these coefficients, or that has been cut off.
    """
    assert file.frame is not None
    coefficients: dict[int, Coefficients] = {}
    steps: dict[int, int] = {}
    for scan, tables in iter_scans(data, file):
        if scan.first > 0:
            continue
        members = [_component(file.frame, number) for number, _ in scan.components]
        blocks = _blocks(scan, file.frame, members)
        stream = data[scan.start : scan.end]
        if scan.high == 0 and not any(part.number in coefficients for part in members):
            coefficients |= _first_scan(stream, scan, tables, file.frame, members)
            steps |= {part.number: tables.quantisation.get(part.table, (1, 0))[1] for part in members}
        elif scan.high and all(part.number in coefficients for part in members):
            _refine(stream, scan, blocks, tables.restart, members, coefficients)
    if set(coefficients) != {part.number for part in file.frame.components} or not file.ended:
        raise truncated()
    planes = [_plane(coefficients[part.number], steps[part.number]) for part in file.frame.components]
    return _merge(planes, file)


def _component(frame: Frame, number: int) -> Component:
    for part in frame.components:
        if part.number == number:
            return part
    raise ValueError("a scan names a component that is not in the frame")


def _blocks(scan: Scan, frame: Frame, members: list[Component]) -> tuple[int, int]:
    """Return how many units a scan has across and down: blocks when it has one component, else MCUs."""
    return frame.blocks(members[0]) if len(scan.components) == 1 else frame.mcus


def _first_scan(
    stream: bytes, scan: Scan, tables: Tables, frame: Frame, members: list[Component]
) -> dict[int, Coefficients]:
    """Return the DC coefficients (rows, columns) of each component of a scan, by its number."""
    across, down = _blocks(scan, frame, members)
    alone = len(members) == 1
    codes = [_code(tables.huffman.get(table, b"")) for _, table in scan.components]
    per_unit = [1 if alone else part.across * part.down for part in members]
    order = [index for index, count in enumerate(per_unit) for _ in range(count)]
    differences = np.empty((across * down, len(order)), np.int32)
    interval = tables.restart or len(differences)
    if len(differences) > interval * _MAX_RESTARTS:
        raise ValueError("there are too many restart marks")
    begin = 0
    for coded in _RESTART.split(stream):
        bits = coded.replace(b"\xff\x00", b"\xff")
        end = min(begin + interval, len(differences))
        _read_units(bits, [codes[index] for index in order], differences[begin:end])
        column = 0
        for count in per_unit:  # each component's coefficients follow one another through the units
            values = np.cumsum(differences[begin:end, column : column + count].ravel(), dtype=np.int32)
            differences[begin:end, column : column + count] = values.reshape(-1, count)
            column += count
        begin = end
        if begin == len(differences):
            break
    if begin < len(differences):
        raise ValueError("image file is truncated")
    found, column = {}, 0
    for part, count in zip(members, per_unit, strict=True):
        wide, high = (1, 1) if alone else (part.across, part.down)
        values = differences[:, column : column + count].reshape(down, across, high, wide).astype(np.int32) << scan.low
        found[part.number] = values.transpose(0, 2, 1, 3).reshape(down * high, across * wide)
        column += count
    return found


def _refine(
    stream: bytes,
    scan: Scan,
    blocks: tuple[int, int],
    restart: int,
    members: list[Component],
    coefficients: dict[int, Coefficients],
) -> None:
    """Add the next lower bit of each coefficient, which stands alone in the data; do nothing when some are missing."""
    across, down = blocks
    alone = len(members) == 1
    counts = [1 if alone else part.across * part.down for part in members]
    parts, left = [], across * down * sum(counts)
    for coded in _RESTART.split(stream):
        found = np.unpackbits(np.frombuffer(coded.replace(b"\xff\x00", b"\xff"), np.uint8))
        parts.append(found[: min(restart * sum(counts) or left, left)])
        left -= len(parts[-1])
    if left:
        return
    bits = np.concatenate(parts)
    units, column = bits.reshape(across * down, -1), 0
    for part, count in zip(members, counts, strict=True):
        wide, high = (1, 1) if alone else (part.across, part.down)
        lower = units[:, column : column + count].reshape(down, across, high, wide).astype(np.int32) << scan.low
        values = coefficients[part.number]
        rows = lower.transpose(0, 2, 1, 3).reshape(down * high, across * wide)
        rows = rows[: values.shape[0], : values.shape[1]]
        values[: rows.shape[0], : rows.shape[1]] |= rows
        column += count


def _read_units(data: bytes, codes: list[_Code], differences: NDArray[np.int32]) -> None:
    """Read the numbers of each unit (units, blocks) one by one. Raises ValueError where they end or make no sense.

    Where a number ends is known for every bit at which it might begin; only the units are then followed one by one.
    """
    padded = np.frombuffer(data + bytes(_OVERLAP_BYTES + 4), np.uint8)
    unit, begin = 0, 0
    while unit < len(differences):
        first = begin // 8
        if first >= len(data):
            raise ValueError("image file is truncated")
        part = padded[first : first + _CHUNK_BYTES + _OVERLAP_BYTES + 4]
        windows = _windows(part)
        starts, begin = _follow(windows, codes, begin - 8 * first, len(differences) - unit)
        begin += 8 * first
        position = starts
        for block, code in enumerate(codes):
            window = windows[position]
            bits = code.number[window].astype(np.int32)
            position = position + code.both[window]
            if not code.both[window].all() or position[-1] > 8 * (len(data) - first):
                raise ValueError("the Huffman codes make no sense")
            differences[unit : unit + len(starts), block] = _numbers(part, position - bits, bits)
        unit += len(starts)


def _windows(part: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the 16 bits that begin at each bit."""
    wide = part.astype(np.uint32)
    joined = (wide[:-3] << 16) | (wide[1:-2] << 8) | wide[2:-1]
    windows = np.empty((len(joined), 8), np.uint16)
    for bit in range(8):
        windows[:, bit] = (joined >> (8 - bit)) & 0xFFFF
    return windows.ravel()


def _follow(windows: NDArray[np.uint16], codes: list[_Code], begin: int, units: int) -> tuple[Ints, int]:
    """Return the bits at which the units of this part begin, at most so many, and the bit behind them."""
    last = len(windows) - 1
    lengths = {id(code): code.both[windows] for code in codes}
    ends = np.arange(len(windows))
    for code in codes:
        ends += lengths[id(code)][ends]
        np.minimum(ends, last, out=ends)
    following, limit = memoryview(ends), len(windows) - 8 * _OVERLAP_BYTES  # type: ignore[arg-type]
    starts: list[int] = []
    while begin < limit and len(starts) < units:
        starts.append(begin)
        begin = following[begin]
        if begin == starts[-1]:
            raise ValueError("the Huffman codes make no sense")
    return np.array(starts, np.int64), begin


def _numbers(part: NDArray[np.uint8], position: Ints, bits: NDArray[np.int32]) -> Ints:
    """Return the numbers of so many bits at these positions, in the form that JPEG gives differences."""
    at = position >> 3
    joined = part[at].astype(np.int64) << 16 | part[at + 1].astype(np.int64) << 8 | part[at + 2]
    raw = joined >> (24 - (position & 7) - bits) & (1 << bits) - 1
    negative = (bits > 0) & (raw < 1 << np.maximum(bits, 1) - 1)
    numbers: Ints = np.where(negative, raw - (1 << bits) + 1, raw)
    return numbers


def _code(table: bytes) -> _Code:
    """Return a Huffman table as an answer for every 16 bits; 0 bits where no code begins so."""
    both, number, code, at = np.zeros(2**16, np.uint8), np.zeros(2**16, np.uint8), 0, 16
    for length in range(1, 17):
        for symbol in table[at : at + table[length - 1]] if len(table) >= 16 else b"":
            if symbol > 15 or code >> length:
                raise ValueError("a Huffman table makes no sense")
            span = slice(code << (16 - length), (code + 1) << (16 - length))
            both[span], number[span] = length + symbol, symbol
            code += 1
        at += table[length - 1] if len(table) >= 16 else 0
        code <<= 1
    return _Code(both, number)


def _plane(coefficients: Coefficients, step: int) -> NDArray[np.uint8]:
    samples: NDArray[np.uint8] = np.clip((coefficients * step + _MIDDLE) >> 3, 0, 255).astype(np.uint8)
    return samples


def _merge(planes: list[NDArray[np.uint8]], file: JpegFile) -> Image.Image:
    """Return the planes as a picture, each enlarged to the finest, in the colours that a decoder would give."""
    assert file.frame is not None
    frame, transform = file.frame, adobe_transform(file)
    width, height = -(-frame.width // 8), -(-frame.height // 8)
    across, down = frame.mcu_sides
    bands = []
    for plane, part in zip(planes, frame.components, strict=True):
        shown = -(-width * part.across // across), -(-height * part.down // down)
        band = Image.fromarray(np.ascontiguousarray(plane[: shown[1], : shown[0]]))
        bands.append(band if band.size == (width, height) else band.resize((width, height), Image.Resampling.BILINEAR))
    if len(bands) == 1:
        return bands[0]
    spells_rgb = tuple(part.number for part in frame.components) == _RGB_NUMBERS
    if len(bands) == 3:
        plain = transform == 0 or (transform is None and spells_rgb)
        return Image.merge("RGB", bands) if plain else Image.merge("YCbCr", bands).convert("RGB")
    if transform == 2:
        return Image.merge(
            "CMYK", [*Image.merge("YCbCr", bands[:3]).convert("RGB").split(), ImageChops.invert(bands[3])]
        )
    return Image.merge("CMYK", [ImageChops.invert(band) for band in bands])
