"""Open a feed's bytes: unpack .gz while reading, and refuse workbooks and other binary files."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from catalog.errors import BadFeed

GZIP = ".gz"

# Feeds shrink to a tenth or so, repetitive ones to a fiftieth; deflate's own limit is 1:1032. A file that grows more
# than this was made to fill a disk or to occupy a processor.
_MAX_GROWTH = 250
_GROWTH_FREE = 4 * 2**20
_CHUNK_BYTES = 2**16

_FOREIGN: dict[str, bytes | tuple[bytes, ...]] = {  # how other files begin
    "an Excel workbook or a ZIP archive": b"PK\x03\x04",
    "an old Excel workbook": b"\xd0\xcf\x11\xe0",
    "compressed with gzip, though its name does not end in .gz": b"\x1f\x8b",
    "a PDF document": b"%PDF",
    "a picture": (b"\xff\xd8\xff", b"\x89PNG"),
}


class _Unpacked(io.RawIOBase):
    """The unpacked content of a gzip file, as a stream; reading raises BadFeed where it is damaged or a bomb."""

    def __init__(self, packed: BinaryIO, source: str) -> None:
        self._packed = packed
        self._source = source
        self._gzip = gzip.GzipFile(fileobj=packed, mode="rb")
        self._length = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        feed = f"The feed {self._source}"
        try:
            data = self._gzip.read1(len(buffer))
        except EOFError:
            raise BadFeed(f"{feed} ends before its gzip data do: it was cut short.", "Send or pack it again.") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            hint = "Pack it again, or give it unpacked."
            raise BadFeed(f"{feed} is not a valid gzip file: {error}.", hint) from None
        self._length += len(data)
        if self._length > max(_GROWTH_FREE, _MAX_GROWTH * self._packed.tell()):
            hint = "If it is a real feed, give it unpacked."
            raise BadFeed(f"{feed} unpacks to more than {_MAX_GROWTH} times its size: a gzip bomb.", hint)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader[Any]]:
    """Open a feed's bytes, unpacked if its name ends in .gz. Raises BadFeed when they cannot be a feed."""
    try:
        with path.open("rb") as file:
            packed = path.name.lower().endswith(GZIP)
            content = io.BufferedReader(_Unpacked(file, path.name), _CHUNK_BYTES) if packed else file
            start = content.peek(8)
            if foreign := next((name for name, signatures in _FOREIGN.items() if start.startswith(signatures)), None):
                raise BadFeed(f"The feed {path.name} is {foreign}, not text.", "Export it as CSV in UTF-8.")
            yield content
    except OSError as error:
        raise BadFeed(f"The feed {path} cannot be read: {error.strerror}.", "Check the path and its rights.") from error
