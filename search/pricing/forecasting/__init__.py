"""Forecasts of weekly prices behind one contract.

Imported by search.pricing, search.pricing.classical, search.pricing.demand, search.pricing.evaluation,
search.pricing.learning.
"""
