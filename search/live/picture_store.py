"""Store the pictures that come with a product change: decode, re-encode, and keep them in the shop's own folder."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture, StoreError
from catalog.files.atomic import draft, sync
from catalog.files.failpoints import failpoint
from catalog.files.locks import shared_lock
from catalog.home import ShopHome
from catalog.product import Picture

UNFINISHED = "unfinished"  # folder of files that are being written, or were when the machine stopped
STALE_SECONDS = 3_600
LONGEST_SIDE = 2_048  # pixels: more than any page shows or any encoder reads
JPEG_QUALITY = 95
MAX_PICTURES = 250  # pictures of one product


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture ready to be stored: a JPEG without metadata, named by its content hash."""

    data: bytes
    sha256: str
    width: int
    height: int


def new_picture(data: bytes) -> NewPicture:
    """Decode and re-encode a picture file, deterministically. Raises BadPicture and its subclasses."""
    if not data:
        raise BadPicture("The picture is empty (0 bytes).", "Send the bytes of a picture file.")
    picture = images.decode(data, at_least=LONGEST_SIDE)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    encoded = out.getvalue()
    return NewPicture(encoded, images.content_hash(encoded), *picture.size)


@contextmanager
def storing(home: Path, pictures: Sequence[NewPicture]) -> Iterator[tuple[Picture, ...]]:
    """Store the pictures in the home; within the block they are on the disk and cannot be pruned.

    A product that shows them must be committed before the block ends. Raises StoreError.
    """
    folder = ShopHome(home.absolute()).pictures
    with ExitStack() as locks:
        try:
            _make(folder / UNFINISHED)
            locks.enter_context(shared_lock(folder))
            stored = {picture.sha256: _store(folder, picture) for picture in pictures}
        except OSError as error:
            message = f"A picture cannot be stored in {folder}: {error.strerror}."
            raise StoreError(message, "Check the folder's permissions and the disk's free space.") from error
        yield tuple(stored[picture.sha256] for picture in pictures)


def remove_unused(home: Path) -> None:
    """Remove files that a killed process left half written."""
    with suppress(OSError):
        for path in (ShopHome(home).pictures / UNFINISHED).iterdir():
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink(missing_ok=True)


def _store(folder: Path, picture: NewPicture) -> Picture:
    path = folder / picture.sha256[:2] / f"{picture.sha256}.jpg"
    if not path.is_file():
        _make(path.parent)
        with draft(path, picture.data, folder=folder / UNFINISHED) as temporary:
            failpoint("picture.written")
            temporary.replace(path)
            failpoint("picture.renamed")
            sync(path.parent)
            failpoint("picture.kept")
    return Picture(str(path), picture.sha256, picture.width, picture.height)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync(folder.parent)
        sync(folder.parent.parent)
