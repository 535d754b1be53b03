"""k-anonymity of what owners see: no number that stems from fewer than k visitors is shown.

Sweeney 2002, for counts: those from 1 to k - 1 are withheld, and 0 is shown, since nobody stands behind it.
"""

from __future__ import annotations

DEFAULT_LEAST = 5  # visitors


def withheld(count: int, visitors: int, least: int) -> int | None:
    """Return a count that stems from so many visitors; None where there are some, but fewer than `least`."""
    return None if 0 < visitors < least else count
