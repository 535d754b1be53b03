"""Read the input of a bulk job: a CSV with a folder of pictures, or a zip. The input is not trusted.

No file of a zip is unpacked to disk under its own name: pictures are read one at a time, within limits.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from catalog import images
from catalog.errors import BadFeed, BadInput, BadPicture, BadRow, PictureTooLarge
from catalog.feeds.picture_paths import PictureResolver
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.row import FeedRow, first
from catalog.images.formats import ENDINGS
from catalog.text.html import field_text
from catalog.text.strings import natural_key

MAX_ROWS = 50_000
MAX_FILES = 65_000  # a plain zip lists no more; others need zip64, which is refused
MAX_INPUT_BYTES = 2 * 2**30
MAX_UNPACKED_BYTES = 4 * 2**30  # sum over all files in a zip
MAX_TABLE_BYTES = 64 * 2**20
MAX_PICTURE_BYTES = 64 * 2**20  # as in a feed
MAX_DIRECTORY_BYTES = 32 * 2**20
MAX_RATIO = 100  # largest ratio of unpacked to packed size; pictures hardly shrink at all
MIN_RATIO_BYTES = 2**16  # the ratio of smaller files is ignored
MAX_PICTURES = 7
MAX_ID_LENGTH = 500
PICTURE_COLUMNS = ("picture", "pictures", "image", "images", "image_link", "additional_image_link", "photo", "photos")
ID_COLUMNS, TITLE_COLUMNS = ("id", "sku"), ("title", "name")

_END, _END64_AT = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _LONGEST_COMMENT = 22, 2**16
_BETWEEN = re.compile(r"\s*[|;]\s*")


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A listing to suggest for: line (0 without a table), id, title, picture names, all cells; or a fault."""

    line: int
    id: str = ""
    title: str = ""
    pictures: tuple[str, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


class Pictures(Protocol):
    """Source of the rows' pictures."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture. Raises BadPicture."""

    def close(self) -> None:
        """Close the files."""


class FolderPictures:
    """Pictures in the folder of a CSV; nothing outside that folder is read."""

    def __init__(self, root: Path) -> None:
        self._folder = PictureResolver(root)

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture. Raises BadPicture."""
        try:
            return images.read_file(Path(self._folder.find(name)))
        except BadRow as error:
            raise BadPicture(f"The {error.message}.") from None

    def close(self) -> None:
        """Do nothing: no file is open."""


class ZipPictures:
    """The pictures and tables in a zip. Raises BadFeed for a zip that is not safe to read."""

    def __init__(self, path: Path) -> None:
        _check_end(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise BadFeed(f"The zip cannot be read: {error}.", "Pack it again.") from error
        try:
            self._files = _checked(self._zip.infolist())
        except BaseException:
            self._zip.close()
            raise
        self.names = sorted((n for n in self._files if n.lower().endswith(ENDINGS)), key=natural_key)
        self.tables = sorted(name for name in self._files if name.lower().endswith((".csv", ".tsv")))

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture. Raises BadPicture."""
        if name not in self._files:
            hint = "Names are relative to the folder of the table."
            raise BadPicture(f"There is no picture {name[:120]!r} among the files sent.", hint)
        return self._unpacked(name, MAX_PICTURE_BYTES)

    def read_table(self, name: str) -> bytes:
        """Return the bytes of a table. Raises BadFeed."""
        try:
            return self._unpacked(name, MAX_TABLE_BYTES)
        except BadPicture as error:
            raise BadFeed(f"The table {name[:120]!r} cannot be read: {error.message}", "Pack it again.") from None

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _unpacked(self, name: str, limit: int) -> bytes:
        try:
            with self._zip.open(self._files[name]) as file:
                data = file.read(limit + 1)
        except Exception as error:  # a damaged zip raises nearly any exception
            raise BadPicture(f"{name[:120]!r} is damaged in the zip.", "Pack it again.") from error
        if len(data) > limit:
            raise PictureTooLarge(f"{name[:120]!r} is larger than {limit // 2**20} MiB.", "Make it smaller.")
        return data


def open_pictures(source: Path, root: Path) -> Pictures:
    """Open the pictures of a source: those in the zip, or for a CSV those in the folder `root`."""
    return ZipPictures(source) if is_zip(source) else FolderPictures(root)


def is_zip(source: Path) -> bool:
    """Return whether a file begins like a zip."""
    with source.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)


def read_rows(source: Path, table: Path) -> list[BulkRow]:
    """Read the rows of a source; the table of a zip is first written to the file `table`. Raises BadFeed.

    Without a table every picture of the zip is a row, in natural order of names; `_ids` gives the ids.
    """
    if not is_zip(source):
        return _limited(_table_rows(source, ""))
    pictures = ZipPictures(source)
    try:
        if len(pictures.tables) > 1:
            raise BadFeed(f"There are {len(pictures.tables)} tables among the files sent.", "Send one of them.")
        if not pictures.tables:
            ids = _ids(pictures.names)
            return _limited(BulkRow(0, row_id, "", (name,)) for row_id, name in zip(ids, pictures.names, strict=True))
        name = pictures.tables[0]
        table.write_bytes(pictures.read_table(name))
        folder = name.rpartition("/")[0]
        return _limited(_table_rows(table, folder + "/" if folder else "", set(pictures.names)))
    finally:
        pictures.close()


def split_pictures(cell: str) -> list[str]:
    """Split a cell into the pictures that it names."""
    return [piece for piece in _BETWEEN.split(cell) if piece]


def _ids(names: Sequence[str]) -> list[str]:
    """Return a unique id for each picture: the file's stem where it is unambiguous, else the path without suffix, else
    the whole path.
    """
    variants = [(PurePosixPath(name).stem, str(PurePosixPath(name).with_suffix("")), name) for name in names]
    times = Counter(variant for own in variants for variant in set(own))
    return [_short(next((variant for variant in own if times[variant] == 1), own[-1])) for own in variants]


def _short(name: str) -> str:
    """Shorten a name that is too long for an id: its beginning and its digest, since many may begin alike."""
    if len(name) <= MAX_ID_LENGTH:
        return name
    return f"{name[: MAX_ID_LENGTH - 17]}-{images.content_hash(name.encode())[:16]}"


def _limited(rows: Iterable[BulkRow]) -> list[BulkRow]:
    found: list[BulkRow] = []
    for row in rows:
        if len(found) == MAX_ROWS:
            raise BadFeed(f"There are more than {MAX_ROWS:,} rows.", "Split them into several jobs.")
        found.append(row)
    if not found:
        raise BadFeed("The input has no rows.", "Give pictures, or a CSV with a column of pictures.")
    return found


def _table_rows(path: Path, folder: str, known: set[str] | None = None) -> Iterator[BulkRow]:
    with open_table(path) as (header, rows):
        if not set(header) & set(PICTURE_COLUMNS):
            raise BadFeed(
                f"The table has no column of pictures; its columns are: {', '.join(header)[:300]}.",
                "Name one of them 'image'; columns id and title are optional.",
            )
        for row in rows:
            if row.fault:
                yield BulkRow(row.line, fault=f"the row cannot be read: {row.fault}")
            else:
                yield _row(row, header, folder, known)


def _row(row: FeedRow, header: Sequence[str], folder: str, known: set[str] | None) -> BulkRow:
    pictures: list[str] = []
    for cell in (cell for name in PICTURE_COLUMNS for cell in row.cells.get(name, ())):
        whole = known is not None and folder + cell in known
        pictures += [cell] if whole else split_pictures(cell)
    if known is not None:
        pictures = [folder + name.removeprefix("./") for name in pictures]
    fault = "" if pictures else "the row names no picture"
    if len(pictures) > MAX_PICTURES:
        fault = f"the row names {len(pictures)} pictures; the limit is {MAX_PICTURES}"
    named = {name: first(row.cells, name) for name in header}
    row_id, title = _first(named, ID_COLUMNS), field_text(_first(named, TITLE_COLUMNS))
    return BulkRow(row.line, row_id[:MAX_ID_LENGTH], title[:1_000], tuple(pictures[:MAX_PICTURES]), named, fault)


def _first(cells: Mapping[str, str], columns: Iterable[str]) -> str:
    return next((cells[name] for name in columns if cells.get(name)), "")


def _check_end(path: Path) -> None:
    """Refuse a zip whose directory is too large for memory, by the size that the end of the file declares."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT - 20))
        tail = file.read()
    at = len(tail) - _END_SIZE if tail[-_END_SIZE:-18] == _END and tail.endswith(b"\0\0") else tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        raise BadFeed("The zip has no end; it was cut short.", "Pack it, or send it, again.")
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    if tail[max(0, at - 20) : at].startswith(_END64_AT) or count > MAX_FILES or directory > MAX_DIRECTORY_BYTES:
        raise BadFeed(
            "The zip has too many or too large files.", f"At most {MAX_FILES:,} and 4 GB; split it into several jobs."
        )


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    files: dict[str, zipfile.ZipInfo] = {}
    unpacked = 0
    for entry in entries:
        name = entry.filename
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or "\0" in name:
            raise BadFeed(f"The zip holds the path {name[:120]!r}, which leads out of it.", "Pack it again.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise BadFeed(f"{name[:120]!r} in the zip is a link.", "Pack the file itself.")
        if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if entry.flag_bits & 1:
            raise BadFeed("The zip needs a password.", "Pack it without one.")
        if name in files:
            raise BadFeed(f"The zip holds {name[:120]!r} twice.", "Pack it again.")
        if entry.file_size > MIN_RATIO_BYTES and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            raise BadFeed(f"{name[:120]!r} in the zip would grow {MAX_RATIO}-fold.", "No picture does; pack it again.")
        unpacked += entry.file_size
        if unpacked > MAX_UNPACKED_BYTES:
            raise BadFeed(
                f"The files in the zip have more than {MAX_UNPACKED_BYTES // 2**30} GiB.",
                "Split them into several jobs.",
            )
        files[name] = entry
    return files


def read_failure(error: BadInput) -> str:
    """Return the reason of a failed row as one line of text."""
    return f"{error.message} {error.hint}".strip()
