"""Estimate whether the shop has what a photo shows, and whether the first hit is it: calibrated probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.generations.known_kinds import MEANING, known_kinds
from indexer.generations.match_curve import ODDS, SCORE, MatchCalibration
from indexer.numeric import sigmoid
from search.hits import Verdict
from search.query.terms import Query, VectorTerm

Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MatchClassifier:
    """Classifies a photo's hits by curves fitted on the catalogue, or on photos of its products where it has some."""

    weights: Mapping[str, float]  # of the blocks in a picture query
    match: MatchCalibration | None = None
    calibration: Calibration | None = None

    def verdict(self, query: Query, category: str, first: Parts, second: Parts | None = None) -> Verdict | None:
        """Return the verdict from the category and score parts of the best hits; None but for a photo's first page."""
        if not query.is_single_picture or query.blocks or query.offset:
            return None
        logit = self._logit(category, first)
        if logit is None:
            return None
        kind = self._kind_logit(query, logit, first, second)
        if self.match is None or second is None:
            return Verdict(sigmoid(kind + ODDS))
        exact = self.match.exact(logit, sum(first.values()) - sum(second.values()))
        return Verdict(sigmoid(kind + ODDS), min(exact, sigmoid(kind + ODDS)))

    def _logit(self, category: str, first: Parts) -> float | None:
        calibration = self._usable_calibration
        if calibration is not None:
            return calibration.logit(evidence(calibration.block, self.weights, first))
        if self.match is None:
            return None
        cosines = {curve.evidence: evidence(curve.evidence, self.weights, first) for curve in self.match.curves}
        return self.match.logit(cosines, category)

    @property
    def _usable_calibration(self) -> Calibration | None:
        known = self.calibration
        return known if known is not None and evident(known.block, self.weights) else None

    def _kind_logit(self, query: Query, logit: float, first: Parts, second: Parts | None) -> float:
        """Return the log odds, from even odds, that the shop sells the kind; `logit` when no kinds are known."""
        term = query.terms[0]
        if self.match is None or not self.match.kinds or not isinstance(term, VectorTerm):
            return logit
        kinds = known_kinds()
        if kinds.digest != self.match.kinds:
            return logit
        cosines = [evidence(MEANING, self.weights, parts) for parts in (first, second) if parts is not None]
        found = kinds.resemblance(term.vector, self.match.unsold, cosines)
        base = logit
        if self._usable_calibration is None:
            base = self.match.kind_logit(logit, sum(first.values()), found.usual)
        return base - self.match.doubt(found.unsold, found.no_product)


def evident(name: str, weights: Mapping[str, float]) -> bool:
    """Return whether a shop with these block weights has that evidence: one of its blocks, or "score", the whole."""
    return name == SCORE or bool(weights.get(name))


def evidence(name: str, weights: Mapping[str, float], parts: Parts) -> float:
    """Return the cosine of one block between a photo and a hit, from the parts of its score; or that score itself."""
    if name == SCORE:
        return sum(parts.values())
    return parts[name] * sum(map(abs, weights.values())) / weights[name]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over one cosine between a photo and its first hit: that of a block, or "score", the whole."""

    fingerprint: str  # of the encoder; the curve also depends on the shop's pictures and how shoppers take photos
    block: str
    slope: float
    offset: float
    photos: int  # that it was fitted on

    def has(self, cosine: float) -> float:
        """Return the probability that the shop sells the thing, at even odds."""
        return sigmoid(self.logit(cosine))

    def logit(self, cosine: float) -> float:
        """Return the log odds that the shop sells the thing, from even odds."""
        return self.slope * cosine + self.offset

    def save(self, home: Path) -> None:
        """Write the calibration into the shop's home."""
        text = json.dumps(asdict(self))
        write_atomically(ShopHome(home).calibration, lambda path: path.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, home: Path, fingerprint: str) -> Calibration | None:
        """Read the shop's calibration for that encoder; None when it is missing, damaged or of another encoder."""
        try:
            stored = cls(**json.loads(ShopHome(home).calibration.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return stored if stored.fingerprint == fingerprint else None
