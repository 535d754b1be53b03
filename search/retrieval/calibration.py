"""A shop's own curve from how much its first hit resembles a photo to how probable it is that it has the thing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.files.atomic import write_atomically
from indexer.numeric import sigmoid

FILE = "calibration.json"


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
        write_atomically(home / FILE, lambda path: path.write_text(json.dumps(asdict(self)), encoding="utf-8"))

    @classmethod
    def load(cls, home: Path, fingerprint: str) -> Calibration | None:
        """The shop's calibration for that encoder; None when there is none that can be used."""
        try:
            found = cls(**json.loads((home / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.fingerprint == fingerprint else None
