"""Pictures that come with a change: decoded, written anew by us, and kept in the shop's own folder."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture, StoreError
from catalog.files.atomic import draft, sync
from catalog.files.failpoints import failpoint
from catalog.files.locks import shared_lock
from catalog.product import Picture

PICTURE_FOLDER = "pictures"
UNFINISHED = "unfinished"  # within it: what is being written, or was when the machine stopped
STALE_SECONDS = 3_600
LONGEST_SIDE = 2_048  # beyond what any page shows and any encoder looks at
QUALITY = 95
MAX_PICTURES = 250


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture as it will be kept: a JPEG without metadata, named by its content hash."""

    data: bytes
    sha256: str
    width: int
    height: int


def new_picture(data: bytes) -> NewPicture:
    """Decode a picture file and write it anew: the same bytes always give the same. Raises BadPicture and its kinds."""
    if not data:
        raise BadPicture("The picture is empty (0 bytes).", "Send the bytes of a picture file.")
    picture = images.decode(data, at_least=LONGEST_SIDE)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    written = out.getvalue()
    return NewPicture(written, images.content_hash(written), *picture.size)


@contextmanager
def storing(home: Path, pictures: Sequence[NewPicture]) -> Iterator[tuple[Picture, ...]]:
    """Write the pictures into the home: within the block they are on the disk, and are not swept away.

    A product that shows them must be committed before the block ends. Raises StoreError.
    """
    folder = home.absolute() / PICTURE_FOLDER
    with ExitStack() as held:
        try:
            _make(folder / UNFINISHED)
            held.enter_context(shared_lock(folder))
            kept = {picture.sha256: _kept(folder, picture) for picture in pictures}
        except OSError as error:
            raise StoreError(
                f"A picture cannot be kept in {folder}: {error.strerror}.",
                "Check its rights and the disk's free space.",
            ) from error
        yield tuple(kept.values())


def remove_unused(home: Path) -> None:
    """Remove what a process that was killed left half written."""
    with contextlib.suppress(OSError):
        for path in (home / PICTURE_FOLDER / UNFINISHED).iterdir():
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink(missing_ok=True)


def _kept(folder: Path, picture: NewPicture) -> Picture:
    path = folder / picture.sha256[:2] / f"{picture.sha256}.jpg"
    if not path.is_file():
        _make(path.parent)
        _write(path, picture.data)
    return Picture(str(path), picture.sha256, picture.width, picture.height)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync(folder.parent)
        sync(folder.parent.parent)


def _write(path: Path, data: bytes) -> None:
    with draft(path, data, folder=path.parent.parent / UNFINISHED) as written:
        failpoint("picture.written")
        written.replace(path)
        failpoint("picture.renamed")
        sync(path.parent)
        failpoint("picture.kept")
