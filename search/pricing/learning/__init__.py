"""Choose, fit and store a shop's forecasters of prices, and serve the stored forecasts.

Imported by search.cli.prices, search.engine, search.pricing.
"""
