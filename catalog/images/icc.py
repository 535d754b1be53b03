"""Make ICC profiles of the colours that picture files describe in other ways: by numbers, or by a gamma."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence

MAX_PROFILE_BYTES = 4 * 2**20  # the largest of the usual ones, for printing, have half of it

Point = tuple[float, float]

_D50 = (0.9642, 1.0, 0.8249)
_D65, _DCI = (0.3127, 0.3290), (0.314, 0.351)
_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# The numbers are those of ITU-T H.273, which PNG (cICP), AVIF and HEIF share.
_PRIMARIES: dict[int, tuple[tuple[Point, Point, Point], Point]] = {
    1: (_SRGB, _D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), (0.310, 0.316)),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), _D65),
    6: (((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)), _D65),
    7: (((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)), _D65),
    9: (((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)), _D65),
    11: (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), _DCI),
    12: (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), _D65),
}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_TRANSFERS: dict[int, tuple[float, ...]] = {4: (2.2,), 5: (2.8,), 8: (1.0,)} | dict.fromkeys(
    (1, 6, 13, 14, 15), _SRGB_CURVE
)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_SRGB_GAMMA = 45_455  # what encoders write for sRGB, in 100,000ths
_SRGB_POINTS = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_TOLERANCE = 0.01


@functools.lru_cache(maxsize=64)
def coded_profile(primaries: int, transfer: int) -> bytes | None:
    """Return a profile of these primaries and transfer function; b"" for sRGB, None for what cannot be shown so."""
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    curve = _TRANSFERS[transfer]
    if primaries == 1 and curve == _SRGB_CURVE:
        return b""
    return _profile(*_PRIMARIES[primaries], curve)


@functools.lru_cache(maxsize=64)
def gamma_profile(gamma: int, points: tuple[int, ...] | None) -> bytes:
    """Return a profile of a PNG's gAMA and cHRM (white, red, green, blue), in 100,000ths; b"" for sRGB or nonsense."""
    points = points or _SRGB_POINTS
    near = all(abs(value - usual) <= 1e5 * _TOLERANCE for value, usual in zip(points, _SRGB_POINTS, strict=True))
    if not 1_000 <= gamma <= 1_000_000 or (near and abs(gamma / _SRGB_GAMMA - 1) <= _TOLERANCE):
        return b""
    white, red, green, blue = [(points[i] / 1e5, points[i + 1] / 1e5) for i in range(0, 8, 2)]
    if not all(0 < y <= 1 and 0 <= x <= 1 for x, y in (white, red, green, blue)):
        return b""
    try:
        return _profile((red, green, blue), white, (1e5 / gamma,))
    except (ZeroDivisionError, struct.error):  # points on one line, or far outside what a profile can hold
        return b""


def _profile(primaries: Sequence[Point], white: Point, curve: Sequence[float]) -> bytes:
    """Return an RGB profile: three primaries and a white in xy, and a parametric curve from values to light."""
    columns = _columns(primaries, white)
    kind = 0 if len(curve) == 1 else 3
    shape = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, curve))
    tags = {
        name: b"XYZ \0\0\0\0" + b"".join(map(_fixed, column))
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    }
    tags |= {b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(_fixed, _D50)), b"rTRC": shape, b"gTRC": shape, b"bTRC": shape}
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(value))
        body += value
    head = struct.pack(
        ">I4sI4s4s4s12s4s", 128 + len(table) + len(body), b"", 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp"
    )
    head = head.ljust(68, b"\0") + b"".join(map(_fixed, _D50))
    return head.ljust(128, b"\0") + table + body


def _columns(primaries: Sequence[Point], white: Point) -> list[list[float]]:
    """Return the XYZ of the three primaries for a white of D50: scaled to add up to the white, then adapted."""
    of_white = _xyz(white)
    matrix = _transposed([_xyz(point) for point in primaries])
    scales = _times(_inverse(matrix), of_white)
    seen, wanted = _times(_BRADFORD, of_white), _times(_BRADFORD, _D50)
    ratios = [there / here for there, here in zip(wanted, seen, strict=True)]
    back = _inverse(_BRADFORD)
    columns = []
    for point, scale in zip(primaries, scales, strict=True):
        cone = _times(_BRADFORD, [scale * value for value in _xyz(point)])
        columns.append(_times(back, [ratio * value for ratio, value in zip(ratios, cone, strict=True)]))
    return columns


def _xyz(point: Point) -> list[float]:
    x, y = point
    return [x / y, 1.0, (1 - x - y) / y]


def _times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _transposed(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _inverse(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the inverse of a matrix of 3 x 3. Raises ZeroDivisionError when it has none."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    cofactors = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return [[value / determinant for value in row] for row in cofactors]


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))
