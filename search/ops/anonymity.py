"""k-anonymity of what owners see: no number that stems from fewer than k visitors is shown.

Sweeney 2002, for counts: those from 1 to k - 1 are withheld, and 0 is shown, since nobody stands behind it.
"""

from __future__ import annotations

from typing import Any

from search.ops.comparison import Share

DEFAULT_LEAST = 5  # visitors


def withheld(count: int, visitors: int, least: int) -> int | None:
    """Return a count that stems from so many visitors; None where there are some, but fewer than `least`."""
    return None if 0 < visitors < least else count


def shown_share(share: Share, visitors: int, least: int) -> dict[str, Any]:
    """Return a share, whose count stems from so many visitors, as JSON values; all None where they are too few."""
    if withheld(share.count, visitors, least) is None:
        return dict.fromkeys(("count", "sample", "share", "low", "high"))
    return share.to_dict()
