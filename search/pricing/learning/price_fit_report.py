"""What the last fit of forecasts did, for the shop's owner: a JSON file, written whatever its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import TooLittleHistory, WindowshopError
from catalog.home import ShopHome
from search.fitting.report_file import read_report, write_report
from search.pricing.learning.forecast_gate import (
    BEST,
    MIN_MEASURED,
    NOT_BETTER_THAN_NAIVE,
    NOT_BETTER_THAN_SERVED,
    RANGES_TOO_NARROW,
    TOO_FEW_PRODUCTS,
    ForecasterChoice,
    LossComparison,
)

STORED, NOT_STORED, TOO_LITTLE, FAILED = "stored", "not_stored", "too_little_history", "failed"

_SENTENCES = {
    BEST: "The forecasts are made by {name}, which is the best on this shop's past prices.",
    NOT_BETTER_THAN_NAIVE: "The forecasts say that prices stay: no forecaster is clearly better on this shop's past"
    " prices.",
    NOT_BETTER_THAN_SERVED: "The forecasts are made by {name} as before: no other forecaster is clearly better on this"
    " shop's past prices.",
    TOO_FEW_PRODUCTS: "The forecasts say that prices stay: a forecaster is chosen on the past prices of at least"
    f" {MIN_MEASURED} products.",
    RANGES_TOO_NARROW: "No forecasts are stored: on this shop's past prices, the ranges of every forecaster held fewer"
    " prices than they should.",
}


@dataclass(frozen=True, slots=True)
class PriceFitReport:
    """A fit: its outcome, the reason as a code of `forecast_gate` or of an error, and as a sentence.

    `at` is its end in unix seconds; `version` the number of the new version, `served` that of the one before. `figures`
    are those of every measured forecaster by name. `reused` counts results that an interrupted fit had computed.
    """

    outcome: str
    reason: str
    message: str
    at: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    version: int | None = None
    served: int | None = None
    forecaster: str = ""
    products: int = 0
    history_weeks: int = 0
    reused: int = 0
    decisive: LossComparison | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_error(cls, error: Exception) -> PriceFitReport:
        """Return the report of a fit that ended with an error."""
        if not isinstance(error, WindowshopError):
            return cls(FAILED, "internal", f"The fit ended with an error: {error}")
        outcome = TOO_LITTLE if isinstance(error, TooLittleHistory) else FAILED
        return cls(outcome, error.code, str(error))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def save(self, home: Path) -> None:
        """Write the report, over that of the fit before."""
        write_report(ShopHome(home).prices_report, self.to_dict())


def last_price_fit(home: Path) -> dict[str, Any] | None:
    """Return the report of the last fit as JSON values; None before the first, or where it cannot be read."""
    return read_report(ShopHome(home).prices_report)


def choice_sentence(choice: ForecasterChoice) -> str:
    """Return which forecaster was chosen and why, with the figures that decided."""
    text = _SENTENCES[choice.reason].format(name=choice.name)
    if (found := choice.decisive) is None:
        return text
    return (
        f"{text} Mean pinball loss of {found.name}: {100 * found.loss:.3f} % of the price, of {found.against}"
        f" {100 * found.other:.3f} %, a difference of {100 * found.low:+.3f} to {100 * found.high:+.3f}"
        f" ({found.products:,} products)."
    )
