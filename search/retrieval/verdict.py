"""Whether the shop has what a photo shows, and whether the first hit is it: calibrated probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.generations.match_curve import ODDS, SCORE, MatchCalibration
from indexer.numeric import sigmoid
from search.hits import Verdict
from search.query.terms import Query

Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MatchClassifier:
    """Judges a shop's answers to photos: by curves of its catalogue, or of photos of its products when there are some.

    `weights` are those of a picture query's blocks.
    """

    weights: Mapping[str, float]
    match: MatchCalibration | None = None
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


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over one cosine between a photo and its first hit: that of a block, or "score", the whole.

    It holds for one shop and one encoder, `fingerprint`: how much a photo resembles the right product depends on
    the shop's pictures and on where shoppers stand. `photos` is how many it was fitted on.
    """

    fingerprint: str
    block: str
    slope: float
    offset: float
    photos: int

    def has(self, cosine: float) -> float:
        """The probability that the shop sells the thing, at even odds."""
        return sigmoid(self.logit(cosine))

    def logit(self, cosine: float) -> float:
        """The log odds that the shop sells the thing, from even odds."""
        return self.slope * cosine + self.offset

    def save(self, home: Path) -> None:
        """Keep it with the shop."""
        write_atomically(
            ShopHome(home).calibration, lambda path: path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        )

    @classmethod
    def load(cls, home: Path, fingerprint: str) -> Calibration | None:
        """The shop's calibration for that encoder; None when there is none that can be used."""
        try:
            found = cls(**json.loads(ShopHome(home).calibration.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.fingerprint == fingerprint else None
