"""Forecasts of weekly prices behind one contract.

Imported by search.pricing.classical, search.pricing.evaluation, search.pricing.learning.
"""
