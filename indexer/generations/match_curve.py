"""How probable it is that a shop has what a photo shows, by how much the first hit resembles it: the curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.numeric import sigmoid

LOOK, SCORE = "look", "score"  # one block, and the whole: what a curve may be over
# Curves are fitted with as many things sold as not. Assumed is that the shop has what two of three photos show; how
# often it does in truth, no catalogue knows.
ODDS = math.log(2)
# The first hit is the very product: logit = 0.75 * (logit that the shop has it, at even odds) + 0.8 * sqrt(margin) - 1.
# Between the fits on half of the grocery's products (`photos_val`) alone and with the sample shop's training photos,
# then moved to those odds.
EXACT = (0.75, 0.8, -1.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over one cosine, that of a block or the whole score.

    It is 1/2 at `middle`, or where the first hit's category has a threshold of its own, there.
    """

    evidence: str
    slope: float
    middle: float
    by_category: Mapping[str, float] = field(default_factory=dict)

    def logit(self, cosine: float, category: str) -> float:
        """The log odds that the shop has the thing, from even odds, by this cosine to a first hit of that category."""
        return self.slope * (cosine - self.by_category.get(category, self.middle))


@dataclass(frozen=True, slots=True)
class MatchCalibration:
    """What a shop's catalogue says of first hits; `asked` pictures were asked, of them `viewed` for another view.

    `spread` is the standard deviation of the scores that strangers reach: the unit of the margin before the next
    product.
    """

    curves: tuple[Curve, ...]
    spread: float
    asked: int
    viewed: int = 0

    def logit(self, cosines: Mapping[str, float], category: str) -> float:
        """The log odds that the shop has the thing, from even odds: the evidence that speaks for it most decides.

        Which one tells depends on where photos come from, and the catalogue cannot show that: on shelf photos `look`
        says nothing, on photos of products unlike those of any training it says the most.
        """
        return max(curve.logit(cosines[curve.evidence], category) for curve in self.curves)

    def exact(self, logit: float, margin: float) -> float:
        """The probability that the first hit is the very product, never above that the shop has it.

        `logit` is of the latter, from even odds; `margin` is how far the first score lies above the next product's.
        """
        of_has, of_margin, constant = EXACT
        exact = of_has * logit + of_margin * math.sqrt(max(0.0, margin) / self.spread) + constant
        return sigmoid(min(exact, logit + ODDS))

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> MatchCalibration:
        """What `dataclasses.asdict` made of one. Raises KeyError and TypeError."""
        return cls(**{**body, "curves": tuple(Curve(**curve) for curve in body["curves"])})
