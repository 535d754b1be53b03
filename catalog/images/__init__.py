"""Decode pictures safely: bytes to an upright RGB picture, within limits of format, size and memory."""

from catalog.images.decoder import MAX_FILE_BYTES, Box, content_hash, decode, read_file, size_of, thumbnail
from catalog.images.formats import sniff

__all__ = ["MAX_FILE_BYTES", "Box", "content_hash", "decode", "read_file", "size_of", "sniff", "thumbnail"]
