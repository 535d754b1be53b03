"""Parse the cells of Magento's export that hold lists: categories, attributes and variations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_ATTRIBUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,254}=")
_BUNDLED = re.compile(r"(?:^|[,|])\s*sku=([^,|]+)")
_SLASH = re.compile(r"(?<!\\)/")
DEFAULT_ROOT = "default category"
MAX_PARTS = 5_000  # of one cell: paths, variations or members
NO_PICTURE = "no_selection"


def parse_attributes(cell: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of "color=Red,care=Wash, dry,size=M|L"; a comma without a pair behind it is part of a value."""
    for piece in _joined(_quoted_pieces(cell), lambda piece: bool(_ATTRIBUTE.match(piece.lstrip()))):
        name, equals, value = piece.partition("=")
        value = value.strip().strip('"').replace('""', '"').strip()
        if equals and value:
            yield name.strip().lower(), value


def parse_variations(cell: str) -> Iterator[dict[str, str]]:
    """Yield the variations of "sku=A,size=S|sku=B,size=M" as attributes by name."""
    for part in re.split(r"\|(?=\s*sku=)", cell, maxsplit=MAX_PARTS)[:MAX_PARTS]:
        variation = dict(parse_attributes(part))
        if variation.get("sku"):
            yield variation


def parse_parts(cells: Mapping[str, str]) -> Iterator[str]:
    """Yield the SKUs of the products of which a group ("A=1.0000,B=2.0000") or a bundle is made."""
    for piece in split_list(cells.get("associated_skus", ""))[:MAX_PARTS]:
        yield piece.partition("=")[0].strip()
    if sku := cells.get("_associated_sku"):
        yield sku
    if bundle := cells.get("bundle_values"):
        yield from (found.strip() for found in _BUNDLED.findall(bundle)[:MAX_PARTS])


def parse_categories(cell: str) -> list[list[str]]:
    """Return the paths of "Default Category/Gear,Default Category/Gear/Bags", with their root.

    Every path begins at a root, so that a piece of another beginning is the rest of a name with a comma.
    """
    pieces = _quoted_pieces(cell)
    root = _root_of(pieces[0])
    if root.lower() == DEFAULT_ROOT:
        pieces = _joined(pieces, lambda piece: _root_of(piece) == root)
    paths = (path_of(piece.strip().strip('"')) for piece in pieces[:MAX_PARTS])
    return [path for path in paths if path[0]]


def _root_of(piece: str) -> str:
    return _SLASH.split(piece.strip().strip('"'), maxsplit=1)[0].strip()


def path_of(text: str) -> list[str]:
    r"""Return the levels of "Gear/Bags"; a slash within a name is written "\/"."""
    return [level.replace("\\/", "/").strip() for level in _SLASH.split(text)]


def picture_path(name: str) -> str:
    """Return a picture's name as one relative to the media folder: "/m/b/mb01.jpg" -> "m/b/mb01.jpg"."""
    return "" if name.lower() == NO_PICTURE else name if "://" in name else name.lstrip("/")


def split_list(cell: str) -> Sequence[str]:
    """Return the values of a list like "a.jpg,b.jpg"."""
    return [piece.strip() for piece in cell.split(",") if piece.strip()]


def _joined(pieces: Iterable[str], begins: Callable[[str], bool]) -> list[str]:
    """Join the pieces that do not begin a value to the one before, with the comma that was between them."""
    groups: list[list[str]] = []
    for piece in pieces:
        if not groups or begins(piece):
            groups.append([])
        groups[-1].append(piece)
    return [",".join(group) for group in groups]


def _quoted_pieces(cell: str) -> list[str]:
    """Split at the commas that stand outside quotes."""
    if '"' not in cell:
        return cell.split(",")
    pieces: list[list[str]] = [[]]
    quoted = False
    for part in re.split(r'([",])', cell):
        if part == "," and not quoted:
            pieces.append([])
            continue
        quoted ^= part == '"'
        pieces[-1].append(part)
    return ["".join(piece) for piece in pieces]
