"""Large JPEG files made in little memory: one row of blocks, repeated behind restart marks."""

import io
import re

import numpy as np
from PIL import Image

from catalog.images.jpeg import iter_scans, read_jpeg

ROW = 16  # pixels


def texture(width, seed=5):
    """A row of 16 pixels: soft colours and some noise, as a photo has."""
    chance = np.random.default_rng(seed)
    soft = Image.fromarray(chance.integers(60, 200, (1, max(2, width // 128), 3), np.uint8)).resize((width, ROW), 3)
    noise = chance.normal(0, 4, (ROW, width, 3))
    return Image.fromarray(np.clip(np.asarray(soft) + noise, 0, 255).astype(np.uint8))


def tall_jpeg(row, rows, **options):
    """The bytes of a JPEG that shows a row of 16 pixels so many times; every scan's data is repeated."""
    out = io.BytesIO()
    row.save(out, "JPEG", **{"quality": 75, "subsampling": 2, "restart_marker_rows": 1} | options)
    data = out.getvalue()
    pieces, at = [], 0
    for scan, _ in iter_scans(data, read_jpeg(data)):
        segments = re.split(rb"\xff[\xd0-\xd7]", data[scan.start : scan.end]) * rows
        marked = [segment + bytes((0xFF, 0xD0 + number % 8)) for number, segment in enumerate(segments[:-1])]
        pieces += [data[at : scan.start], *marked, segments[-1]]
        at = scan.end
    made = bytearray(b"".join([*pieces, data[at:]]))
    frame = next(made.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in made[:2_000])
    made[frame + 5 : frame + 7] = (ROW * rows).to_bytes(2, "big")
    return bytes(made)
