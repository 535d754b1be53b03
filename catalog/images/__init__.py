"""Decode pictures safely: bytes to an upright RGB picture, within limits of format, size and memory."""

from catalog.images.decoder import (
    FORMATS,
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    Box,
    content_hash,
    decode,
    read_file,
    size_of,
    sniff,
    thumbnail,
)

# fmt: off
__all__ = [
    "FORMATS", "MAX_FILE_BYTES", "MAX_PIXELS", "MAX_SIDE", "Box", "content_hash", "decode", "read_file", "size_of",
    "sniff", "thumbnail",
]
# fmt: on
