"""The photos of reviews: re-encoded files under their digests, in the shop's folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from catalog.errors import StoreError
from catalog.files.atomic import draft, sync
from catalog.home import ShopHome

_SHA256 = re.compile("[0-9a-f]{64}")
_UNFINISHED = "unfinished"


class PhotoStore:
    """JPEG files by digest. Who may see one is decided by the reviews that show it."""

    def __init__(self, home: Path) -> None:
        self.folder = ShopHome(home.absolute()).review_photos

    def path(self, sha256: str) -> Path | None:
        """Return the file of a photo; None where there is none, or for what is no digest."""
        if not _SHA256.fullmatch(sha256):
            return None
        path = self.folder / sha256[:2] / f"{sha256}.jpg"
        return path if path.is_file() else None

    def put(self, sha256: str, data: bytes) -> None:
        """Store a photo that has been re-encoded; `sha256` is the digest of its bytes. Raises StoreError."""
        path = self.folder / sha256[:2] / f"{sha256}.jpg"
        if path.is_file():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.folder / _UNFINISHED).mkdir(exist_ok=True)
            with draft(path, data, folder=self.folder / _UNFINISHED) as written:
                written.replace(path)
            sync(path.parent)
        except OSError as error:
            message = f"A photo cannot be stored in {self.folder}: {error.strerror}."
            raise StoreError(message, "Check the folder's permissions and the disk's free space.") from error

    def remove(self, photos: Iterable[str]) -> None:
        """Remove photos that no review shows any more."""
        for sha256 in photos:
            if (path := self.path(sha256)) is not None:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
