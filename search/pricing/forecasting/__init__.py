"""Forecasts of weekly prices behind one contract.

Imported by search.pricing.learning.
"""
