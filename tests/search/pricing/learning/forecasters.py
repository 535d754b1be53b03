"""Small forecasters that really learn, and shops of drawn prices."""

import json

import numpy as np

from catalog.errors import DamagedStore
from search.pricing.flags.precision import FlagPrecision
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.learning.price_fit import PriceFitOptions
from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

FIRST = 2_900  # the week of the first column
WEEKS = 60


class Changes:
    """Says that prices stay, within the quantiles of their relative changes in the past."""

    name = "naive"
    uses_calendar = False

    def __init__(self, ratios=None):
        self.ratios = ratios

    def fit(self, weekly, end):
        past = weekly.prices[:, :end]
        with np.errstate(invalid="ignore"):
            changes = [past[:, weeks:] / past[:, :-weeks] for weeks in range(1, HORIZON + 1)]
        ratios = np.array([np.nanquantile(change, QUANTILES) for change in changes], np.float32)
        ratios[:, 1] = 1
        return type(self)(np.sort(ratios, axis=1))

    def forecast(self, weekly, end):
        return weekly.last_known(end)[:, None, None] * self.ratios[None]

    def save(self, folder):
        (folder / "ratios.json").write_text(json.dumps(self.ratios.tolist()))

    @classmethod
    def load(cls, folder):
        try:
            return cls(np.array(json.loads((folder / "ratios.json").read_text()), np.float32))
        except (OSError, ValueError) as error:
            raise DamagedStore(f"{folder} is damaged: {error}.") from error


class Cycles(Changes):
    """Says that each product costs what it cost four weeks before: right in shops whose promotions come every month."""

    name = "cycles"

    def forecast(self, weekly, end):
        middle = weekly.prices[:, end - HORIZON : end]
        return (middle[..., None] * np.array([0.98, 1, 1.02])).astype(np.float32)


class Calendar(Changes):
    """Needs to know the promotions ahead."""

    name = "calendar"
    uses_calendar = True


class Narrow(Changes):
    """Has ranges that hold next to no prices."""

    name = "narrow"

    def forecast(self, weekly, end):
        return weekly.last_known(end)[:, None, None] * np.array([1.001, 1.002, 1.003])[None, None].repeat(4, 1)


class Falling:
    """Gives the share of weeks in which each product's price fell."""

    name = "drops"
    threshold = 0.22
    precision = FlagPrecision(0.8, 0.75, 0.85, 500, 0.1, 0.3)

    @classmethod
    def fit(cls, weekly, end):
        return cls()

    def predict(self, weekly, end):
        return (np.diff(weekly.prices[:, :end], axis=1) < 0).mean(axis=1)

    def save(self, folder):
        (folder / "falling.json").write_text("{}")

    @classmethod
    def load(cls, folder):
        return cls()


def drawn_prices(products=40, weeks=WEEKS, *, promoted=True, seed=0):
    """Prices that stay, save that each product costs a fifth less in one week of four if `promoted`."""
    rng = np.random.default_rng(seed)
    prices = np.repeat(rng.integers(100, 5_000, (products, 1)) / 100, weeks, axis=1).astype(np.float32)
    if promoted:
        phases = rng.integers(0, 4, products)[:, None]
        prices = np.where((np.arange(weeks) + phases) % 4 == 0, prices * np.float32(0.8), prices)
    unknown = np.full_like(prices, np.nan)
    ids, currencies = [f"p{i}" for i in range(products)], ["EUR" if i % 2 else "USD" for i in range(products)]
    return WeeklyPrices(FIRST, ids, ["Shop"] * products, currencies, prices, unknown, unknown)


def with_calendar(weekly, planned_until):
    shares = np.ones((len(weekly), planned_until - FIRST, 2), np.float32)
    return WeeklyPrices(
        **{name: getattr(weekly, name) for name in WeeklyPrices.__slots__ if name != "calendar"},
        calendar=PromotionCalendar(FIRST, shares),
    )


def options(weekly, *kinds, drops=None):
    forecasters = {kind.name: kind for kind in (Changes, *kinds)}
    return PriceFitOptions(lambda home: weekly, forecasters, drops)
