"""JPEG files that stop before their end mark: find out whether a part of the picture is missing."""

from __future__ import annotations

from PIL import Image, ImageChops

from catalog.images import limits
from catalog.images.jpeg import END_MARK, JpegFile, Piece, iter_scans, truncated
from catalog.images.metadata import open_pieces

_MISSING_SHARE = 0.02  # of the pixels
_BLURRED_SHARE = 0.05  # of the pixels, where only high frequencies are missing
_UNREFINED_SHARE = 0.25  # of the pixels, where only the last bit of their frequencies is missing
_PLAIN = 2  # of 255: within a block that has no frequencies
_MISSING_BLOCKS = 80  # what 20 bytes can hold: in a small picture that is more than the share
_COMPARED_PIXELS = 4_000_000  # large pictures are compared at a fraction of their size
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
    share, scan_end = _missing_share(data, file)
    end = min(_end_of_codes(data, file.scan), scan_end)
    pieces = file.header, view[file.scan : end]
    held = file.coefficient_bytes(data)
    if share is None or held > limits.MAX_COEFFICIENT_BYTES:
        raise truncated()
    with limits.one_at_a_time(held > limits.BIG_COEFFICIENT_BYTES):
        if not _nearly_whole(pieces, file, share):
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


def _missing_share(data: bytes, file: JpegFile) -> tuple[float | None, int]:
    """Return which share of the pixels the last scan may lack, and where it ends; None when more scans are missing.

    A scan of a progressive file only adds frequencies, or their last bit, which hardly shows: it may lack more. Where
    the first component has all of its bits, scans that refine the others may be missing.
    """
    if file.frame is None:
        return None, len(data)
    lowest = {part.number: [_COEFFICIENTS] * _COEFFICIENTS for part in file.frame.components}
    main, progressive = file.frame.components[0].number, file.frame.marker & 3 == 2
    end, share = len(data), _MISSING_SHARE
    for scan, _ in iter_scans(data, file):
        end, share = scan.end, _MISSING_SHARE
        members = [number for number, _ in scan.components if number in lowest]
        if progressive and scan.first > 0:
            alone = main in members or any(lowest[main])
            share = _BLURRED_SHARE if scan.high == 0 else _UNREFINED_SHARE if alone else 1.0
        for number in members:
            band = range(scan.first, min(scan.last, 63) + 1) if progressive else range(_COEFFICIENTS)
            for index in band:
                lowest[number][index] = scan.low if progressive else 0
    bits = [max(values) for values in lowest.values()]
    return (share if bits[0] == 0 and max(bits) <= 1 else None), end


def _nearly_whole(pieces: tuple[Piece, ...], file: JpegFile, share: float) -> bool:
    """Return whether at most this share of the pixels is missing, or so little that a few bytes hold it."""
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
    if share > _MISSING_SHARE:
        missing = min(missing, _detailed_blocks(ended.crop((0, top, width, height)), unit) * unit[0] * unit[1])
    blocks = sum(part.across * part.down for part in file.frame.components)
    few = _MISSING_BLOCKS * unit[0] * unit[1] // blocks
    return missing <= max(share * width * height, min(few, width * height // 8))


def _detailed_blocks(picture: Image.Image, unit: list[int]) -> int:
    """Return how many blocks of this width and height are not plain: a few bytes say that thousands are."""
    import numpy as np  # here, so that decode workers start faster; few pictures need it

    across, down = picture.width // unit[0], picture.height // unit[1]
    grey = np.asarray(picture.convert("L"))[: down * unit[1], : across * unit[0]]
    blocks = grey.reshape(down, unit[1], across, unit[0])
    return int((blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3)) > _PLAIN).sum()) if blocks.size else 0


def _decoded(pieces: tuple[Piece, ...]) -> Image.Image:
    with Image.open(open_pieces(pieces), formats=["JPEG"]) as picture:
        limits.check_size(picture.size, "JPEG")
        factor = limits.reduction(picture.size, _COMPARED_PIXELS)
        if factor > 1:
            picture.draft(None, (max(1, picture.width // factor), max(1, picture.height // factor)))
        picture.load()
        return picture.convert("RGB")
