"""How a new listing may repeat others, by name, and what a row's suggestion tells of it. A module of few imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE = "same_file", "same_picture", "same_product", "shared_picture"
KINDS = (SAME_FILE, SAME_PICTURE, SAME_PRODUCT, SHARED_PICTURE)


def repeats(suggestion: Mapping[str, Any]) -> list[str]:
    """What a suggested row repeats: "row 7" of its own table, and ids of listings. Variants are none."""
    listed = [one["id"] for one in suggestion.get("duplicates", ()) if one["kind"] != SHARED_PICTURE]
    row = suggestion.get("repeats_row", 0)
    return [f"row {row}", *listed] if row else listed
