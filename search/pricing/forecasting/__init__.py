"""Forecasts of weekly prices behind one contract.

<<<<<<< HEAD
Imported by search.pricing.classical, search.pricing.learning.
"""
