"""JPEG files that stop before their end mark: find out whether a part of the picture is missing."""

from __future__ import annotations

from PIL import Image, ImageChops

from catalog.images import limits
from catalog.images.jpeg import END_MARK, JpegFile, Piece, iter_scans, truncated
from catalog.images.metadata import open_pieces

_MISSING_SHARE = 0.01  # of the pixels; what a few bytes hold
_MISSING_MCUS = 2  # in a small picture a few bytes hold more than that share
_COMPARED_PIXELS = 13_000_000  # large pictures are compared at a fraction of their size
_NOISE = bytes(range(1, 250, 4))  # codes that a decoder does not make up itself
_COEFFICIENTS = 64


def pieces_to_end(data: bytes, file: JpegFile) -> tuple[Piece, ...]:
    """Return the file's pieces with an end mark; raise BadPicture when more than its last few pixels are missing.

    A decoder makes up grey for what it misses, and does not tell. So a file without an end is decoded twice, once
    with an end and once with noise put behind it: the first pixel that differs is the first that the file lacks.
    """
    view = memoryview(data)
    if file.ended:
        return file.header, view[file.scan :]
    end = _end_of_codes(data, file.scan)
    pieces = file.header, view[file.scan : end]
    small = file.coefficient_bytes(data) <= limits.MAX_COEFFICIENT_BYTES
    if not (small and _has_every_scan(data, file) and _nearly_whole(pieces, file)):
        raise truncated()
    return *pieces, END_MARK


def _end_of_codes(data: bytes, start: int) -> int:
    """Return where the last scan's data ends: before padding of zeros, and before the first half of an end mark."""
    end = len(data)
    while end > start and data[end - 1] == 0:
        end -= 1
    if end < len(data) and data[end - 1] == 0xFF:
        return end + 1  # a byte of 255 in the data, which is written with a zero
    return end - 1 if data[end - 1] == 0xFF else end


def _has_every_scan(data: bytes, file: JpegFile) -> bool:
    """Return whether the last scan has begun: every bit of every coefficient has been in a scan."""
    if file.frame is None:
        return False
    lowest = {part.number: [_COEFFICIENTS] * _COEFFICIENTS for part in file.frame.components}
    progressive = file.frame.marker & 3 == 2
    for scan, _ in iter_scans(data, file):
        for number, _ in scan.components:
            if number in lowest:
                band = range(scan.first, min(scan.last, 63) + 1) if progressive else range(_COEFFICIENTS)
                for index in band:
                    lowest[number][index] = scan.low if progressive else 0
    return not any(map(any, lowest.values()))


def _nearly_whole(pieces: tuple[Piece, ...], file: JpegFile) -> bool:
    ended, noisy = (_decoded((*pieces, *tail)) for tail in ((END_MARK,), (_NOISE, END_MARK)))
    difference = ImageChops.difference(ended, noisy)
    if (bounds := difference.getbbox()) is None:
        return True
    assert file.frame is not None
    width, height = ended.size
    unit = [max(1, 8 * side * height // file.frame.height) for side in file.frame.mcu_sides]
    first = bounds[1] + (bounds[1] % unit[1] == unit[1] - 1)  # colours are smoothed into the row of pixels above
    top = first - first % unit[1]
    line = difference.crop((0, first, width, min(top + unit[1], height))).getbbox() if first < height else None
    left = line[0] if line else 0
    missing = (height - top) * width - left * min(unit[1], height - top)
    return missing <= max(_MISSING_SHARE * width * height, min(_MISSING_MCUS * unit[0] * unit[1], width * height // 8))


def _decoded(pieces: tuple[Piece, ...]) -> Image.Image:
    with Image.open(open_pieces(pieces), formats=["JPEG"]) as picture:
        limits.check_size(picture.size, "JPEG")
        factor = limits.reduction(picture.size, _COMPARED_PIXELS)
        if factor > 1:
            picture.draft(None, (max(1, picture.width // factor), max(1, picture.height // factor)))
        picture.load()
        return picture.convert("RGB")
