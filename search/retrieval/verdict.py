"""Whether the shop has what a photo shows, and whether the first hit is it: calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.generations.match_curve import ODDS, SCORE, MatchCurve
from indexer.numeric import sigmoid
from search.hits import Verdict
from search.query.terms import Query

if TYPE_CHECKING:
    from search.retrieval.calibration import Calibration

Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges a shop's answers to photos: by curves of its catalogue, or of photos of its products when there are some.

    `weights` are those of a picture query's blocks.
    """

    weights: Mapping[str, float]
    match: MatchCurve | None = None
    calibration: Calibration | None = None

    def verdict(self, query: Query, category: str, first: Parts, second: Parts | None = None) -> Verdict | None:
        """The verdict on the first page of a photo's results; None for any other question, or without a curve.

        `category` is the best hit's, `first` are the shares of its score, and `second` those of the next product's, see
        `SearchHit`.
        """
        if not query.pictured or query.blocks or query.offset:
            return None
        logit = self._logit(category, first)
        if logit is None:
            return None
        if self.match is None or second is None:
            return Verdict(sigmoid(logit + ODDS))
        return Verdict(sigmoid(logit + ODDS), self.match.exact(logit, sum(first.values()) - sum(second.values())))

    def _logit(self, category: str, first: Parts) -> float | None:
        if self.calibration is not None and evident(self.calibration.block, self.weights):
            return self.calibration.logit(evidence(self.calibration.block, self.weights, first))
        if self.match is None:
            return None
        cosines = {curve.evidence: evidence(curve.evidence, self.weights, first) for curve in self.match.curves}
        return self.match.logit(cosines, category)


def evident(name: str, weights: Mapping[str, float]) -> bool:
    """Whether a shop whose blocks have these weights has that evidence: one of its blocks, or "score", the whole."""
    return name == SCORE or bool(weights.get(name))


def evidence(name: str, weights: Mapping[str, float], parts: Parts) -> float:
    """The cosine of one block between a lone photo and a hit, from the shares of its score; or that score itself."""
    if name == SCORE:
        return sum(parts.values())
    return parts[name] * sum(map(abs, weights.values())) / weights[name]
