"""Parse the quantities of exports."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([+\-\u2212]?)\s*([0-9][0-9.,'\u2019 \u00a0\u202f]{0,24})")


def quantity_sign(text: str) -> int | None:
    """Return 1, 0 or -1 for a quantity above, at or below nothing; None when it is no number.

    Only the sign matters, so that "1.000" needs no decision on its separator.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return None
    if not re.search("[1-9]", found[2]):
        return 0
    return -1 if found[1] in ("-", "\u2212") else 1
