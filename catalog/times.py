"""Write times as machines read them."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_text(seconds: int) -> str:
    """Return a time in unix seconds as ISO 8601 in UTC: "2026-11-30T03:00:00Z"."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
