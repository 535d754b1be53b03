"""How probable it is that a shop has what a photo shows, judged by how much the best hit resembles it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the cosine of one block between a photo and its best hit.

    `has` maps that cosine to the probability that the shop sells the thing: 1 / (1 + exp(-(slope * cosine + offset))).
    """

    block: str
    slope: float
    offset: float

    def has(self, cosine: float) -> float:
        """The probability, 0 to 1."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.slope * cosine + self.offset))))

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Calibration | None:
        """The calibration that a card of trained heads carries; None when it carries none."""
        found = card.get("calibration")
        return None if found is None else cls(str(found["block"]), float(found["slope"]), float(found["offset"]))
