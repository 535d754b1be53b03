"""Weekly series of prices and units: what forecasts, flags and models of demand are computed from.

Imported by search.cli.prices, search.pricing, search.pricing.classical, search.pricing.demand,
search.pricing.demand.regression, search.pricing.evaluation, search.pricing.flags, search.pricing.forecasting,
search.pricing.learning.
"""
