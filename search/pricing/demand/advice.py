"""Advise a merchant on the price of one product: what demand says of it, within the owner's limits.

Nothing here changes a price.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

import numpy as np

from catalog.money.currencies import decimals_of
from catalog.product import Product
from search.pricing.demand.demand_model import LASTING_WEEKS, PROMOTION_SHARE, SOURCES, DemandModel
from search.pricing.demand.price_advice import (
    ABOVE_BEST_MARGIN,
    BELOW_BEST_MARGIN,
    BELOW_COST,
    CAUTIONS,
    DEMAND_IS_ELASTIC,
    DEMAND_IS_INELASTIC,
    INTERVAL_SPANS_DECISION,
    KEEP,
    LIMITS,
    LITTLE_TO_GAIN,
    LOWER,
    NEVER_CHARGED,
    NO_PRICE,
    NOT_FITTED,
    NOT_KNOWN,
    OTHER_CURRENCY,
    OUTSIDE_EXPERIENCE,
    OUTSIDE_LIMITS,
    PROMOTIONS_UNKNOWN,
    RAISE,
    REVENUE_ONLY,
    RISES_WITH_PRICE,
    TEMPORARY_CHANGES,
    TOO_FEW_DATA,
    AdviceQuestion,
    AmountRange,
    Elasticity,
    PriceAdvice,
    PriceCandidate,
)
from search.pricing.demand.price_limits import PriceLimits
from search.pricing.demand.regression.count_quantiles import Z_80, count_quantiles

MIN_WEEKS, MIN_UNITS = 8, 10  # for sale, and units sold: below, no expected units are given
BEYOND = 0.1  # a candidate may lie this far outside the prices that were seen, as a share of them
BEYOND_SUGGESTED = 0.05  # a suggested price
_CHANGES = (-20, -15, -10, -5, 0, 5, 10, 15, 20)  # candidates, in percent of the present price
_LITTLE = 0.01  # a gain of less than this share is none
_CENT = 1.0001  # tolerance: prices of series are single precision
_ROUNDED = 1.005  # tolerance: candidates are rounded to the currency's decimals
_UNIT = Decimal(1)


def advise(model: DemandModel | None, question: AdviceQuestion) -> PriceAdvice:
    """Return what the model says of a product's price."""
    product = question.product
    price = product.price if product.price is not None and product.price > 0 else None
    blank = PriceAdvice(
        product.id, product.currency, price, question.cost, None, NOT_KNOWN, NOT_FITTED, question.limits,
        promotions_known=model is not None and model.knows_promotions,
    )  # fmt: skip
    if model is None:
        return blank
    place = model.places.get(product.id)
    elasticity = _elasticity(model, product, place)
    if price is None:
        return replace(blank, elasticity=elasticity, reason=NO_PRICE)
    if place is not None and model.currencies[place] not in ("", product.currency):
        return replace(blank, reason=OTHER_CURRENCY)
    prices = _allowed(price, product.currency, question)
    requested = question.requested if question.requested is not None and question.requested > 0 else None
    priced = _candidates(model, place, question, [*prices, *([] if requested is None else [requested])])
    candidates, extra = tuple(priced[: len(prices)]), priced[len(prices) :]
    decision = decisive_elasticity(price, question.cost)
    found = replace(
        blank, elasticity=elasticity, candidates=candidates, decision=decision,
        requested=extra[0] if extra else None,
    )  # fmt: skip
    found = _decided(found, _suggestible(model, place, candidates), _lasting(model, place))
    return replace(found, cautions=_cautions(model, place, found))


def _suggestible(model: DemandModel, place: int | None, candidates: tuple[PriceCandidate, ...]) -> list[PriceCandidate]:
    """Return the candidates that may be suggested: those with units, hardly outside the prices that were seen."""
    if place is None:
        return []
    low, high = (float(bound[place]) for bound in (model.facts.lowest, model.facts.highest))
    low, high = low * (1 - BEYOND_SUGGESTED) / _ROUNDED, high * (1 + BEYOND_SUGGESTED) * _ROUNDED
    return [candidate for candidate in candidates if candidate.units and low <= float(candidate.price) <= high]


def _lasting(model: DemandModel, place: int | None) -> bool:
    return place is not None and bool(model.facts.lasting[place] >= LASTING_WEEKS)


def _cautions(model: DemandModel, place: int | None, found: PriceAdvice) -> tuple[str, ...]:
    if found.elasticity is None:
        return ()
    new = any(candidate.price == found.suggested and candidate.extrapolated for candidate in found.candidates)
    noted = {
        PROMOTIONS_UNKNOWN: not model.knows_promotions,
        TEMPORARY_CHANGES: not _lasting(model, place) and found.reason != TEMPORARY_CHANGES,
        REVENUE_ONLY: found.cost is None,
        NEVER_CHARGED: new,
        OUTSIDE_LIMITS: found.price is not None and bool(found.limits.broken_by(found.price, found.price, found.cost)),
    }
    return tuple(code for code in CAUTIONS if noted.get(code))


def decisive_elasticity(price: Decimal, cost: Decimal | None) -> float | None:
    """Return the elasticity at which a small change of the price gains nothing.

    Revenue p * q has its maximum where the elasticity is -1; the margin (p - c) * q where it is -p / (p - c) (Lerner,
    1934). None for a price that is not above the cost.
    """
    if cost is None:
        return -1.0
    return -float(price / (price - cost)) if price > cost else None


def _elasticity(model: DemandModel, product: Product, place: int | None) -> Elasticity:
    """Return the elasticity of a product, or that of its category for one without sales."""
    if place is not None:
        value, variance = model.effects[place, 0], model.covariance[place, 0, 0]
        weeks, moved = int(model.facts.weeks[place]), int(model.facts.moved[place])
        source = SOURCES[model.sources[place]]
    else:
        node = model.tree.node_of(product.category)
        value, variance = model.node_effects[node, 0], model.node_covariance[node, 0, 0] + model.product_variance
        weeks, moved, source = 0, 0, SOURCES[model.node_sources[node]]
    low, high = model.interval(value, variance)
    return Elasticity(float(value), float(low), float(high), weeks, moved, source)


def _allowed(price: Decimal, currency: str, question: AdviceQuestion) -> list[Decimal]:
    """Return the present price and those of the grid that the limits allow, ascending."""
    limits, cost = question.limits, question.cost
    return [
        found for found in _grid(price, currency, limits) if found == price or not limits.broken_by(found, price, cost)
    ]


def _grid(price: Decimal, currency: str, limits: PriceLimits) -> list[Decimal]:
    """Return the present price, those around it, and the least and most that limits allow in whole units, ascending."""
    unit = _UNIT.scaleb(-decimals_of(currency))
    tried = {(price * (100 + change) / 100).quantize(unit, ROUND_HALF_UP) for change in _CHANGES}
    low, high = price * (100 + min(_CHANGES)) / 100, price * (100 + max(_CHANGES)) / 100
    for end, inwards in ((limits.lowest, ROUND_CEILING), (limits.highest, ROUND_FLOOR)):
        if end is not None and low <= end <= high:
            tried.add(end.quantize(unit, inwards))
    return sorted({value for value in tried if value > 0} | {price})


def _candidates(
    model: DemandModel, place: int | None, question: AdviceQuestion, prices: list[Decimal]
) -> list[PriceCandidate]:
    """Return candidates in the order of their prices; those far from what was seen have no units."""
    current, cost = question.product.price, question.cost
    plain = [PriceCandidate(price, broken_limits=question.limits.broken_by(price, current, cost)) for price in prices]
    if place is None or not np.isfinite(model.facts.usual[place]):
        return [replace(candidate, extrapolated=True) for candidate in plain]
    low, high = model.facts.lowest[place], model.facts.highest[place]
    enough = model.facts.weeks[place] >= MIN_WEEKS and model.facts.units[place] >= MIN_UNITS
    found = []
    for candidate, units, week_units in zip(plain, *_units(model, place, prices), strict=True):
        value = float(candidate.price)
        candidate = replace(candidate, extrapolated=not low / _CENT <= value <= high * _CENT)
        if enough and low * (1 - BEYOND) / _ROUNDED <= value <= high * (1 + BEYOND) * _ROUNDED:
            margin = None if cost is None else units.times(value - float(cost))
            candidate = replace(
                candidate, units=units, week_units=week_units, revenue=units.times(value), margin=margin
            )
        found.append(candidate)
    return found


def _units(model: DemandModel, place: int, prices: list[Decimal]) -> tuple[list[AmountRange], list[AmountRange]]:
    """Return the expected units of a week at each price without a promotion, and those of single weeks."""
    places = np.array([place])
    x = np.zeros((1, len(prices), len(model.names)))
    x[0, :, 0] = np.log(np.array(prices, np.float64) / model.facts.usual[place])
    mean, log_variance = model.expected(places, x)
    reach = np.exp(Z_80 * np.sqrt(log_variance))
    low, high = mean / reach, mean * reach
    if not model.knows_promotions:
        elsewhere = mean * np.exp(x[:, :, 0] * -PROMOTION_SHARE * model.effects[place, 0])
        low, high = np.minimum(low, elsewhere), np.maximum(high, elsewhere)
    expected = np.stack([low, mean, high], axis=2)[0].tolist()
    ends = count_quantiles(mean[0], model.variance(places, mean, log_variance)[0], (0.1, 0.5, 0.9)).tolist()
    return [AmountRange(*row) for row in expected], [AmountRange(*row) for row in ends]


def _decided(found: PriceAdvice, suggestible: list[PriceCandidate], lasting: bool) -> PriceAdvice:
    """Return the advice with its verdict; `lasting` says whether another price of the product ever lasted.

    Customers put up with a dear week, but go elsewhere when a price stays high. Intervals of temporary changes and of
    other products are too near to 0 for that, so above the cost a rise needs a lasting change of the product's own.
    """
    elasticity, price = found.elasticity, found.price
    if elasticity is None or price is None or elasticity.source == "prior" or not _has_units(found):
        return replace(found, reason=TOO_FEW_DATA)
    if elasticity.value >= 0:
        return replace(found, reason=RISES_WITH_PRICE)
    if found.decision is None:
        return _moved(found, suggestible, RAISE, BELOW_COST)
    if elasticity.low > found.decision:
        if elasticity.source != "product":
            return replace(found, reason=TOO_FEW_DATA)
        if not lasting:
            return replace(found, reason=TEMPORARY_CHANGES)
        return _moved(found, suggestible, RAISE, DEMAND_IS_INELASTIC if found.cost is None else BELOW_BEST_MARGIN)
    if elasticity.high < found.decision:
        return _moved(found, suggestible, LOWER, DEMAND_IS_ELASTIC if found.cost is None else ABOVE_BEST_MARGIN)
    gains = [max(_gain(found, other.price, elasticity)) for other in found.candidates if other.price != price]
    if gains and max(gains) < _LITTLE:
        return replace(found, verdict=KEEP, reason=LITTLE_TO_GAIN)
    return replace(found, reason=INTERVAL_SPANS_DECISION)


def _has_units(found: PriceAdvice) -> bool:
    return any(candidate.units is not None for candidate in found.candidates)


def _moved(found: PriceAdvice, suggestible: list[PriceCandidate], verdict: str, reason: str) -> PriceAdvice:
    """Return the advice to move to the price that gains most at the worse end of the interval, or to keep the price."""
    price, elasticity = found.price, found.elasticity
    if price is None or elasticity is None:
        return found
    raised = verdict == RAISE
    allowed = {other.price for other in found.candidates if other.price != price and (other.price > price) == raised}
    if not allowed:
        grid = _grid(price, found.currency, found.limits)  # of a price such as JPY 2 it has no other
        limited = any(other != price and (other > price) == raised for other in grid)
        return replace(found, verdict=KEEP, reason=LIMITS if limited else LITTLE_TO_GAIN)
    worst = {other.price: min(_gain(found, other.price, elasticity)) for other in suggestible if other.price in allowed}
    if not worst:
        return replace(found, verdict=KEEP, reason=OUTSIDE_EXPERIENCE)
    best = max(worst, key=lambda value: worst[value])
    if worst[best] < _LITTLE:
        return replace(found, verdict=KEEP, reason=LITTLE_TO_GAIN)
    return replace(found, verdict=verdict, reason=reason, suggested=best)


def _gain(found: PriceAdvice, price: Decimal, elasticity: Elasticity) -> tuple[float, float]:
    """Return by what share of today's revenue, or margin, a price gains at the two ends of the elasticity's interval.

    The share is of today's revenue where today's price is not above the cost.
    """
    today, cost = float(found.price or 0), float(found.cost or 0)
    before = today - cost
    base = before if before > 0 else today
    ratio = float(price) / today
    low, high = (((float(price) - cost) * ratio**end - before) / base for end in (elasticity.low, elasticity.high))
    return low, high
