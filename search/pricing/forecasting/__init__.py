"""Forecasts of weekly prices behind one contract.

Imported by nothing.
"""
