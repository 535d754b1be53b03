"""The single colours that a label lists: "ivory and navy" lists two. Light to import."""

from __future__ import annotations

import re
from functools import lru_cache

LISTED_VALUES = re.compile(r"\s*(?:,|/|;|&|\+|、|和|与|配|\band\b|\bund\b|\bet\b|\by\b)\s*", re.IGNORECASE)


@lru_cache(maxsize=16_384)
def listed_colours(label: str) -> tuple[str, ...]:
    """Return the colours that a label lists: ("ivory", "navy") of "ivory and navy"."""
    return tuple(dict.fromkeys(part for part in map(str.strip, LISTED_VALUES.split(label)) if part))
