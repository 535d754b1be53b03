"""Measure models of demand on weeks that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from indexer.types import Mask
from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.regression.count_quantiles import count_quantiles
from search.pricing.demand.regression.demand_weeks import USUAL, effects_of
from search.pricing.demand.regression.shrinkage import Doubles
from search.pricing.series.weekly_prices import WeeklyPrices

HELD_OUT_WEEKS = 4
ORIGINS = 5
MOVES = (0.05, 0.2)
_QUANTILES = (0.1, 0.9)


@dataclass(slots=True)
class _Totals:
    """Sums over origins."""

    deviances: dict[str, float] = field(default_factory=dict)
    weeks: int = 0
    negative: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    covered: int = 0
    units: Doubles = field(default_factory=lambda: np.zeros(2))
    moves: dict[str, list[int]] = field(default_factory=dict)


def evaluate_demand(
    weekly: WeeklyPrices, origins: Sequence[int] | None = None, unsold: str = USUAL
) -> Mapping[str, Any]:
    """Fit demand before each origin, a column of the series, and judge it on the four weeks from there on.

    Without `origins` they are the last five that are four weeks apart. Judged are the weeks in which the price is
    known. The models know the past, the week's price and, where there is one, the calendar; the level and the season of
    the week are forecast. Deviances are Poisson's, as ratios to a model of the same form that has no effects; the one
    without price has those of promotions alone. A suggestion is refused where the interval of the elasticity spans -1.
    `units_ratio` is units expected by units sold.
    """
    origins = default_origins(weekly.weeks) if origins is None else origins
    without = replace(weekly, calendar=None)
    figures = _measured(without, origins, unsold)
    if weekly.calendar is not None:
        figures["with_calendar"] = _measured(weekly, origins, unsold)
    return figures


def default_origins(weeks: int) -> list[int]:
    """Return the last five origins, four weeks apart, with at least half of the weeks before them."""
    found = [weeks - HELD_OUT_WEEKS * back for back in range(ORIGINS, 0, -1)]
    return [origin for origin in found if origin >= weeks / 2]


def _measured(weekly: WeeklyPrices, origins: Sequence[int], unsold: str) -> dict[str, Any]:
    totals = _Totals()
    for origin in origins:
        _add_origin(totals, weekly, origin, unsold)
    base = totals.deviances.get("none", 0.0)
    ratios = {name: value / base if base else None for name, value in totals.deviances.items()}
    figures: dict[str, Any] = {
        "deviance_ratio": ratios.get("full"),
        "single_elasticity_deviance_ratio": ratios.get("pooled"),
        "without_price_deviance_ratio": ratios.get("without_price"),
        "negative_share": _mean(totals.negative),
        "refused_share": _mean(totals.refused),
        "coverage_80": totals.covered / totals.weeks if totals.weeks else None,
        "units_ratio": totals.units[0] / totals.units[1] if totals.units[1] else None,
        "products": len(weekly),
        "weeks": totals.weeks,
    }
    for name, (right, moves, ties) in totals.moves.items():
        figures |= {f"direction_{name}": right / moves if moves else None, f"direction_{name}_n": moves}
        figures[f"direction_{name}_ties"] = ties
    figures["direction_accuracy"] = figures.get("direction_accuracy_5")
    return figures


def _add_origin(totals: _Totals, weekly: WeeklyPrices, origin: int, unsold: str) -> None:
    end = min(origin + HELD_OUT_WEEKS, weekly.weeks)
    units = np.array(weekly.units[:, origin:end], np.float64)
    prices = np.array(weekly.prices[:, origin:end], np.float64)
    models = {
        "full": DemandModel.fit(weekly, origin, unsold),
        "pooled": DemandModel.fit(weekly, origin, unsold, pooled=True),
        "none": DemandModel.fit(replace(_without_price(weekly), calendar=None), origin, unsold, pooled=True),
    }
    known = weekly.calendar is not None
    models["without_price"] = DemandModel.fit(_without_price(weekly), origin, unsold) if known else models["none"]
    full = models["full"]
    judged = (prices > 0) & ~np.isnan(units) & ~np.isnan(full.facts.usual)[:, None]
    places = np.arange(len(weekly))
    x = effects_of(weekly, prices, full.facts.usual, origin)
    for name, model in models.items():
        kinds = len(model.names)
        seen = x if name in ("full", "pooled") else x[..., :kinds] * (np.arange(kinds) > 0)
        mean, _ = model.expected(places, seen)
        totals.deviances[name] = totals.deviances.get(name, 0.0) + _deviance(units, mean, judged)
    mean, log_variance = full.expected(places, x)
    ends = count_quantiles(mean, full.variance(places, mean, log_variance), _QUANTILES)
    totals.covered += int((judged & (units >= ends[..., 0]) & (units <= ends[..., 1])).sum())
    totals.weeks += int(judged.sum())
    elasticity = full.effects[:, 0]
    low, high = full.interval(elasticity, full.covariance[:, 0, 0])
    totals.negative.append(float((elasticity < 0).mean()))
    totals.refused.append(float(((low <= -1) & (high >= -1)).mean()))
    totals.units += np.array([mean[judged].sum(), units[judged].sum()])
    usual, _ = full.expected(places, np.zeros((*prices.shape, x.shape[2])))
    _add_moves(totals, prices, (units, mean), judged)
    _add_from_usual(totals, x[:, :, 0], units, (mean, usual), judged)


def _without_price(weekly: WeeklyPrices) -> WeeklyPrices:
    """Return the series with one price for all weeks in which any is known."""
    known = weekly.prices > 0
    return replace(weekly, prices=np.where(known, np.float32(1), np.float32(np.nan)))


def _add_moves(totals: _Totals, prices: Doubles, pair: tuple[Doubles, Doubles], judged: Mask) -> None:
    """Count from week to week how often units move as expected where the price does; equal units are ties."""
    units, mean = pair
    both = judged[:, 1:] & judged[:, :-1]
    with np.errstate(all="ignore"):
        move = np.abs(np.log(prices[:, 1:] / prices[:, :-1]))
    _count(totals, "accuracy", move, (np.diff(units, axis=1), np.diff(mean, axis=1)), both)


def _add_from_usual(totals: _Totals, x: Doubles, units: Doubles, means: tuple[Doubles, Doubles], judged: Mask) -> None:
    """Count how often units differ from those at the usual price, without promotion, in the expected direction."""
    mean, usual = means
    _count(totals, "from_usual", np.abs(x), (units - usual, mean - usual), judged)


def _count(totals: _Totals, name: str, move: Doubles, differences: tuple[Doubles, Doubles], judged: Mask) -> None:
    seen, expected = np.sign(differences[0]), np.sign(differences[1])
    for threshold in MOVES:
        moved = judged & (move > np.log1p(threshold))
        decided = moved & (seen != 0)
        counts = totals.moves.setdefault(f"{name}_{threshold * 100:.0f}", [0, 0, 0])
        counts[0] += int((decided & (seen == expected)).sum())
        counts[1] += int(decided.sum())
        counts[2] += int((moved & (seen == 0)).sum())


def _deviance(units: Doubles, mean: Doubles, judged: Mask) -> float:
    mean = np.maximum(mean, 1e-9)
    logs = np.where(units > 0, units * np.log(np.maximum(units, 1e-9) / mean), 0.0)
    return float(2 * (logs - (units - mean))[judged].sum())


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
