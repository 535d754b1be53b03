"""Compare a week with the week before, without calling chance a trend.

Two counts differ when chance alone would rarely make them so different (a binomial test, normal approximation, 95 %);
two shares when a test of two proportions says so. With fewer events than MIN_EVENTS nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

MORE, FEWER, SAME, TOO_FEW, UNKNOWN = "more", "fewer", "same", "too_few", "unknown"
MIN_EVENTS = 20  # of both weeks together, to compare counts
MIN_SAMPLE = 30  # of each week, to compare or to state a share
Z = 1.96  # standard errors within which 95 % of chance results lie


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: the ordinals of the first and the last, and their beginning and end in unix seconds."""

    first: int
    last: int

    @property
    def begin(self) -> float:
        """Return the beginning of the first day, local time."""
        return datetime.combine(date.fromordinal(self.first), datetime.min.time()).timestamp()

    @property
    def end(self) -> float:
        """Return the end of the last day, local time."""
        return datetime.combine(date.fromordinal(self.last) + timedelta(days=1), datetime.min.time()).timestamp()


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many; `low` and `high` are the ends of the 95 % interval (Wilson, 1927)."""

    count: int
    sample: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval; everything is possible without a sample."""
        return wilson_interval(self.count, self.sample)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; `share` is None for a sample that is too small to state one."""
        low, high = self.interval
        known = self.sample >= MIN_SAMPLE
        return {
            "count": self.count,
            "sample": self.sample,
            "share": round(self.count / self.sample, 4) if known else None,
            "low": round(low, 4) if known else None,
            "high": round(high, 4) if known else None,
        }


def wilson_interval(count: int, sample: int, z: float = Z) -> tuple[float, float]:
    """Return the interval of a share within z standard errors; everything is possible without a sample."""
    if not sample:
        return 0.0, 1.0
    share, spread = count / sample, z * z / sample
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / sample + spread / (4 * sample))
    return max(0.0, centre - half), min(1.0, centre + half)


def count_trend(now: int, before: int | None) -> str:
    """Return how a count differs from that of the week before; None where that was not counted."""
    if before is None:
        return UNKNOWN
    total = now + before
    if total < MIN_EVENTS:
        return TOO_FEW
    return _trend((now - before) / math.sqrt(total))


def share_trend(now: Share, before: Share | None) -> str:
    """Return how a share differs from that of the week before; None where that was not counted."""
    if before is None:
        return UNKNOWN
    if min(now.sample, before.sample) < MIN_SAMPLE:
        return TOO_FEW
    pooled = (now.count + before.count) / (now.sample + before.sample)
    error = math.sqrt(pooled * (1 - pooled) * (1 / now.sample + 1 / before.sample))
    return _trend((now.count / now.sample - before.count / before.sample) / error if error else 0.0)


def _trend(standard_errors: float) -> str:
    if abs(standard_errors) < Z:
        return SAME
    return MORE if standard_errors > 0 else FEWER
