"""Match calibration: the probability that a shop has what a photo shows, from the scores of the first hits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from indexer.numeric import sigmoid
from indexer.types import Floats

LOOK, SCORE = "look", "score"  # the evidence of a curve: the cosine of one block, or the whole score
# Curves are fitted with as many things sold as not. The prior assumes that the shop has what two of three photos show;
# no catalogue shows how often it does.
ODDS = math.log(2)
# The first hit is the very product: logit = 0.75 * (logit that the shop has it, at even odds) + 0.8 * sqrt(margin) - 1.
# Fitted between the fits on half of the grocery's products (`photos_val`) alone and with the sample shop's training
# photos, then moved to those odds.
EXACT_COEFFICIENTS = (0.75, 0.8, -1.0)
# The kind is sold: logit = 12.5 * score of the first hit - 5.6 * usual cosine + size - 2.97 - doubt. Owners' photos of
# clothes usually reach lower cosines than shelf photos. A small shop has fewer examples of what it sells, so that the
# best one is less like a photo: size = log10(20,000 / products), from 0 to 1.5. Doubt is 8 * share of unsold kinds +
# log odds that the picture shows no product. Fitted on training photos of three data sets in shops of 81 to 20,049
# products, most without some kinds, and on drawings. The constant is chosen so that at most 5 % of photos of sold
# kinds fall below the threshold of "no match".
SCORE_COEFFICIENT, USUAL_COEFFICIENT, KIND_CONSTANT = 12.5, 5.6, -2.97
UNSOLD_COEFFICIENT, NO_PRODUCT_COEFFICIENT = 8.0, 1.0
FULL_SIZE, MAX_SIZE_LOGIT = 20_000, 1.5
MIN_VIEWS = 20  # products with several pictures from which the curves are fitted on them
DOUBT_WITH_VIEWS = 0.5  # of the doubt, where curves that are fitted on views judge such photos already


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over one cosine, that of a block or the whole score.

    It is 1/2 at `middle`, or at the threshold of the first hit's category if `by_category` has one.
    """

    evidence: str
    slope: float
    middle: float
    by_category: Mapping[str, float] = field(default_factory=dict)

    def logit(self, cosine: float, category: str) -> float:
        """Return the log odds, from even odds, that the shop has the thing, given the cosine to the first hit."""
        return self.slope * (cosine - self.by_category.get(category, self.middle))


@dataclass(frozen=True)
class MatchCalibration:
    """Curves fitted on a shop's catalogue with `queries` of its pictures, `with_views` of them having other views.

    `spread` is the standard deviation of the scores of first hits in another category: the unit of the margin to the
    next product. `sold` says of each known kind how near the catalogue comes to it, and `kinds` is the digest of these
    kinds; both are empty for an encoder that they are not of, and in manifests of earlier versions. `products` is the
    number of products.
    """

    curves: tuple[Curve, ...]
    spread: float
    queries: int
    with_views: int = 0
    sold: tuple[float, ...] = ()
    kinds: str = ""
    products: int = FULL_SIZE

    @cached_property
    def unsold(self) -> Floats:
        """How probable it is that the shop lacks each known kind, (n,) in [0, 1]."""
        return 1 - np.asarray(self.sold, np.float32)

    def kind_logit(self, logit: float, score: float, usual: float) -> float:
        """Return the log odds, from even odds, that the shop sells the kind of thing that a photo shows.

        `logit` is what the method `logit` returns for the photo, `score` that of the first hit, `usual` the cosine that
        such photos reach elsewhere. A catalogue without other views of its products cannot show how photos score.
        """
        if self.with_views >= MIN_VIEWS:
            return logit
        size = min(MAX_SIZE_LOGIT, max(0.0, math.log10(FULL_SIZE / max(1, self.products))))
        return SCORE_COEFFICIENT * score - USUAL_COEFFICIENT * usual + size + KIND_CONSTANT

    def doubt(self, unsold: float, no_product: float) -> float:
        """Return the log odds to subtract because a photo resembles kinds that are not sold, or no product at all."""
        doubt = UNSOLD_COEFFICIENT * unsold + NO_PRODUCT_COEFFICIENT * no_product
        return DOUBT_WITH_VIEWS * doubt if self.with_views >= MIN_VIEWS else doubt

    def logit(self, cosines: Mapping[str, float], category: str) -> float:
        """Return the log odds, from even odds, that the shop has the thing: the largest of the curves.

        Which evidence discriminates depends on where photos come from, which the catalogue cannot show: on shelf photos
        `look` says nothing, on photos of products unlike those of any training set it says the most.
        """
        return max(curve.logit(cosines[curve.evidence], category) for curve in self.curves)

    def exact(self, logit: float, margin: float) -> float:
        """Return the probability that the first hit is the very product, at most the one that the shop has it.

        `logit` is the log odds that the shop has it, from even odds; `margin` is the first score less the next
        product's.
        """
        of_logit, of_margin, constant = EXACT_COEFFICIENTS
        exact = of_logit * logit + of_margin * math.sqrt(max(0.0, margin) / self.spread) + constant
        return sigmoid(min(exact, logit + ODDS))

    def body(self) -> dict[str, Any]:
        """Return the calibration as JSON values; the manifest names the counts `asked` and `viewed`."""
        curves = [asdict(curve) for curve in self.curves]
        counts = {"asked": self.queries, "viewed": self.with_views, "products": self.products}
        return {"curves": curves, "spread": self.spread, **counts, "sold": list(self.sold), "kinds": self.kinds}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> MatchCalibration:
        """Parse what `body` returned. Raises KeyError and TypeError."""
        curves = tuple(Curve(**curve) for curve in body["curves"])
        sold = tuple(body.get("sold", ()))
        counts = (body["asked"], body.get("viewed", 0))
        return cls(curves, body["spread"], *counts, sold, body.get("kinds", ""), body.get("products", FULL_SIZE))
