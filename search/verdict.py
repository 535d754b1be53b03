"""Whether the shop has what a photo shows: a probability calibrated with photos of this very shop's products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.query import PictureTerm, Query

if TYPE_CHECKING:
    from search.calibration import Calibration

SIMILAR, NO_MATCH = "similar", "no_match"
# "We do not have that" turns shoppers away, so it is said only when it is almost sure.
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
    return Verdict(calibration.has(cosine_of(calibration.block, weights, parts)))


def cosine_of(block: str, weights: Mapping[str, float], parts: Mapping[str, float]) -> float:
    """The cosine of one block between a lone photo and a hit, from the block's share of the hit's score."""
    return parts[block] * sum(map(abs, weights.values())) / weights[block]
