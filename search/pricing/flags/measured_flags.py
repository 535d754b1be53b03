"""What a shop's own past says of its flags, as a version of its models stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from typing_extensions import Self

from search.pricing.flags.precision import FlagPrecision, measure_rules
from search.pricing.flags.rules import FLAG_CODES, FlagCode
from search.pricing.series.weekly_prices import WeeklyPrices


class WaitingModel(Protocol):
    """A fitted model of falling prices, which says from which probability on to wait, and how often that was right."""

    @property
    def threshold(self) -> float | None:
        """The least probability, None where none was right often enough."""
        ...

    @property
    def precision(self) -> FlagPrecision | None:
        """How often waiting from the threshold on was right."""
        ...


@dataclass(frozen=True, slots=True)
class MeasuredFlags:
    """The precision of each flag on the shop's own past, where it was shown there.

    `modelled` says whether a model of falling prices decides on "often cheaper", from the probability `threshold` on;
    a model without a threshold never does.
    """

    precisions: Mapping[FlagCode, FlagPrecision] = field(default_factory=dict)
    modelled: bool = False
    threshold: float | None = None

    @classmethod
    def measure(cls, weekly: WeeklyPrices, end: int, model: WaitingModel | None) -> Self:
        """Measure the flags before the column `end`. `model` was fitted on the same columns, None without one."""
        measured = measure_rules(weekly, end)
        if model is None:
            return cls(measured)
        measured.pop("often_cheaper", None)
        if model.precision is not None:
            measured["often_cheaper"] = model.precision
        return cls(measured, True, model.threshold)

    def waits(self, probability: float | None) -> bool | None:
        """Return whether a model expects a lower price from its probability of one; None where no model decides.

        A probability of None, for a product that the model did not see at its present price, expects nothing.
        """
        if not self.modelled:
            return None
        return probability is not None and self.threshold is not None and probability >= self.threshold

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        precisions = {code: asdict(precision) for code, precision in self.precisions.items()}
        return {"precisions": precisions, "modelled": self.modelled, "threshold": self.threshold}

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Return what `as_json` made, without flags that are not known. Raises KeyError, TypeError, ValueError."""
        precisions = {
            code: FlagPrecision(**stored["precisions"][code]) for code in FLAG_CODES if code in stored["precisions"]
        }
        threshold = stored["threshold"]
        return cls(precisions, bool(stored["modelled"]), None if threshold is None else float(threshold))
