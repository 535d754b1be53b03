"""Find the file that a name means when none has exactly that name: another normal form, another case, escapes."""

from __future__ import annotations

import html
import os
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

MAX_LISTED = 200_000  # names remembered, of all folders together; of larger folders none


class FolderNames:
    """The names in folders, listed when first needed; a folder is listed once, not for every picture."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, tuple[str, ...]]] = {}
        self._count = 0

    def alike(self, folder: str, name: str) -> tuple[str, ...]:
        """Return the names in a folder that differ from `name` in their normal form, or else in case only.

        The other normal form is found without a look at the folder, which may be too large to be listed.
        """
        if not name.isascii():
            forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
            if there := tuple(form for form in forms if os.path.lexists(f"{folder}/{form}")):
                return there
        found = self._listed(folder).get(_key(name), ())
        composed = unicodedata.normalize("NFC", name)
        return tuple(other for other in found if unicodedata.normalize("NFC", other) == composed) or found

    def _listed(self, folder: str) -> dict[str, tuple[str, ...]]:
        names = self._folders.get(folder)
        if names is None:
            names = _names_in(folder)
            if self._count + len(names) > MAX_LISTED:
                self._folders.clear()
                self._count = 0
            self._count += len(names) + 1
            self._folders[folder] = names
        return names


def unescaped(name: str) -> Iterator[str]:
    """Yield what a name is without its escapes, "my%20photo.jpg" or "salt &amp; pepper.jpg", if it has any."""
    if "%" in name:
        data = unquote_to_bytes(name)
        for encoding in ("utf-8", "cp1252"):
            try:
                yield data.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    if "&" in name:
        yield html.unescape(name)


def _names_in(folder: str) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_LISTED:
                    return {}
                key = _key(entry.name)
                names[key] = (*names.get(key, ()), entry.name)
    except OSError:
        return {}
    return names


def _key(name: str) -> str:
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    )
