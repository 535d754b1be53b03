"""What a merchant is advised on the price of a product: records and codes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from catalog.product import Product
from search.pricing.demand.price_limits import NO_LIMITS, PriceLimits
from search.pricing.series.range_level import LEVEL

RAISE, LOWER, KEEP, NOT_KNOWN = "raise", "lower", "keep", "not_known"
VERDICTS = (RAISE, LOWER, KEEP, NOT_KNOWN)
# Why a verdict is as it is. Of raise and lower:
DEMAND_IS_INELASTIC, DEMAND_IS_ELASTIC = "demand_is_inelastic", "demand_is_elastic"
BELOW_BEST_MARGIN, ABOVE_BEST_MARGIN, BELOW_COST = "below_best_margin", "above_best_margin", "below_cost"
# Of keep:
LITTLE_TO_GAIN, LIMITS, OUTSIDE_EXPERIENCE = "little_to_gain", "limits", "outside_experience"
# Of not_known:
INTERVAL_SPANS_DECISION, TOO_FEW_DATA, NO_PRICE = "interval_spans_decision", "too_few_data", "no_price"
OTHER_CURRENCY, RISES_WITH_PRICE, NOT_FITTED = "other_currency", "rises_with_price", "not_fitted"
TEMPORARY_CHANGES = "temporary_changes"  # also to be borne in mind of other verdicts
REASONS = (
    DEMAND_IS_INELASTIC, DEMAND_IS_ELASTIC, BELOW_BEST_MARGIN, ABOVE_BEST_MARGIN, BELOW_COST, LITTLE_TO_GAIN, LIMITS,
    OUTSIDE_EXPERIENCE, INTERVAL_SPANS_DECISION, TOO_FEW_DATA, NO_PRICE, OTHER_CURRENCY, RISES_WITH_PRICE, NOT_FITTED,
    TEMPORARY_CHANGES,
)  # fmt: skip
# What to bear in mind about a verdict:
PROMOTIONS_UNKNOWN = "promotions_unknown"
REVENUE_ONLY, NEVER_CHARGED, OUTSIDE_LIMITS = "revenue_only", "never_charged", "outside_limits"
OLD_SALES = "old_sales"
CAUTIONS = (PROMOTIONS_UNKNOWN, TEMPORARY_CHANGES, REVENUE_ONLY, NEVER_CHARGED, OUTSIDE_LIMITS, OLD_SALES)


@dataclass(frozen=True, slots=True)
class AmountRange:
    """An amount with its 80 % range."""

    low: float
    middle: float
    high: float

    def times(self, factor: float) -> AmountRange:
        """Return the range of a multiple; a negative factor exchanges the ends."""
        ends = sorted((self.low * factor, self.high * factor))
        return AmountRange(ends[0], self.middle * factor, ends[1])

    def to_dict(self) -> dict[str, float]:
        """Return JSON values."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Elasticity:
    """By how many percent units change when the price rises by one percent, with its 80 % interval.

    `source` says what most of it stems from (SOURCES). `weeks` is how many weeks of the product were read, `moved` in
    how many of them its price was another than the usual one.
    """

    value: float
    low: float
    high: float
    weeks: int
    moved: int
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class PriceCandidate:
    """A price with what it would bring in a week without a promotion.

    `units`, `revenue` and `margin` are expected values, None where they cannot be computed; `week_units` is what single
    weeks would sell. `margin` needs the cost. `extrapolated` says that the price lies outside those that were seen,
    `broken_limits` which of the owner's limits it breaks.
    """

    price: Decimal
    units: AmountRange | None = None
    week_units: AmountRange | None = None
    revenue: AmountRange | None = None
    margin: AmountRange | None = None
    extrapolated: bool = False
    broken_limits: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; prices are texts."""
        amounts = {name: getattr(self, name) for name in ("units", "week_units", "revenue", "margin")}
        return {
            "price": str(self.price),
            **{name: None if amount is None else amount.to_dict() for name, amount in amounts.items()},
            "extrapolated": self.extrapolated,
            "broken_limits": list(self.broken_limits),
        }


@dataclass(frozen=True, slots=True)
class PriceAdvice:
    """What demand says of a product's price.

    `verdict` is one of VERDICTS and `reason` one of REASONS. `suggested` is a price that would bring more at both ends
    of the elasticity's interval; None unless the verdict is raise or lower. `candidates` are in ascending order of
    price, the present one among them; `requested` is the price in question. `decision` is the elasticity at
    which nothing is to be gained by a change: -1 for revenue, -price / (price - cost) for the margin.
    `promotions_known` is False where promotions are not known, so that their effect counts as the price's.
    """

    product_id: str
    currency: str
    price: Decimal | None
    cost: Decimal | None
    elasticity: Elasticity | None
    verdict: str
    reason: str
    limits: PriceLimits
    suggested: Decimal | None = None
    decision: float | None = None
    candidates: tuple[PriceCandidate, ...] = ()
    requested: PriceCandidate | None = None
    promotions_known: bool = False
    cautions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; prices, costs and limits are texts."""
        return {
            "product_id": self.product_id,
            "currency": self.currency,
            "price": _text(self.price),
            "cost": _text(self.cost),
            "elasticity": None if self.elasticity is None else self.elasticity.to_dict(),
            "verdict": self.verdict,
            "reason": self.reason,
            "suggested": _text(self.suggested),
            "decision": self.decision,
            "level": LEVEL,
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "requested": None if self.requested is None else self.requested.to_dict(),
            "limits": {name: _text(value) for name, value in asdict(self.limits).items()},
            "promotions_known": self.promotions_known,
            "cautions": list(self.cautions),
        }


@dataclass(frozen=True, slots=True)
class AdviceQuestion:
    """A product, the price that a merchant thinks of, the cost of a unit, and the owner's limits."""

    product: Product
    requested: Decimal | None = None
    cost: Decimal | None = None
    limits: PriceLimits = NO_LIMITS


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
