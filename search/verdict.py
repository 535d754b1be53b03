"""Whether the shop has what a photo shows: a calibrated probability, and what to call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.calibration import Calibration
from search.query import PictureTerm, Query

SIMILAR, NO_MATCH = "similar", "no_match"
# "We do not have that" turns shoppers away, so it is said only when it is almost sure: on the sample shop's photos
# 7 in 100 of what is sold are called so at this cut (15 at 0.3), and 62 in 100 of what is not (80 at 0.3).
CUT = 0.15


@dataclass(frozen=True, slots=True)
class Verdict:
    """How probable it is that the shop has the thing asked for at all; `kind` is "no_match" below the cut."""

    probability: float

    @property
    def kind(self) -> str:
        """What the page may say: "similar" or "no_match"."""
        return NO_MATCH if self.probability < CUT else SIMILAR

    def to_dict(self) -> dict[str, object]:
        """The verdict as JSON values."""
        return {"kind": self.kind, "probability": round(self.probability, 4)}


def judge(
    calibration: Calibration | None, weights: Mapping[str, float], query: Query, parts: Mapping[str, float]
) -> Verdict | None:
    """The verdict on the first page of a photo's results; None for any other question, or without a calibration.

    `weights` are those of a picture query's blocks, `parts` the first hit's shares of its score, see `SearchHit`.
    """
    alone = len(query.terms) == 1 and isinstance(query.terms[0], PictureTerm) and query.terms[0].weight > 0
    if calibration is None or not alone or query.blocks or query.offset or not weights.get(calibration.block):
        return None
    cosine = parts[calibration.block] * sum(map(abs, weights.values())) / weights[calibration.block]
    return Verdict(calibration.has(cosine))
