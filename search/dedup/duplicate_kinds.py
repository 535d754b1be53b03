"""The kinds of duplicates, and what a row's suggestion says of them. The server imports this: keep it light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE = "same_file", "same_picture", "same_product", "shared_picture"
DUPLICATE_KINDS = (SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE)


def repeats(suggestion: Mapping[str, Any]) -> list[str]:
    """Return what a suggested row repeats: "row 7" of its own table, and ids of listings; variants are left out."""
    ids = [duplicate["id"] for duplicate in suggestion.get("duplicates", ()) if duplicate["kind"] != SHARED_PICTURE]
    row = suggestion.get("repeats_row", 0)
    return [f"row {row}", *ids] if row else ids
